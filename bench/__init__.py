"""Benchmarks: what plotter2 does in a second, beside what the machine itself gives in the same run (design 10).

`python -m bench` prints one JSON line a measure; `python -m bench --help` says how to pick and shrink.
"""
