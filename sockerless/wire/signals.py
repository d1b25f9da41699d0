"""Signal names and numbers as Docker accepts them. Knows no process.

Source: Linux x86-64 and arm64 numbering, signal(7); Engine API 1.44, POST /containers/{id}/kill.
"""

from __future__ import annotations

import signal as _signal

_NUMBERS = {member.name.removeprefix("SIG"): int(member) for member in _signal.Signals}
_RTMIN, _RTMAX = 34, 64


def number(text: str) -> int:
    """The number of "TERM", "SIGTERM", "sigterm", "15" or "RTMIN+3"; ValueError with Docker's words otherwise."""
    name = text.strip().upper().removeprefix("SIG")
    if name.isdecimal():
        value = int(name)
    elif name.startswith("RTMIN+") and name[6:].isdecimal():
        value = _RTMIN + int(name[6:])
    elif name.startswith("RTMAX-") and name[6:].isdecimal():
        value = _RTMAX - int(name[6:])
    else:
        value = _NUMBERS.get(name, 0)
    if not 0 < value <= _RTMAX:
        raise ValueError(f"Invalid signal: {text}")
    return value
