# All matrices: gathered from the tasks that draw them, given back, summed.
def task():
    plots = gather_tasks(matrix_plot.py)
    link(me, plots)
    collect(plots)
    every = copy("matrix")
    handin(access("matrix"), plots)
    release()  # they draw on while the sum is drawn here
    plotme(frame("The sum of all matrices"), sum(every))
