"""The verbs of the command line for Python programs: typed, with DataFrames in and out.

Each verb calls the same modules as its command (docs/sdk.md says which). What a command prints, a
verb returns; what ends a command with a code, a verb raises (`commonground.errors`). Nothing here
prints, and nothing that is secret stands in a `repr`.
"""
