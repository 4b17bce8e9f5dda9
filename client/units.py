"""How sizes, times and durations are written for people."""

from __future__ import annotations

from datetime import UTC, datetime

from languages import message


def shown_bytes(count: float) -> str:
    """Return a size such as "3.4 MB" (powers of ten)."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def shown_seconds(seconds: float) -> str:
    """Return a duration such as "under a second", "12 s", "3 min 20 s", "2 h 5 min"."""
    whole = round(seconds)
    if whole < 1:
        return message("under a second")
    if whole < 60:
        return message("{number} s", number=whole)
    if whole < 3600:
        return message("{minutes} min {seconds} s", minutes=whole // 60, seconds=whole % 60)
    return message("{hours} h {minutes} min", hours=whole // 3600, minutes=whole % 3600 // 60)


def shown_time(unix_seconds: int) -> str:
    """Return a time such as "2026-03-01 14:05 UTC"."""
    return datetime.fromtimestamp(unix_seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
