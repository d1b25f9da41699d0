"""docker events: what the verbs tell, and the stream of it.

emit() is the one line in each verb, after what it tells has happened and the store knows. Source: Engine API 1.44,
GET /events; moby's daemon/events (which attributes, how filters match); orders recorded on dockerd 20.10.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

from sockerless.backend.context import Backend
from sockerless.backend.event_journal import EventJournal
from sockerless.backend.images_context import ImageContext
from sockerless.types import Container, Event
from sockerless.wire.filters import Filters, check_names, matches_labels

SCOPE = "local"


def emit(backend: Backend, container: Container, action: str, **attributes: str) -> None:
    """Tells what happened to a container, with its labels, image and name. attributes: such as signal="15"."""
    own = {"image": container.image, "name": container.name}
    labels = container.config.get("Labels") or {}
    backend.events.add("container", action, container.id, {**labels, **own, **attributes})


def emit_image(context: ImageContext, action: str, actor_id: str, name: str) -> None:
    """Tells what happened to an image; Docker names a pulled one by its reference, any other by its id."""
    context.events.add("image", action, actor_id, {"name": name})


def stream(backend: Backend, filters: Filters, since_ns: int | None, until_ns: int | None) -> AsyncIterator[Event]:
    """Events that pass every filter: with since or until (epoch) the kept ones first, then, up to until, new ones.

    It begins at the call, not at the first step. InvalidParameter for an unknown filter.
    """
    check_names(filters, TESTS)
    after = backend.events.last() if since_ns is None and until_ns is None else 0
    return _stream(backend.events, filters, since_ns or 0, until_ns, after)


async def _stream(
    journal: EventJournal, filters: Filters, since_ns: int, until_ns: int | None, after: int
) -> AsyncIterator[Event]:
    while True:
        batch = journal.read(after)
        for event in batch:
            after = event.sequence
            in_time = since_ns <= event.time_ns and (until_ns is None or event.time_ns <= until_ns)
            if in_time and matches(event, filters):
                yield event
        if not batch and not await _more(journal, until_ns):
            return


async def _more(journal: EventJournal, until_ns: int | None) -> bool:
    """Waits for a new event; False when until_ns comes first, or is past."""
    left_s = None if until_ns is None else (until_ns - time.time_ns()) / 1e9
    if left_s is not None and left_s <= 0:
        return False
    try:
        await asyncio.wait_for(journal.changed(), left_s)
    except TimeoutError:
        return False
    return True


def matches(event: Event, filters: Filters) -> bool:
    """Whether the event passes every filter; values of one filter are alternatives, except labels."""
    return all(TESTS[name](event, values) for name, values in filters.items() if values)


_PREFIXED = frozenset({"health_status", "exec_create", "exec_start"})
"""Actions that carry more behind a colon: their bare name stands for all of them."""


def _has_action(event: Event, values: Sequence[str]) -> bool:
    if _PREFIXED & set(values):
        return event.action.startswith(tuple(values))
    return event.action in values


def _is_or_is_named(event: Event, values: Sequence[str]) -> bool:
    """Whether the actor's id or name begins with a value."""
    starts = tuple(values)
    return event.actor_id.startswith(starts) or event.attributes.get("name", "").startswith(starts)


def _has_image(event: Event, values: Sequence[str]) -> bool:
    name = event.attributes.get("name" if event.type == "image" else "image", "")
    known = {event.actor_id, name}
    return not known.isdisjoint(values) or not {_without_tag(text) for text in known}.isdisjoint(values)


def _without_tag(reference: str) -> str:
    """The reference without its tag or digest, whose colon or at sign comes behind the last slash."""
    if reference.startswith("sha256:"):
        return reference
    path, slash, last = reference.rpartition("/")
    return path + slash + last.partition("@")[0].partition(":")[0]


TESTS: dict[str, Callable[[Event, Sequence[str]], bool]] = {
    "event": _has_action,
    "type": lambda event, values: event.type in values,
    "scope": lambda _, values: SCOPE in values,
    "label": lambda event, values: matches_labels(values, event.attributes),
    "image": _has_image,
    **dict.fromkeys(
        ("container", "network", "volume", "daemon", "plugin", "service", "node", "secret", "config"), _is_or_is_named
    ),
}
"""What each filter asks of one event."""
