"""What was changed outside terraform: what terraform remembers beside what AWS has.

Owns: which of the differences count, and their words. Changes nothing, renders nothing and starts nothing. Source:
Terraform's JSON output format 1.2 (resource_drift of a plan that only refreshes).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sockerless.errors import NotFound, Unavailable
from sockerless.kit import backend, drift_siblings, estimate, processes, provider, terraform
from sockerless.kit.drift_siblings import Beside
from sockerless.kit.project import Project

EXIT_CODE = 3
"""What the command ends with when something differs."""
_HIDDEN = "(not shown: terraform holds it for sensitive)"
_SHOWN_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute that differs: its path with dots, what terraform remembers, what is there; None: nothing."""

    name: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Drifted:
    """A resource that differs, or is gone."""

    address: str
    action: Literal["changed", "deleted"]
    attributes: tuple[Attribute, ...]


def find(project: Project, plugin_dir: Path | None = None) -> tuple[Drifted, ...]:
    """Every difference; NotFound when nothing is provisioned, Unavailable when the simulated AWS is not up."""
    if project.simulator and processes.simulator_health(project.endpoint_url) is None:
        raise Unavailable(
            f"no simulated AWS answers at {project.endpoint_url}; `{project.command('up')}` starts a new one"
        )
    terraform.version()
    terraform.start_log(project)
    source = provider.find(project.directory, plugin_dir)
    terraform.init(project, source.plugin_dir, backend.check(project))
    planned = terraform.plan_refresh(project)
    try:
        document = terraform.show(project, planned)
    finally:
        planned.unlink()
    if not (document.get("prior_state") or {}).get("values"):
        raise NotFound(f"nothing is provisioned here yet; run `{project.command('apply')}`")
    return of_plan(document)


def of_plan(document: Mapping[str, Any]) -> tuple[Drifted, ...]:
    """The differences in a plan, as `terraform show -json` tells it."""
    values = (document.get("prior_state") or {}).get("values") or {}
    beside = [Beside(one.kind, one.values) for one in estimate.from_values(values)]
    found = (_drifted(one, beside) for one in document.get("resource_drift", []) if one["mode"] == "managed")
    return tuple(one for one in found if one is not None)


def lines(found: tuple[Drifted, ...]) -> list[str]:
    """The differences for people."""
    if not found:
        return ["no drift: what is there is what terraform made"]
    told = []
    for one in found:
        told.append(f"{one.action} {one.address}")
        told += [f"  {name.name}: {_short(name.before)} -> {_short(name.after)}" for name in one.attributes]
    return told


def _drifted(resource: Mapping[str, Any], beside: Sequence[Beside]) -> Drifted | None:
    change = resource["change"]
    if change["actions"] == ["delete"]:
        return Drifted(resource["address"], "deleted", ())
    attributes = tuple(_attributes(resource["type"], change, beside))
    return Drifted(resource["address"], "changed", attributes) if attributes else None


def _attributes(kind: str, change: Mapping[str, Any], beside: Sequence[Beside]) -> Iterator[Attribute]:
    before, after = _flat(change["before"]), _flat(change["after"])
    hidden = {*_sensitive(change.get("before_sensitive")), *_sensitive(change.get("after_sensitive"))}
    for name in dict.fromkeys([*before, *after]):
        top = name.partition(".")[0]
        if _meant(before.get(name)) == _meant(after.get(name)) or _tells_nothing(kind, top):
            continue
        strangers = drift_siblings.strangers(kind, top, change["after"], beside)
        if strangers is not None:
            known = drift_siblings.strangers(kind, top, change["before"], beside) or []
            yield from (Attribute(name, None, one) for one in strangers if one not in known)
        elif top in hidden:
            yield Attribute(name, _HIDDEN, _HIDDEN)
        else:
            yield Attribute(name, before.get(name), after.get(name))


def _tells_nothing(kind: str, name: str) -> bool:
    """tags_all repeats tags; what AWS measures nobody changed."""
    return name == "tags_all" or drift_siblings.measured(kind, name)


def _flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Values by their path with dots; lists are one value."""
    found: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{prefix}{name}.")
        else:
            found[f"{prefix}{name}"] = value
    return found


def _sensitive(marks: Any) -> Iterator[str]:
    """The attributes that terraform marks sensitive, wholly or in part."""
    for name, mark in (marks if isinstance(marks, Mapping) else {}).items():
        if _marked(mark):
            yield name


def _marked(mark: Any) -> bool:
    inner = mark.values() if isinstance(mark, Mapping) else mark if isinstance(mark, list) else ()
    return mark is True or any(map(_marked, inner))


def _meant(value: Any) -> Any:
    """The value without what says nothing: terraform tells an empty list from none, AWS does not; nor a block's 0."""
    if isinstance(value, Mapping):
        inner = {name: _meant(one) for name, one in value.items()}
        return {name: one for name, one in inner.items() if one is not None and (one or one is False)} or None
    if isinstance(value, list):
        return [_meant(one) for one in value] or None
    return None if value == "" else value


def _short(value: Any) -> str:
    text = "nothing" if value in (None, "", [], {}) else value if isinstance(value, str) else json.dumps(value)
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN_CHARACTERS else f"{line[:_SHOWN_CHARACTERS]}…"
