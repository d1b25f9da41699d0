"""The key sequence that detaches a client from a terminal, found in its stdin. No I/O.

Source: docker CLI reference, --detach-keys: a letter, or ctrl- and one of a-z @ [ \\ ] ^ _, separated by commas.
"""

from __future__ import annotations

DEFAULT = "ctrl-p,ctrl-q"
_CONTROL = "@abcdefghijklmnopqrstuvwxyz[\\]^_"


def parse(text: str) -> bytes:
    """The bytes of a sequence like "ctrl-p,ctrl-q"; ValueError with Docker's words when it is malformed."""
    keys = bytearray()
    for part in text.split(","):
        prefix, _, letter = part.rpartition("ctrl-")
        if len(part) == 1 and part.isascii():
            keys += part.encode()
        elif part.startswith("ctrl-") and not prefix and len(letter) == 1 and letter.lower() in _CONTROL:
            keys.append(_CONTROL.index(letter.lower()))
        else:
            raise ValueError(f"Invalid detach keys ({text}) provided")
    return bytes(keys)


class Detector:
    """Passes stdin through until the sequence is complete; a partial match is held back, then passed on mismatch."""

    def __init__(self, keys: bytes) -> None:
        self._keys = keys
        self._matched = 0

    def feed(self, data: bytes) -> tuple[bytes, bool]:
        """(the bytes to pass on, whether the sequence was completed). After True nothing more is to be fed."""
        passed = bytearray()
        for value in data:
            if value == self._keys[self._matched]:
                self._matched += 1
                if self._matched == len(self._keys):
                    return bytes(passed), True
                continue
            passed += self._keys[: self._matched]
            self._matched = 1 if value == self._keys[0] else 0
            if not self._matched:
                passed.append(value)
        return bytes(passed), False
