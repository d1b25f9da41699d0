"""Counts of AWS calls received, by service and operation. Thread-safe."""

from __future__ import annotations

from collections import Counter
from threading import Lock


class Calls:
    """How often each operation was called since start or reset."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def record(self, service: str, operation: str) -> None:
        """Counts one call."""
        with self._lock:
            self._counts[service, operation] += 1

    def counts(self) -> dict[str, dict[str, int]]:
        """Service to operation to count."""
        with self._lock:
            taken = sorted(self._counts.items())
        document: dict[str, dict[str, int]] = {}
        for (service, operation), count in taken:
            document.setdefault(service, {})[operation] = count
        return document

    def total(self) -> int:
        """All calls."""
        with self._lock:
            return self._counts.total()

    def reset(self) -> None:
        """Starts from nothing."""
        with self._lock:
            self._counts.clear()
