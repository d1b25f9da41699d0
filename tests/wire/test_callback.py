"""Reverse dialling's paths, credentials and frames."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire import callback

AGENT, PIPE = "0123456789abcdef" * 2, "fedcba9876543210" * 2


@pytest.mark.parametrize(
    ("base", "url"),
    [
        ("http://10.0.0.1:8080", f"ws://10.0.0.1:8080/v1/agents/{AGENT}"),
        ("ws://daemon:1", f"ws://daemon:1/v1/agents/{AGENT}"),
        ("https://proxy.example/some/prefix/", f"wss://proxy.example/some/prefix/v1/agents/{AGENT}"),
        ("wss://proxy.example/p", f"wss://proxy.example/p/v1/agents/{AGENT}"),
    ],
)
def test_the_callback_url_keeps_its_prefix_and_becomes_a_websocket_s(base: str, url: str) -> None:
    assert callback.call_url(base, AGENT) == url
    assert callback.pipe_url(base, AGENT, PIPE) == f"{url}/pipes/{PIPE}"


@pytest.mark.parametrize("base", ["", "ftp://x", "daemon:1", "http:/x"])
def test_what_is_no_callback_url_is_refused(base: str) -> None:
    with pytest.raises(ValueError, match="not a callback URL"):
        callback.call_url(base, AGENT)


@pytest.mark.parametrize("prefix", ["", "/p", "/a/b/c", "/v1/agents"])
def test_a_path_is_understood_with_and_without_its_prefix(prefix: str) -> None:
    assert callback.parse_path(f"{prefix}/v1/agents/{AGENT}") == (AGENT, None)
    assert callback.parse_path(f"{prefix}/v1/agents/{AGENT}/pipes/{PIPE}") == (AGENT, PIPE)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/v1/agents", f"/v1/agents/{AGENT}/", f"/v1/agents/{AGENT[:-1]}", f"/v1/agents/{AGENT.upper()}",
     f"/v1/agents/{AGENT}/pipes", f"/v1/agents/{AGENT}/pipes/{PIPE}/", f"x/v1/agents/{AGENT}", f"/v1/agents/{AGENT}\n"],
)  # fmt: skip
def test_any_other_path_is_none(path: str) -> None:
    assert callback.parse_path(path) is None


def test_the_credential_is_one_agent_s_and_does_not_show_the_token() -> None:
    shown = callback.credential("token", AGENT)
    assert len(shown) == 64
    assert "token" not in shown
    assert shown == callback.credential("token", AGENT)
    assert len({shown, callback.credential("token", PIPE), callback.credential("other", AGENT)}) == 3


def test_a_request_for_a_pipe_comes_back() -> None:
    assert callback.asked_pipe(callback.ask_for_pipe(PIPE)) == PIPE


@given(st.one_of(st.text(), st.binary(), st.just(callback.CALL_PROBE), st.just('{"pipe":1}'), st.just('{"pipe":"ab"}')))
def test_any_other_frame_asks_for_nothing(frame: str | bytes) -> None:
    assert callback.asked_pipe(frame) is None


@given(st.text())
def test_any_path_is_read_without_an_error(path: str) -> None:
    found = callback.parse_path(path)
    assert found is None or len(found.agent_id) == 32
