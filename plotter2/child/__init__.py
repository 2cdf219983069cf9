"""What runs beside a worker, in processes of its own: the fork server and the child interpreters that it forks.

Started as `python -I -m plotter2.child`, so neither the daemons' folder nor the current directory is importable here: a
user's `import worker` finds the user's own module or nothing. No network, no gRPC, no event loop: none of them survives
a fork.
"""
