"""The messages of output streams, and chunks: what goes in comes out, at every split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire.agent import LogQuery
from sockerless.wire.agent_output import (
    KeptQuery,
    Opened,
    StreamQuery,
    count_taken,
    framed,
    taken,
    unframed,
)
from sockerless.wire.chunks import HEADER_BYTES, Chunk, length_of_first, pack, unpack

flags, counts = st.booleans(), st.integers(0, 2**63)
hex_digits = st.text("0123456789abcdef", max_size=64)
chunks = st.builds(Chunk, st.sampled_from([1, 2]), st.integers(0, 2**63), st.binary(max_size=20))


@given(query=st.builds(StreamQuery, flags, flags, flags, flags, hex_digits, counts, st.integers(-1, 2**63)))
def test_a_stream_query_survives_the_url(query: StreamQuery) -> None:
    assert StreamQuery.from_query(query.to_query()) == query


@given(
    query=st.builds(
        KeptQuery,
        st.builds(LogQuery, tail=st.none() | counts, since_ns=counts, until_ns=counts, follow=flags, stdout=flags),
        counts,
        st.integers(-1, 2**63),
        st.integers(-1, 2**63),
        st.integers(0, 3),
    )
)
def test_a_kept_query_survives_the_url(query: KeptQuery) -> None:
    assert KeptQuery.from_query(query.to_query()) == query


def test_what_is_not_said_is_the_usual() -> None:
    assert StreamQuery.from_query("") == StreamQuery()
    assert KeptQuery.from_query("") == KeptQuery()


@pytest.mark.parametrize("query", ["client=../x", "client=" + "a" * 65, "stdin=maybe", "position=x", "run=-1"])
def test_other_stream_queries_are_refused(query: str) -> None:
    with pytest.raises(ValueError):
        StreamQuery.from_query(query)


@pytest.mark.parametrize("query", ["tail=x", "position=%20", "run=-1", "left_out=both", "position=1.5"])
def test_other_kept_queries_are_refused(query: str) -> None:
    with pytest.raises(ValueError):
        KeptQuery.from_query(query)


@given(opened=st.builds(Opened, counts, counts, counts, counts, counts), count=counts)
def test_messages_survive_the_wire(opened: Opened, count: int) -> None:
    assert Opened.decode(opened.encode()) == opened
    assert count_taken(taken(count)) == count


@pytest.mark.parametrize("text", ["", "[]", "{}", "null", b"\xff", '{"run":"x"}', '{"taken":null}', taken(5)])
def test_other_messages_are_refused(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        Opened.decode(text)
    if text != taken(5):
        with pytest.raises(ValueError):
            count_taken(text)


@given(position=counts, left_out=st.integers(0, 3), data=st.binary(max_size=50))
def test_a_frame_carries_its_position(position: int, left_out: int, data: bytes) -> None:
    assert unframed(framed(position, data, left_out)) == (position, left_out, data)


def test_a_frame_without_a_position_is_none() -> None:
    with pytest.raises(ValueError):
        unframed(b"short")


@given(sent=st.lists(chunks, max_size=5), cut=st.integers(0, 200))
def test_chunks_come_back_whole_wherever_their_bytes_are_cut(sent: list[Chunk], cut: int) -> None:
    block = pack(sent)
    whole, used = unpack(block[:cut])
    rest, end = unpack(block, used)
    assert (whole + rest, end) == (sent, len(block))
    assert all(length_of_first(pack([chunk])) == HEADER_BYTES + len(chunk.data) for chunk in sent)
