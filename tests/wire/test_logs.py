"""Log pieces: cut, archived, read back and shown, at every split."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire import stdcopy
from sockerless.wire.agent import LogQuery
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import (
    MAX_PIECE_BYTES,
    Piece,
    Renderer,
    Tail,
    archive_line,
    archive_lines,
    chunk_of,
    count_pieces,
    notice_line,
    parse_archive_line,
    pieces,
    timestamp,
)

NOW = 1_795_441_161_416_310_570
STAMP = "2026-11-23T13:39:21.416310570Z"

streams = st.sampled_from([stdcopy.STDOUT, stdcopy.STDERR])
tricky = st.sampled_from([b"\n", b"\r", b"\r\n", b"\x00", b" ", b"\x1b[0m", "é€𝄞\u2028".encode(), b"\xff", b"x" * 9000])
texts = st.lists(st.one_of(tricky, st.binary(max_size=8), st.text(max_size=8).map(str.encode)), max_size=12).map(
    b"".join
)
times = st.integers(min_value=0, max_value=4 * 10**18)


@given(
    chunks=st.lists(st.tuples(streams, texts.filter(bool)), max_size=6),
    query=st.builds(
        LogQuery,
        stdout=st.booleans(),
        stderr=st.booleans(),
        since_ns=st.sampled_from([0, NOW + 1, NOW + 5]),
        until_ns=st.sampled_from([0, NOW + 3]),
        timestamps=st.booleans(),
    ),
    tty=st.booleans(),
)
def test_chunks_are_shown_as_their_pieces_are(chunks: list[tuple[int, bytes]], query: LogQuery, tty: bool) -> None:
    stamp = NOW
    made = []
    for stream, data in chunks:
        made.append(Chunk(stream, stamp, data))
        stamp += count_pieces(data)
    one_by_one = Renderer(query, tty)
    expected = b"".join(one_by_one.feed(piece) for chunk in made for piece in pieces(*chunk))
    assert Renderer(query, tty).render(made) == expected


@given(piece=st.builds(Piece, streams, times, texts.map(lambda text: text[:100].replace(b"\n", b"")), st.booleans()))
def test_the_chunk_of_a_piece_is_that_piece(piece: Piece) -> None:
    assert list(pieces(*chunk_of(piece))) == ([piece] if piece.data or piece.ends_line else [])


def test_a_chunk_is_cut_into_lines_and_stamps_count_up() -> None:
    assert list(pieces(1, NOW, b"a\n\nb")) == [
        Piece(1, NOW, b"a", True),
        Piece(1, NOW + 1, b"", True),
        Piece(1, NOW + 2, b"b", False),
    ]


def test_a_long_line_is_cut_between_characters() -> None:
    line = "€".encode() * MAX_PIECE_BYTES
    parts = list(pieces(1, NOW, line + b"\n"))
    assert b"".join(part.data for part in parts) == line
    assert all(0 < len(part.data) <= MAX_PIECE_BYTES and part.data.decode() for part in parts)
    assert [part.ends_line for part in parts] == [False] * (len(parts) - 1) + [True]


@given(chunk=texts)
def test_pieces_lose_nothing_and_are_counted(chunk: bytes) -> None:
    found = list(pieces(1, NOW, chunk))
    assert b"".join(piece.data + b"\n" * piece.ends_line for piece in found) == chunk
    assert [piece.time_ns for piece in found] == list(range(NOW, NOW + len(found)))
    assert len(found) == count_pieces(chunk)


@pytest.mark.parametrize(
    ("piece", "line"),
    [
        (Piece(1, NOW, b"hello world", True), f"{STAMP} stdout F hello world\n"),
        (Piece(2, NOW, b" ", False), f"{STAMP} stderr P  \n"),
        (Piece(1, NOW, b"", True), f"{STAMP} stdout F \n"),
        (Piece(1, NOW, "é\t\x1b[1m".encode(), True), f"{STAMP} stdout F é\t\x1b[1m\n"),
        (Piece(1, NOW, b"terminal\r", True), f"{STAMP} stdout F:cr terminal\n"),
        (Piece(1, NOW, b"a\rb", True), f"{STAMP} stdout F:b64 YQ1i\n"),
        (Piece(1, NOW, b"\x00", False), f"{STAMP} stdout P:b64 AA==\n"),
        (Piece(1, NOW, b"\xff", True), f"{STAMP} stdout F:b64 /w==\n"),
    ],
)
def test_an_archive_line_is_readable_where_it_can_be(piece: Piece, line: str) -> None:
    assert archive_line(piece).decode() == line
    assert parse_archive_line(line) == piece
    assert parse_archive_line(line.removesuffix("\n")) == piece


def test_an_empty_line_whose_last_space_was_trimmed_is_still_one() -> None:
    assert parse_archive_line(f"{STAMP} stdout F") == Piece(1, NOW, b"", True)


@given(stream=streams, time_ns=times, chunk=texts)
def test_the_archive_gives_back_every_piece(stream: int, time_ns: int, chunk: bytes) -> None:
    archived = archive_lines(stream, time_ns, chunk).decode()
    assert all(len(line.encode()) < 16 * 1024 for line in archived.split("\n"))
    assert [parse_archive_line(line) for line in archived.split("\n")[:-1]] == list(pieces(stream, time_ns, chunk))


@given(stream=streams, time_ns=st.integers(0, 3) | times, chunk=texts)
def test_archiving_a_chunk_is_archiving_its_pieces(stream: int, time_ns: int, chunk: bytes) -> None:
    for start in (time_ns, time_ns - time_ns % 10**9 + 10**9 - 1):
        assert archive_lines(stream, start, chunk) == b"".join(map(archive_line, pieces(stream, start, chunk)))


def test_a_notice_is_not_output() -> None:
    line = notice_line(NOW, "first\nsecond " + "x" * 20_000).decode()
    assert line.startswith(f"{STAMP} agent F first second x")
    assert len(line) < 16 * 1024
    assert line.count("\n") == 1
    assert parse_archive_line(line) is None


@pytest.mark.parametrize(
    "line",
    ["", "hello", f"{STAMP} stdin F x", f"{STAMP} stdout X x", f"{STAMP} stdout F:zip x", f"{STAMP} stdout F:b64 *",
     "2026-11-23T13:39:21Z stdout F x", f" {STAMP} stdout F x", "2026-13-23T13:39:21.416310570Z stdout F x"],
)  # fmt: skip
def test_anything_else_is_no_archive_line(line: str) -> None:
    with pytest.raises(ValueError):
        parse_archive_line(line)


@given(time_ns=times)
def test_stamps_are_rfc_3339_with_nine_digits(time_ns: int) -> None:
    moment = datetime.datetime.fromtimestamp(time_ns // 10**9, datetime.UTC)
    assert timestamp(time_ns) == f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns % 10**9:09d}Z"


def shown(query: LogQuery, *given_pieces: Piece) -> bytes:
    renderer = Renderer(query, tty=True)
    return b"".join(map(renderer.feed, given_pieces))


LINES = (
    Piece(1, NOW, b"one", True),
    Piece(2, NOW + 5, b"tw", False),
    Piece(1, NOW + 7, b"three", True),
    Piece(2, NOW + 9, b"o", True),
)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (LogQuery(), b"one\ntwthree\no\n"),
        (LogQuery(stderr=False), b"one\nthree\n"),
        (LogQuery(stdout=False), b"two\n"),
        (LogQuery(since_ns=NOW + 5, stdout=False), b"two\n"),
        (LogQuery(since_ns=NOW + 6), b"three\n"),
        (LogQuery(until_ns=NOW + 5), b"one\ntwo\n"),
        (LogQuery(until_ns=NOW - 1), b""),
        (LogQuery(stdout=False, timestamps=True), f"{timestamp(NOW + 5)} two\n".encode()),
    ],
)
def test_selection_takes_whole_lines_by_their_first_piece(query: LogQuery, expected: bytes) -> None:
    assert shown(query, *LINES) == expected


def test_frames_carry_the_stamp_inside_as_docker_s_do() -> None:
    renderer = Renderer(LogQuery(timestamps=True), tty=False)
    expected = f"{STAMP} err\n".encode()
    assert renderer.feed(Piece(2, NOW, b"err", True)) == b"\x02\0\0\0\0\0\0" + bytes([len(expected)]) + expected


@given(chunks=st.lists(st.tuples(streams, texts), max_size=6))
def test_without_options_everything_passes_unchanged_and_apart(chunks: list[tuple[int, bytes]]) -> None:
    renderer, decoder = Renderer(LogQuery(), tty=False), stdcopy.Decoder()
    raw = b"".join(renderer.feed(piece) for stream, data in chunks for piece in pieces(stream, NOW, data))
    frames = decoder.feed(raw)
    for wanted in (1, 2):
        expected = b"".join(data for stream, data in chunks if stream == wanted)
        assert b"".join(frame.payload for frame in frames if frame.stream == wanted) == expected


@given(
    chunks=st.lists(st.tuples(streams, st.sampled_from([b"a", b"b\n", b"\n", b"c\nd"])), max_size=12),
    count=st.integers(0, 6),
)
def test_the_last_lines_are_those_of_all_lines_in_their_order(chunks: list[tuple[int, bytes]], count: int) -> None:
    everything = [piece for stream, data in chunks for piece in pieces(stream, NOW, data)]
    line_of: dict[int, int] = {}
    begun, numbered = 0, []
    for piece in everything:
        if piece.stream not in line_of:
            line_of[piece.stream] = begun
            begun += 1
        numbered.append((line_of[piece.stream], piece))
        if piece.ends_line:
            del line_of[piece.stream]
    tail = Tail(count)
    for piece in everything:
        tail.feed(piece)
    assert list(tail.pieces()) == [piece for line, piece in numbered if line >= begun - count]


def test_a_tail_holds_no_more_than_its_lines() -> None:
    tail = Tail(3)
    for number in range(10_000):
        tail.feed(Piece(1, NOW + number, b"%d" % number, True))
    assert len(tail._kept) == 3
    assert [piece.data for piece in tail.pieces()] == [b"9997", b"9998", b"9999"]
