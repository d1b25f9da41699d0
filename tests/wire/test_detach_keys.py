"""The detach sequence in a terminal's stdin."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire.detach_keys import DEFAULT, Detector, parse


@pytest.mark.parametrize(
    ("text", "expected"), [(DEFAULT, b"\x10\x11"), ("ctrl-a,x", b"\x01x"), ("ctrl-@", b"\x00"), ("ctrl-_", b"\x1f")]
)
def test_a_sequence_is_letters_and_control_keys(text: str, expected: bytes) -> None:
    assert parse(text) == expected


@pytest.mark.parametrize("text", ["zzz", "", "ctrl-", "ctrl-aa", "a,,b", "ctrl-!"])
def test_a_malformed_sequence_is_refused_in_dockers_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"^Invalid detach keys "):
        parse(text)


def test_the_sequence_ends_the_input_and_is_not_passed_on() -> None:
    assert Detector(b"\x10\x11").feed(b"ab\x10\x11cd") == (b"ab", True)


def test_a_started_sequence_is_held_back_and_passed_on_when_it_does_not_go_on() -> None:
    detector = Detector(b"\x10\x11")
    assert detector.feed(b"a\x10") == (b"a", False)
    assert detector.feed(b"b") == (b"\x10b", False)


@given(st.binary(max_size=60), st.integers(0, 60))
def test_input_without_the_sequence_passes_whole_at_every_split(data: bytes, split: int) -> None:
    typed = data.replace(b"\x10", b"") + b"."
    detector = Detector(b"\x10\x11")
    first, _ = detector.feed(typed[:split])
    second, _ = detector.feed(typed[split:])
    assert first + second == typed
