"""The manager: the only writer of state. Registry, requests, tasks, scheduling, event log.

Refuses to run user code: it reads packages and sources as text; workers and services execute.
"""
