"""The watchdogs: who must be alive, and what is done when somebody is not (requirements 070, 077 to 079).

Three of them, one program: `main` keeps broker, database, manager and workers, and the two others; `services` keeps the
servicer; `buffer` keeps the stager. Main may end everybody except what the buffer keeps. They refuse to know what their
wards do: they see processes, probes and exits.
"""
