"""Faults injected on request: what AWS does to everybody sooner or later, on demand.

Owns the list of pending faults; each is consumed by the calls or tasks it strikes. Knows neither ECS nor engine.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import Any, Literal, get_args

from sockerless.errors import InvalidParameter

Kind = Literal["capacity", "pull", "throttle", "error", "event"]
KINDS = get_args(Kind)


@dataclass(slots=True)
class Fault:
    """One fault that strikes `times` times.

    capacity: RunTask answers with failures[] (reason). pull: an image pull fails; target narrows it to references
    containing it. throttle: the action target ("ecs.RunTask") is answered ThrottlingException. error: the same with
    the given code and reason. event: ECS's event of a task is lost; target narrows it to a last status.
    """

    kind: Kind
    times: int = 1
    target: str = ""
    reason: str = ""
    code: str = ""


class Faults:
    """The pending faults. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._pending: list[Fault] = []

    def inject(self, document: dict[str, Any]) -> Fault:
        """Adds the fault a JSON document describes; InvalidParameter says what is wrong with it."""
        unknown = set(document) - {"kind", "times", "target", "reason", "code"}
        if unknown:
            raise InvalidParameter(f"unknown member {sorted(unknown)[0]!r} in a fault")
        if document.get("kind") not in KINDS:
            raise InvalidParameter(f"a fault's kind is one of {', '.join(KINDS)}")
        fault = Fault(**document)
        if not isinstance(fault.times, int) or fault.times < 1:
            raise InvalidParameter("a fault's times is a whole number, 1 or more")
        if fault.kind in {"throttle", "error"} and "." not in fault.target:
            raise InvalidParameter("a throttle or error fault's target is an action like ecs.RunTask")
        if fault.kind == "error" and not fault.code:
            raise InvalidParameter("an error fault needs a code")
        with self._lock:
            self._pending.append(fault)
        return fault

    def take(self, kind: Kind, subject: str = "") -> Fault | None:
        """The fault of this kind that strikes subject now, counted; None when there is none.

        For pull the target need only occur in subject; for actions it must equal it.
        """
        with self._lock:
            for fault in self._pending:
                struck = fault.target in subject if kind == "pull" else fault.target in {"", subject}
                if fault.kind == kind and struck:
                    fault.times -= 1
                    if fault.times == 0:
                        self._pending.remove(fault)
                    return fault
        return None

    def clear(self) -> None:
        """Forgets every pending fault."""
        with self._lock:
            self._pending.clear()
