"""Ratios of work done in the same run: against peers, against limits, against bare loops.

`python -m benchmarks` runs the parts one by one and writes build/bench/summary.json; each part
runs alone too. Nothing here is a test: a figure of one machine says little on another.
"""
