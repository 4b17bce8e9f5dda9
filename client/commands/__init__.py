"""The commands, one group a module; each reads its options and leaves the work to others.

What takes time to import is imported inside the command that needs it.
"""
