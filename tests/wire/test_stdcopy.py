"""Docker's multiplexed stream, at every split."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire.stdcopy import MAX_PAYLOAD, Decoder, Frame, encode

frames_strategy = st.lists(st.builds(Frame, st.integers(0, 3), st.binary(min_size=1, max_size=40)), max_size=6)


def test_a_frame_is_what_dockerd_sends() -> None:
    assert encode(1, b"hello\n") == b"\x01\0\0\0\0\0\0\x06hello\n"


def test_nothing_is_no_frame() -> None:
    assert encode(1, b"") == b""


def test_a_large_payload_becomes_several_frames() -> None:
    payload = bytes(range(256)) * 1000
    frames = Decoder().feed(encode(2, payload))
    assert b"".join(frame.payload for frame in frames) == payload
    assert {frame.stream for frame in frames} == {2}
    assert max(len(frame.payload) for frame in frames) == MAX_PAYLOAD


@given(frames=frames_strategy, data=st.data())
def test_any_split_decodes_to_the_same_frames(frames: list[Frame], data: st.DataObject) -> None:
    raw = b"".join(encode(frame.stream, frame.payload) for frame in frames)
    decoder, decoded, start = Decoder(), [], 0
    while start < len(raw):
        end = data.draw(st.integers(start + 1, len(raw)))
        decoded += decoder.feed(raw[start:end])
        start = end
    assert decoded == frames
    assert decoder.pending == 0


def test_every_two_part_split_of_a_stream() -> None:
    raw = encode(1, b"out\n") + encode(2, b"err\n")
    for cut in range(len(raw) + 1):
        decoder = Decoder()
        assert decoder.feed(raw[:cut]) + decoder.feed(raw[cut:]) == [Frame(1, b"out\n"), Frame(2, b"err\n")]


def test_an_unfinished_frame_is_pending() -> None:
    decoder = Decoder()
    assert decoder.feed(encode(1, b"hello")[:-1]) == []
    assert decoder.pending == 12


def test_a_raw_stream_is_recognised_as_not_multiplexed() -> None:
    with pytest.raises(ValueError, match="stream number 104"):
        Decoder().feed(b"hello, world")
