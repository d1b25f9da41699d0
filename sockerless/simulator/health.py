"""Container health as the engine reports it, from one stream of the engine's events.

Source: Docker Engine API, GET /events (health_status: healthy | unhealthy).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from threading import Event, Lock, Thread

from sockerless.errors import SockerlessError
from sockerless.simulator.engine import Engine

Report = Callable[[str], None]


class HealthWatch:
    """Calls back with HEALTHY or UNHEALTHY for the containers it is asked to watch. Thread-safe."""

    def __init__(self, engine: Engine, label: str) -> None:
        self._engine, self._label = engine, label
        self._lock = Lock()
        self._reports: dict[str, Report] = {}
        self._thread: Thread | None = None
        self._listening = Event()

    def watch(self, container_id: str, report: Report) -> None:
        """Reports this container's health from now on; returns once the engine's events are being read."""
        with self._lock:
            self._reports[container_id] = report
            if self._thread is None or not self._thread.is_alive():
                self._listening.clear()
                self._thread = Thread(target=self._read, name="health-watch", daemon=True)
                self._thread.start()
        self._listening.wait()

    def forget(self, container_id: str) -> None:
        """Reports this container no more."""
        with self._lock:
            self._reports.pop(container_id, None)

    def _read(self) -> None:
        filters = {"type": ["container"], "event": ["health_status"], "label": [self._label]}
        try:
            with self._engine.stream("GET", "/events", {"filters": json.dumps(filters)}) as response:
                self._listening.set()
                for line in response:
                    self._deliver(json.loads(line))
        except (SockerlessError, OSError, ValueError):
            return  # the engine is gone; the next watch reads again
        finally:
            self._listening.set()

    def _deliver(self, event: dict[str, object]) -> None:
        status = str(event.get("status") or event.get("Action") or "").partition(":")[2].strip().upper()
        with self._lock:
            report = self._reports.get(str(event.get("id") or ""))
        if report and status in {"HEALTHY", "UNHEALTHY"}:
            report(status)
