"""Pages of log events, as GetLogEvents and FilterLogEvents cut them. Pure, over moto's event records.

A page ends at 10,000 events (or the limit asked) or 1 MiB. Events are ordered by timestamp, then by arrival; that pair
is an event's key, and a token is a direction and a key, so that a page costs what it holds however long the stream.
Source: CloudWatch Logs API reference, GetLogEvents, FilterLogEvents.
"""

from __future__ import annotations

import bisect
import heapq
import itertools
import operator
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogEvent

MAX_EVENTS = 10_000
MAX_PAGE_BYTES = 1_048_576
EVENT_OVERHEAD_BYTES = 26

Key = tuple[int, int]
_BEFORE_ALL: Key = (0, -1)


def key_of(event: LogEvent) -> Key:
    """The event's place in its stream."""
    return int(event.timestamp), int(event.event_id)


def keep_sorted(events: list[LogEvent], first_new: int) -> None:
    """Restores order after events were appended at first_new; their ids grow, so only their timestamps can break it."""
    times = [event.timestamp for event in events[max(first_new - 1, 0) :]]
    if any(map(operator.gt, times, itertools.islice(times, 1, None))):
        events.sort(key=key_of)


@dataclass(frozen=True, slots=True)
class Token:
    """Where a reader stands: "f" continues after key, "b" before it."""

    direction: str
    key: Key

    def __str__(self) -> str:
        return f"{self.direction}/{self.key[0]:028d}{self.key[1] + 1:028d}"


def parse_token(text: str) -> Token:
    """The token this module wrote; InvalidParameterException for anything else."""
    direction, _, digits = text.partition("/")
    if direction not in {"f", "b"} or len(digits) != 56 or not digits.isdigit():
        raise InvalidParameterException("The specified nextToken is invalid.")
    return Token(direction, (int(digits[:28]), int(digits[28:]) - 1))


@dataclass(frozen=True, slots=True)
class Page:
    """Events in order, and where to go on."""

    events: list[LogEvent]
    backward: Token
    forward: Token


def _until_full(events: Iterable[LogEvent], limit: int) -> list[LogEvent]:
    page: list[LogEvent] = []
    page_bytes = 0
    for event in events:
        page_bytes += len(event.message.encode()) + EVENT_OVERHEAD_BYTES
        if len(page) == limit or (page and page_bytes > MAX_PAGE_BYTES):
            break
        page.append(event)
    return page


def _between(
    events: Sequence[LogEvent], start_ms: int | None, end_ms: int | None, after: Key | None, before: Key | None
) -> range:
    """Indices with start_ms <= timestamp < end_ms and after < key < before."""
    low = max(
        bisect.bisect_left(events, (start_ms or 0, -1), key=key_of),
        bisect.bisect_right(events, after, key=key_of) if after else 0,
    )
    high = min(
        bisect.bisect_left(events, (end_ms, -1), key=key_of) if end_ms is not None else len(events),
        bisect.bisect_left(events, before, key=key_of) if before else len(events),
    )
    return range(low, max(low, high))


def stream_page(
    events: Sequence[LogEvent],
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
    token: Token | None,
    from_head: bool,
) -> Page:
    """One page of a stream. At either end the token that asked comes back unchanged."""
    forwards = token.direction == "f" if token else from_head
    after = token.key if token and forwards else None
    before = token.key if token and not forwards else None
    indices = _between(events, start_ms, end_ms, after, before)
    found = _until_full((events[at] for at in (indices if forwards else reversed(indices))), limit)
    if not forwards:
        found.reverse()
    if found:
        return Page(found, Token("b", key_of(found[0])), Token("f", key_of(found[-1])))
    key = token.key if token else _BEFORE_ALL
    return Page([], Token("b", key), Token("f", key))


def merged_page(
    streams: Sequence[Sequence[LogEvent]],
    start_ms: int | None,
    end_ms: int | None,
    limit: int,
    after: Key | None,
    matches: Callable[[str], bool],
) -> tuple[list[tuple[int, LogEvent]], Key | None]:
    """One page of several streams, interleaved: (stream's index, event) pairs, and the key to go on after, or None."""

    def entries(number: int) -> Iterator[tuple[Key, int, LogEvent]]:
        events = streams[number]
        for at in _between(events, start_ms, end_ms, after, None):
            if matches(events[at].message):
                yield key_of(events[at]), number, events[at]

    merged = heapq.merge(*(entries(number) for number in range(len(streams))), key=lambda entry: entry[0])
    page: list[tuple[int, LogEvent]] = []
    page_bytes = 0
    for _, number, event in merged:
        page_bytes += len(event.message.encode()) + EVENT_OVERHEAD_BYTES
        if len(page) == limit or (page and page_bytes > MAX_PAGE_BYTES):
            return page, key_of(page[-1][1])
        page.append((number, event))
    return page, None
