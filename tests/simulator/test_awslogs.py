"""How output becomes log events, without an engine."""

from __future__ import annotations

import itertools
import struct

from hypothesis import given
from hypothesis import strategies as st

from sockerless.simulator import awslogs
from sockerless.simulator.awslogs import MAX_EVENT_BYTES, Demultiplexer, Lines


def frame(stream: int, payload: bytes) -> bytes:
    """One frame of the engine's multiplexed stream."""
    return struct.pack(">BxxxI", stream, len(payload)) + payload


def test_each_line_is_a_message_and_the_last_needs_no_newline() -> None:
    lines = Lines()
    assert lines.feed(b"one\ntw") == [b"one"]
    assert lines.feed(b"o\r\nthree") == [b"two\r"]
    assert lines.end() == [b"three"]
    assert lines.end() == []


def test_empty_lines_are_dropped_as_awslogs_drops_them() -> None:
    assert Lines().feed(b"\n\na\n\n") == [b"a"]


def test_a_long_line_is_cut_where_awslogs_cuts_it() -> None:
    lines = Lines()
    messages = lines.feed(b"x" * (MAX_EVENT_BYTES * 2 + 5) + b"\n")
    assert [len(message) for message in messages] == [MAX_EVENT_BYTES, MAX_EVENT_BYTES, 5]
    assert [len(message) for message in lines.feed(b"y" * (MAX_EVENT_BYTES + 1))] == [MAX_EVENT_BYTES]
    assert lines.end() == [b"y"]


@given(
    st.lists(st.tuples(st.sampled_from([1, 2]), st.text("ab\n", max_size=6).map(str.encode)), max_size=12),
    st.lists(st.integers(0, 200), max_size=6),
)
def test_any_split_of_the_stream_gives_the_same_messages(frames: list[tuple[int, bytes]], cuts: list[int]) -> None:
    data = b"".join(frame(stream, payload) for stream, payload in frames)
    whole = Demultiplexer(tty=False)
    expected = whole.feed(data) + whole.end()
    split = Demultiplexer(tty=False)
    edges = [0, *sorted(cut for cut in cuts if cut < len(data)), len(data)]
    found = [message for low, high in itertools.pairwise(edges) for message in split.feed(data[low:high])]
    assert found + split.end() == expected
    for stream in (1, 2):
        text = b"".join(payload for number, payload in frames if number == stream)
        assert [line for line in text.split(b"\n") if line] == [message for message in _only(frames, stream) if message]


def _only(frames: list[tuple[int, bytes]], stream: int) -> list[bytes]:
    alone = Demultiplexer(tty=False)
    data = b"".join(frame(number, payload) for number, payload in frames if number == stream)
    return alone.feed(data) + alone.end()


def test_a_terminals_stream_has_no_frames() -> None:
    demultiplexer = Demultiplexer(tty=True)
    assert demultiplexer.feed(b"\x01\x00\x00\x00raw\r\n") == [b"\x01\x00\x00\x00raw\r"]


def test_batches_keep_put_log_events_limits() -> None:
    events = [{"message": "m"} for _ in range(25_000)]
    assert [len(batch) for batch in awslogs.batches(events, [1] * 25_000)] == [10_000, 10_000, 5_000]
    large = [{"message": "m"} for _ in range(10)]
    assert [len(batch) for batch in awslogs.batches(large, [300_000] * 10)] == [3, 3, 3, 1]
    assert list(awslogs.batches([], [])) == []
