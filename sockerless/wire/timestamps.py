"""Times as Docker writes and reads them; inside, a time is integer nanoseconds since the Unix epoch (0 = never).

Owns the formats only; reads no clock. Source: Engine API 1.44 (`since`, `until`, State.StartedAt), docker CLI
reference of `docker logs --since` and of the `until` prune filter.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sockerless.errors import InvalidParameter

NEVER = "0001-01-01T00:00:00Z"
"""The zero time of Docker's JSON."""

_NS = 1_000_000_000
_UNIX = re.compile(r"(-?\d+)(?:\.(\d+))?")
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)")
_UNIT_NS = {"ns": 1, "us": 1_000, "µs": 1_000, "ms": 1_000_000, "s": _NS, "m": 60 * _NS, "h": 3600 * _NS}
_FRACTION = re.compile(r"\.(\d+)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def rfc3339(time_ns: int, *, fixed: bool = False) -> str:
    """UTC with nanoseconds: trailing zeros trimmed as in JSON fields, or always nine digits as in log lines."""
    if time_ns == 0:
        return NEVER
    seconds, nanos = divmod(time_ns, _NS)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    fraction = f"{nanos:09d}" if fixed else f"{nanos:09d}".rstrip("0")
    return f"{whole}.{fraction}Z" if fraction else f"{whole}Z"


def parse_unix(text: str) -> int:
    """Nanoseconds of "seconds[.fraction]", as clients send `since`; 0 for an empty text. ValueError otherwise."""
    if not text:
        return 0
    match = _UNIX.fullmatch(text)
    if match is None:
        raise ValueError(f"not a Unix timestamp: {text!r}")
    return int(match[1]) * _NS + int(((match[2] or "") + "0" * 9)[:9])


def parse_moment(text: str, now_ns: int) -> int:
    """Nanoseconds of a Unix timestamp, an RFC 3339 time or date, or a duration before now ("24h", "1h30m").

    A time without a zone is in this machine's. InvalidParameter when it is none of them.
    """
    duration_ns = _duration_ns(text)
    if duration_ns is not None:
        return now_ns - duration_ns
    if _UNIX.fullmatch(text):
        return parse_unix(text)
    try:
        return _parse_date(text)
    except ValueError:
        raise InvalidParameter(f'failed to parse value as time or duration: "{text}"') from None


def _duration_ns(text: str) -> int | None:
    position, total_ns = 0, 0.0
    while position < len(text):
        part = _DURATION_PART.match(text, position)
        if part is None:
            return None
        total_ns += float(part[1]) * _UNIT_NS[part[2]]
        position = part.end()
    return round(total_ns) if text else None


def _parse_date(text: str) -> int:
    fraction = _FRACTION.search(text)
    moment = datetime.fromisoformat(_FRACTION.sub("", text, count=1)).astimezone(UTC)
    nanos = int((fraction[1] + "0" * 9)[:9]) if fraction else 0
    return int(moment.timestamp()) * _NS + nanos
