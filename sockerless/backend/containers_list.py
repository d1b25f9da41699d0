"""docker ps: which containers are listed. The matching is pure, over Container values.

Values of one filter are alternatives, except labels, which must all be there; different filters must all hold.
Source: Engine API 1.44, `filters` of GET /containers/json, and moby's reading of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sockerless.backend import images_find
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.errors import InvalidParameter, NotFound
from sockerless.types import Container, JsonObject
from sockerless.wire.filters import Filters, boolean, check_names, matches_labels, matches_pattern

STATUSES = frozenset({"created", "restarting", "running", "removing", "paused", "exited", "dead"})
HEALTH = frozenset({"none", "starting", "healthy", "unhealthy"})
_UP = frozenset({"running", "paused", "restarting"})
_MAX_PORT = 65535


def list_containers(backend: Backend, filters: Filters, all: bool, limit: int) -> list[Container]:
    """Newest first. Without all, a limit above 0 or a status filter, only those that run.

    limit below 1: no limit. InvalidParameter for an unknown filter or value; NotFound when before or since name none.
    """
    matches = _matcher(backend, filters)
    everything = all or limit > 0 or "status" in filters
    chosen = [
        container
        for container in backend.store.containers()
        if (everything or container.state.status in _UP) and matches(container)
    ]
    return chosen[:limit] if limit > 0 else chosen


@dataclass(frozen=True, slots=True)
class Bounds:
    """What filters refer to and a single container does not tell: resolved beforehand.

    before_ns, since_ns: creation times, exclusive; None = unbounded. image_ids: what ancestor names, None = any.
    """

    before_ns: int | None = None
    since_ns: int | None = None
    image_ids: frozenset[str] | None = None


def _matcher(backend: Backend, filters: Filters) -> Callable[[Container], bool]:
    check_names(filters, TESTS.keys() | _BOUND_FILTERS)
    _check_values(filters)
    bounds = Bounds(
        before_ns=min((find(backend, name).created_at_ns for name in filters.get("before", ())), default=None),
        since_ns=max((find(backend, name).created_at_ns for name in filters.get("since", ())), default=None),
        image_ids=_image_ids(backend, filters["ancestor"]) if "ancestor" in filters else None,
    )
    return lambda container: matches(container, filters, bounds)


def _image_ids(backend: Backend, references: Sequence[str]) -> frozenset[str]:
    found: set[str] = set()
    for reference in references:
        try:
            found.add(images_find.find(backend.images, reference).id)
        except NotFound:
            continue
    return frozenset(found)


def matches(container: Container, filters: Filters, bounds: Bounds) -> bool:
    """Whether the container passes every filter."""
    return (
        (bounds.before_ns is None or container.created_at_ns < bounds.before_ns)
        and (bounds.since_ns is None or container.created_at_ns > bounds.since_ns)
        and (bounds.image_ids is None or container.image_id in bounds.image_ids)
        and all(test(container, filters[name]) for name, test in TESTS.items() if filters.get(name))
    )


def _check_values(filters: Filters) -> None:
    for name, known in (("status", STATUSES), ("health", HEALTH)):
        for value in filters.get(name, ()):
            if value not in known:
                raise InvalidParameter(f"invalid filter '{name}={value}'")
    for value in filters.get("exited", ()):
        if not value.removeprefix("-").isdecimal():
            raise InvalidParameter(f"invalid filter 'exited={value}'")
    for name in ("expose", "publish"):
        for value in filters.get(name, ()):
            list(_ports(name, value))
    boolean(filters, "is-task")


def _named(container: Container, values: Sequence[str]) -> bool:
    return matches_pattern(values, container.name) or matches_pattern(values, f"/{container.name}")


def _exited(container: Container, values: Sequence[str]) -> bool:
    ended = container.state.status == "exited" and container.state.started_at_ns != 0
    return ended and str(container.state.exit_code) in values


def _exposes(container: Container, values: Sequence[str]) -> bool:
    exposed: JsonObject = container.config.get("ExposedPorts") or {}
    normal = {port if "/" in port else f"{port}/tcp" for port in exposed}
    return any(port in normal for value in values for port in _ports("expose", value))


def _ports(name: str, value: str) -> Iterator[str]:
    """The ports of "80", "80/udp" or "8000-8010/tcp", each as "80/tcp"."""
    span, _, protocol = value.partition("/")
    first, _, last = span.partition("-")
    last = last or first
    if not (first.isdecimal() and last.isdecimal() and int(first) <= int(last) <= _MAX_PORT):
        raise InvalidParameter(f"invalid filter '{name}={value}'")
    return (f"{port}/{protocol or 'tcp'}" for port in range(int(first), int(last) + 1))


def _on_network(container: Container, values: Sequence[str]) -> bool:
    return "bridge" in values


def _none_has(container: Container, values: Sequence[str]) -> bool:
    return False


TESTS: dict[str, Callable[[Container, Sequence[str]], bool]] = {
    "id": lambda container, values: matches_pattern(values, container.id),
    "name": _named,
    "label": lambda container, values: matches_labels(values, container.config.get("Labels") or {}),
    "status": lambda container, values: container.state.status in values,
    "exited": _exited,
    "expose": _exposes,
    "network": _on_network,
    "health": lambda container, values: (container.health.status if container.health else "none") in values,
    "is-task": lambda container, values: values[0].lower() in {"0", "false"},
    "isolation": lambda container, values: matches_pattern(values, ""),
    "publish": _none_has,
    "volume": _none_has,
}
"""What each filter asks of one container. No container has published ports or volumes yet."""
_BOUND_FILTERS = frozenset({"before", "since", "ancestor"})
