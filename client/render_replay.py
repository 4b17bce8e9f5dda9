"""A replay as people and programs read it."""

from __future__ import annotations

from typing import Any

from rich.console import RenderableType

from party.replay import Replay, Verdict

_SIGNS = {Verdict.AGREES: "✓", Verdict.DIFFERS: "✗", Verdict.UNCHECKED: "–"}
_SUMMARY = {
    Verdict.AGREES: "All that this party sent follows from its seed and its input, as logged.",
    Verdict.DIFFERS: "What was logged is not what the protocol gives: see the first ✗. This party, "
    "or whoever changed its files, did something else.",
    Verdict.UNCHECKED: "Nothing differs, and what is marked – could not be checked.",
}


def replay_document(replay: Replay) -> dict[str, Any]:
    """Return a replay as JSON values."""
    return {
        "request": replay.request,
        "session": replay.session,
        "role": replay.role,
        "transcript": replay.transcript,
        "verdict": replay.verdict.value,
        "checks": [
            {"what": check.what, "verdict": check.verdict.value, "why": check.why}
            for check in replay.checks
        ],
    }


def replay_shown(replay: Replay) -> list[RenderableType]:
    """Return a line a check, and what they come to."""
    lines = [
        f"  {_SIGNS[check.verdict]} {check.what}{f': {check.why}' if check.why else ''}"
        for check in replay.checks
    ]
    return [
        f"Replayed: request {replay.request[:8]}, session {replay.session[:8]}, as {replay.role}",
        *lines,
        _SUMMARY[replay.verdict],
    ]
