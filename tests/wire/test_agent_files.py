"""The messages about files."""

from __future__ import annotations

import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire import file_mode
from sockerless.wire.agent_files import (
    Done,
    FilesRequest,
    Listed,
    ListingDecoder,
    Ok,
    PathStat,
    Refused,
    decode,
    decode_request,
    encode,
    encode_listed,
    encode_request,
)

STAT = PathStat("f\udcff", 3, 420, 10**18, "/d")


@pytest.mark.parametrize("answer", [Ok(), Ok(STAT), Refused("not_found", "no\u2028such"), Done()])
def test_an_answer_survives(answer: Ok | Refused | Done) -> None:
    assert decode(encode(answer)) == answer


@pytest.mark.parametrize("request_", [FilesRequest("stat", "/\udcff"), FilesRequest("put", "/d/.", True, "app:app")])
def test_a_request_survives(request_: FilesRequest) -> None:
    assert decode_request(encode_request(request_)) == request_


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"operation":"rm"}', '{"operation":"get","path":"/a\\u0000b"}', "1"])
def test_what_is_no_request_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError):
        decode_request(text)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"ok":{"stat":{"a":1}}}', '{"error":{"kind":"x","message":""}}', b"\xff"]
)
def test_what_is_no_answer_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError):
        decode(text)


listed = st.builds(
    Listed,
    st.text(st.characters(blacklist_characters="\0", blacklist_categories=("Cs",)), max_size=20).map("/".__add__),
    st.sampled_from(["directory", "mount", "other"]),
    st.booleans(),
)


@given(records=st.lists(listed, max_size=6), data=st.data())
def test_a_listing_survives_any_split(records: list[Listed], data: st.DataObject) -> None:
    raw = b"".join(map(encode_listed, records))
    decoder, found, start = ListingDecoder(), [], 0
    while start < len(raw):
        end = data.draw(st.integers(start + 1, len(raw)))
        found += decoder.feed(raw[start:end])
        start = end
    assert found == records


@pytest.mark.parametrize(
    ("mode", "go"),
    [
        (stat.S_IFREG | 0o644, 420),
        (stat.S_IFDIR | 0o755, 2147484141),
        (stat.S_IFLNK | 0o777, 134218239),
        (stat.S_IFIFO | 0o644, 33554852),
        (stat.S_IFCHR | 0o666, (1 << 26) | (1 << 21) | 0o666),
        (stat.S_IFREG | 0o6755, (1 << 23) | (1 << 22) | 0o755),
        (stat.S_IFDIR | 0o1777, (1 << 31) | (1 << 20) | 0o777),
    ],
)
def test_modes_are_go_s(mode: int, go: int) -> None:
    assert file_mode.from_unix(mode) == go
