"""The worker: takes runs from the manager, has child interpreters do them, says how each ended. Owns nothing durable.

Refuses to run user code in its own process, and to decide what runs: it does what was assigned, once for each epoch.
"""
