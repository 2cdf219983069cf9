"""The client: every ask and answer of plotter2 as Python calls. The CLI is a user of it and has no door of its own.

`asynchronous` is the client; `blocking` runs it on a thread of its own; `views` is what comes back; `calls` are the
streams of many small tasks; `link` finds the manager and finds it again; `upload` is the sending side of a push.
Importing this package loads nothing.
"""
