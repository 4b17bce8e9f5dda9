"""Who acts, as the log says it."""

from typing import Final

from audit.roles import BY_HAND

OPERATOR: Final = BY_HAND
"""A person who types a command, or a program of theirs that calls a verb."""
SCHEDULE: Final = "schedule"
"""A standing report whose time has come."""
