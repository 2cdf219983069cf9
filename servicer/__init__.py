"""The servicer: experiments as processes of the operating system that outlive plotter2 (requirements 073, 074).

Owns the working directories below `service/` and what is known of each run. Refuses to decide what runs: that is the
manager's.
"""
