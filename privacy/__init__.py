"""Noise and budgets: OpenDP releases, dummy noise, accounting.

The only place that turns exact counts into noisy ones.
"""
