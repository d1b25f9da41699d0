"""The journal: order, stamps, bound, cursors that slow the writer and cursors that do not."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.agent.journal import Cursor, Dropped, Journal
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import pieces


@contextmanager
def limited(limit: int | None, journal: Journal, position: int | None = None) -> Iterator[Cursor]:
    with journal.cursor(position, lag_limit=limit) as cursor:
        yield cursor


def everything(cursor: Cursor) -> list[Chunk]:
    found = []
    while chunks := cursor.read():
        found += chunks
    return found


@given(data=st.lists(st.tuples(st.sampled_from([1, 2]), st.binary(min_size=1, max_size=50)), max_size=20))
def test_chunks_come_back_as_they_went_in(
    data: list[tuple[int, bytes]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    journal = Journal(tmp_path_factory.mktemp("journal"), segment_bytes=100, segments=1000)
    for stream, content in data:
        journal.append(stream, content)
    with journal.cursor(0) as cursor:
        assert [(chunk.stream, chunk.data) for chunk in everything(cursor)] == data


def test_stamps_of_pieces_strictly_increase(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    for _ in range(200):
        journal.append(1, b"\n" * 1000 + b"x" * 20_000)
    with journal.cursor(0) as cursor:
        stamps = [piece.time_ns for chunk in everything(cursor) for piece in pieces(*chunk)]
    assert all(later > earlier for earlier, later in itertools.pairwise(stamps))
    assert (journal.first_ns, journal.last_ns) == (0, stamps[-1])


def test_nothing_kept_has_no_stamps(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(1, b"")
    assert (journal.first_ns, journal.last_ns, journal.start, journal.end) == (0, 0, 0, 0)


def test_no_file_is_left_where_others_could_find_it(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(1, b"secret")
    assert os.listdir(tmp_path) == []


def test_over_its_bound_the_oldest_goes_and_a_cursor_without_a_limit_is_told(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1000, segments=3)
    with journal.cursor() as slow:
        journal.append(1, b"first")
        assert [chunk.data for chunk in slow.read()] == [b"first"]
        for number in range(100):
            journal.append(1, b"%03d" % number * 30)
        with pytest.raises(Dropped):
            slow.read()
    assert 0 < journal.end - journal.start <= 3 * 1200
    with journal.cursor(slow.position) as late:
        chunks = everything(late)
    assert (chunks[0].time_ns, late.position) == (journal.first_ns, journal.end)
    numbers = [int(chunk.data[:3]) for chunk in chunks]
    assert numbers == list(range(numbers[0], 100))


def test_what_a_limited_cursor_has_to_read_is_kept_beyond_the_bound_until_it_has(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=1000, segments=3)
    with limited(100, journal) as slow:
        for number in range(100):
            journal.append(1, b"%03d" % number * 30)
        assert journal.crowded()
        assert [int(chunk.data[:3]) for chunk in everything(slow)] == list(range(100))
        for _ in range(20):
            journal.append(1, b"x" * 100)
        assert journal.end - journal.start <= 3 * 1200


def test_the_oldest_stamp_is_named_once_something_was_dropped_even_if_that_is_all(tmp_path: Path) -> None:
    journal = Journal(tmp_path, segment_bytes=10, segments=1)
    journal.append(1, b"x" * 10)
    assert journal.first_ns == 0
    journal.append(1, b"x" * 10)
    assert journal.first_ns == journal.last_ns
    assert journal._drop_what_is_read()
    assert journal.first_ns == journal.last_ns + 1


def test_a_chunk_larger_than_one_read_is_read_whole(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(1, b"x" * 1_000_000)
    with journal.cursor(0) as cursor:
        assert len(cursor.read()[0].data) == 1_000_000


def test_reading_stops_at_the_asked_position(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    journal.append(1, b"first run")
    end = journal.end
    journal.append(1, b"second run")
    with journal.cursor(0) as cursor:
        assert [chunk.data for chunk in cursor.read(end)] == [b"first run"]
        assert cursor.read(end) == []
        assert [chunk.data for chunk in cursor.read()] == [b"second run"]


def test_only_a_limited_cursor_crowds_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    with limited(None, journal), limited(100, journal) as limit:
        journal.append(1, b"x" * 50)
        assert not journal.crowded()
        journal.append(1, b"x" * 100)
        assert journal.crowded()
        with limited(100, journal, 0) as resumed:
            limit.read()
            assert journal.crowded()
            resumed.read()
            assert not journal.crowded()


def test_a_reader_that_moves_on_or_leaves_tells_the_writer(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    told: list[bool] = []
    journal.when_relieved = lambda: told.append(journal.crowded())
    with limited(10, journal) as cursor:
        journal.append(1, b"x" * 50)
        cursor.read()
        assert told == [False]
        cursor.read()
        assert told == [False]
    assert told == [False, False]


async def test_waiting_readers_all_wake(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    waiting = [asyncio.create_task(journal.changed()) for _ in range(3)]
    await asyncio.sleep(0)
    journal.append(1, b"x")
    await asyncio.wait_for(asyncio.gather(*waiting), 1)
