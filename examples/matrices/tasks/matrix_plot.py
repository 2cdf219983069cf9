# One matrix. By itself a plain picture; where a task has gathered all matrices, the picture beside their total over time.
expose(matrix)
impose(step as datter.keytype(matrix))


def task():
    mine = access(step)
    expose(matrix as mine)
    for owner in me.owners:
        handin(mine, owner)
        release()  # it comes back, and all the others are shown with it
    if mine not in exposed():
        giveup()  # nobody gave it back: what was exposed is drawn plainly
    window = frame(f"{me.keys['step']} beside the total")
    plotme(frame(window), mine)
    plotme(frame(window), access(exposed()))
    plotme(window)
