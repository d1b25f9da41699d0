"""How pages of log events are cut, without a server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.logs.exceptions import InvalidParameterException
from moto.logs.models import LogEvent

from sockerless.simulator import logs_pages
from sockerless.simulator.logs_pages import Page, Token


def events(*timestamps: int, message: str = "x") -> list[LogEvent]:
    """Events at these times, in the order of a stream."""
    made = [LogEvent(0, {"timestamp": timestamp, "message": message}) for timestamp in timestamps]
    logs_pages.keep_sorted(made, 0)
    return made


def forwards(stream: list[LogEvent], limit: int) -> list[LogEvent]:
    """A whole stream read from its head, page by page, until the token repeats."""
    found: list[LogEvent] = []
    token: Token | None = None
    while True:
        page = logs_pages.stream_page(stream, None, None, limit, token, True)
        found += page.events
        if page.forward == token:
            return found
        token = logs_pages.parse_token(str(page.forward))


def backwards(stream: list[LogEvent], limit: int) -> list[LogEvent]:
    """A whole stream read from its end, page by page, until the token repeats."""
    found: list[LogEvent] = []
    token: Token | None = None
    while True:
        page = logs_pages.stream_page(stream, None, None, limit, token, False)
        found = page.events + found
        if page.backward == token:
            return found
        token = page.backward


@given(st.lists(st.integers(1, 20), max_size=30), st.integers(1, 7))
def test_every_event_is_read_once_in_order_from_either_end(timestamps: list[int], limit: int) -> None:
    stream = events(*timestamps)
    assert [event.timestamp for event in stream] == sorted(timestamps)
    assert forwards(stream, limit) == stream
    assert backwards(stream, limit) == stream


def test_events_that_come_later_are_found_with_the_last_token() -> None:
    stream = events(1, 2)
    end = logs_pages.stream_page(stream, None, None, 10, None, True).forward
    assert logs_pages.stream_page(stream, None, None, 10, end, True) == Page([], Token("b", end.key), end)
    stream += events(2, 3)
    assert [event.timestamp for event in logs_pages.stream_page(stream, None, None, 10, end, True).events] == [2, 3]


def test_an_empty_stream_has_tokens_that_lead_to_its_first_events() -> None:
    token = logs_pages.stream_page([], None, None, 10, None, True).forward
    assert logs_pages.stream_page(events(5), None, None, 10, token, True).events[0].timestamp == 5


def test_the_start_is_included_and_the_end_is_not() -> None:
    page = logs_pages.stream_page(events(1, 2, 3, 4), 2, 4, 10, None, True)
    assert [event.timestamp for event in page.events] == [2, 3]


def test_a_page_holds_a_mebibyte_overhead_counted_and_at_least_one_event() -> None:
    stream = events(*range(100), message="m" * (100_000 - 26))
    assert len(logs_pages.stream_page(stream, None, None, 10_000, None, True).events) == 10
    huge = events(1, 2, message="m" * 2_000_000)
    assert len(logs_pages.stream_page(huge, None, None, 10_000, None, True).events) == 1


@pytest.mark.parametrize("text", ["", "f", "x/" + "0" * 56, "f/12", "f/" + "z" * 56])
def test_a_token_of_nobodys_making_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameterException):
        logs_pages.parse_token(text)


def test_streams_are_merged_by_time_and_read_on_after_the_last_key() -> None:
    first, second = events(1, 4, 5), events(2, 3, 6)
    page, after = logs_pages.merged_page([first, second], None, None, 4, None, lambda message: True)
    assert [(number, event.timestamp) for number, event in page] == [(0, 1), (1, 2), (1, 3), (0, 4)]
    rest, end = logs_pages.merged_page([first, second], None, None, 4, after, lambda message: True)
    assert [event.timestamp for _, event in rest] == [5, 6]
    assert end is None
