"""Signals as docker kill accepts them."""

import pytest

from sockerless.wire import signals


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("9", 9),
        ("KILL", 9),
        ("SIGKILL", 9),
        ("sigterm", 15),
        (" hup ", 1),
        ("RTMIN+3", 37),
        ("SIGRTMAX-1", 63),
        ("64", 64),
    ],
)
def test_a_signal_is_a_name_or_a_number(text: str, expected: int) -> None:
    assert signals.number(text) == expected


@pytest.mark.parametrize("text", ["FOO", "0", "65", "", "-9", "RTMIN+99"])
def test_anything_else_is_refused_in_dockers_words(text: str) -> None:
    with pytest.raises(ValueError, match=f"^Invalid signal: {text.replace('+', '[+]')}$"):
        signals.number(text)
