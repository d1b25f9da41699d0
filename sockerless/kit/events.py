"""What terraform says while it works: its machine-readable lines as typed events.

Owns: the shape of `terraform plan -json` and `apply -json`. Knows no process and no screen. A line that is not JSON
(terraform's own log, a provider's panic) is not an event.
Source: Terraform "Machine-Readable UI", format version 1.2.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

Action = Literal["create", "update", "delete", "replace", "read", "import", "move", "remove", "noop"]
"""What a plan intends for a resource; format 1.2 calls them so."""


@dataclass(frozen=True, slots=True)
class PlannedChange:
    """A resource that the plan will change. module: "vpc" for module.vpc, "" for the root."""

    address: str
    module: str
    action: Action
    reason: str = ""


@dataclass(frozen=True, slots=True)
class PlannedOutputs:
    """The outputs that the plan will change, by name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Started:
    """Work on a resource has begun; at_s: seconds since the Unix epoch, by terraform's clock."""

    address: str
    action: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Waiting:
    """Work on a resource still goes on; terraform says so every ten seconds. elapsed_s: since its start."""

    address: str
    action: str
    elapsed_s: float


@dataclass(frozen=True, slots=True)
class Finished:
    """Work on a resource is done; at_s: seconds since the Unix epoch, by terraform's clock."""

    address: str
    action: str
    at_s: float


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """An error or a warning. address: the resource, "" when there is none; place: FILE:LINE, or ""."""

    severity: str
    summary: str
    detail: str
    address: str
    place: str


@dataclass(frozen=True, slots=True)
class Interrupting:
    """Terraform was asked to stop and finishes what it has begun."""


Event = PlannedChange | PlannedOutputs | Started | Waiting | Finished | Diagnostic | Interrupting


def parse(line: str) -> Event | None:
    """The event a line of output tells; None for a line that tells nothing of use."""
    if not line.startswith("{"):
        return None
    try:
        document = json.loads(line)
    except ValueError:
        return None
    reader = _READERS.get(str(document.get("type"))) if isinstance(document, dict) else None
    return reader(document) if reader else None


def diagnostic(document: dict[str, Any]) -> Diagnostic:
    """A diagnostic from its JSON object, as -json output and `validate -json` both spell it."""
    place = document.get("range") or {}
    line = (place.get("start") or {}).get("line")
    return Diagnostic(
        severity=str(document.get("severity", "error")),
        summary=str(document.get("summary", "")),
        detail=str(document.get("detail", "")),
        address=str(document.get("address", "")),
        place=f"{place['filename']}:{line}" if place.get("filename") else "",
    )


def _planned(document: dict[str, Any]) -> PlannedChange:
    change = document["change"]
    resource = change["resource"]
    module = str(resource.get("module", ""))
    return PlannedChange(
        address=str(resource["addr"]),
        module=module.removeprefix("module.").partition(".")[0],
        action=change["action"],
        reason=str(change.get("reason", "")),
    )


def _outputs(document: dict[str, Any]) -> PlannedOutputs:
    """After an apply they carry no action."""
    outputs: dict[str, dict[str, Any]] = document["outputs"]
    return PlannedOutputs(tuple(name for name, one in outputs.items() if one.get("action", "noop") != "noop"))


def _started(document: dict[str, Any]) -> Started:
    hook = document["hook"]
    return Started(str(hook["resource"]["addr"]), str(hook["action"]), _at_s(document))


def _finished(document: dict[str, Any]) -> Finished:
    hook = document["hook"]
    return Finished(str(hook["resource"]["addr"]), str(hook["action"]), _at_s(document))


def _waiting(document: dict[str, Any]) -> Waiting:
    hook = document["hook"]
    return Waiting(str(hook["resource"]["addr"]), str(hook["action"]), float(hook["elapsed_seconds"]))


def _at_s(document: dict[str, Any]) -> float:
    return datetime.fromisoformat(document["@timestamp"]).timestamp()


def _logged(document: dict[str, Any]) -> Event | None:
    return Interrupting() if "Interrupt received" in str(document.get("@message")) else None


def _diagnosed(document: dict[str, Any]) -> Diagnostic:
    return diagnostic(document["diagnostic"])


_READERS: dict[str, Callable[[dict[str, Any]], Event | None]] = {
    "planned_change": _planned,
    "outputs": _outputs,
    "apply_start": _started,
    "apply_progress": _waiting,
    "apply_complete": _finished,
    "diagnostic": _diagnosed,
    "log": _logged,
}
