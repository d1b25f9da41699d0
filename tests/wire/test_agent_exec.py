"""The messages of an exec stream survive encoding, and anything else is refused as a ValueError."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire.agent import Process
from sockerless.wire.agent_exec import Ended, Exec, Refused, Started, decode, decode_exec, encode, encode_exec

TEXT = st.text(max_size=20)


@given(
    st.builds(
        Exec,
        id=TEXT,
        process=st.builds(
            Process, argv=st.lists(TEXT), env=st.dictionaries(TEXT, TEXT), user=TEXT, tty=st.booleans(),
            height=st.integers(0, 65535), capabilities_drop=st.lists(TEXT, max_size=3),
        ),
        stdout=st.booleans(), stderr=st.booleans(), raw=st.booleans(),
    )
)  # fmt: skip
def test_an_exec_survives(asked: Exec) -> None:
    assert decode_exec(encode_exec(asked)) == asked


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (Started(7), '{"ok":{"pid":7}}'),
        (Refused("not_found", "no"), '{"error":{"kind":"not_found","message":"no"}}'),
        (Ended(137), '{"result":{"code":137}}'),
    ],
)
def test_an_answer_is_one_text(answer: Started | Refused | Ended, text: str) -> None:
    assert encode(answer) == text
    assert decode(text) == answer


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", "{}", "7", '{"ok":{}}', '{"ok":{"pid":"7"}}', '{"error":{"kind":"odd","message":""}}', b"\xff"],
)
def test_what_is_no_answer_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        decode(text)


@given(st.text() | st.binary())
def test_no_text_breaks_the_decoders(text: str | bytes) -> None:
    for decoder in (decode, decode_exec):
        with pytest.raises(ValueError):
            decoder(text)


@pytest.mark.parametrize(
    "text", ['{"id":"a"}', '{"process":{"argv":[],"env":{}}}', '{"id":"a","process":[]}', "[1]", "[" * 10**6]
)
def test_what_is_no_exec_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        decode_exec(text)
