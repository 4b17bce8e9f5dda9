"""Noisy tables in, estimates with their errors out (docs/protocol.md, Release)."""
