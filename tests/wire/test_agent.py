"""The protocol between daemon and agent: what is encoded decodes to the same."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire import agent
from sockerless.wire.agent import Exited, Hello, LogQuery, Process, Reply, Request, decode, encode
from sockerless.wire.agent_health import HealthCheck, HealthReport, Probe

texts = st.text(max_size=20)
exits = st.builds(Exited, st.integers(0, 255), st.booleans(), st.integers(0, 2**62), st.integers(0, 2**62))
operations = st.sampled_from(["start", "signal", "resize", "finish", "pause", "unpause", "top", "stats"])
probes = st.builds(Probe, st.integers(0), st.integers(0), st.integers(-1, 255), texts)
reports = st.builds(
    HealthReport, st.sampled_from(["starting", "healthy", "unhealthy"]), st.integers(0), st.lists(probes, max_size=5)
)
checks = st.builds(HealthCheck, st.lists(texts), *[st.integers(0)] * 5)
messages = st.one_of(
    st.builds(Request, st.integers(0), operations, st.dictionaries(texts, texts)),
    st.builds(Reply, st.integers(0), st.dictionaries(texts, st.integers()), st.none() | st.just("permission"), texts),
    exits,
    reports,
    st.builds(
        Hello, texts, st.just("exited"), st.integers(0), st.integers(0), st.none() | exits, paused=st.booleans(),
        health=st.none() | reports,
    ),
)  # fmt: skip
processes = st.builds(
    Process,
    argv=st.lists(texts),
    env=st.dictionaries(texts, texts),
    user=texts,
    hosts=st.lists(texts),
    healthcheck=st.none() | checks,
)


@given(message=messages)
def test_every_message_survives_the_wire(message: agent.Message) -> None:
    assert decode(encode(message)) == message


@given(process=processes)
def test_a_process_survives_a_start_request(process: Process) -> None:
    request = decode(encode(Request(1, "start", {"process": agent.asdict(process)})))
    assert isinstance(request, Request)
    assert agent.process_from(request.arguments["process"]) == process


@given(query=st.builds(LogQuery, tail=st.none() | st.integers(0), since_ns=st.integers(0), follow=st.booleans()))
def test_a_log_query_survives_the_url(query: LogQuery) -> None:
    assert LogQuery.from_query(query.to_query()) == query


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"kind":"x"}',
        '{"kind":"reply"}',
        b"\xff",
        '{"kind":"hello","id":1}',
        '{"kind":"health"}',
        '{"kind":"hello","agent_version":"x","status":"exited","exited":"x"}',
    ],
)
def test_what_is_no_message_is_a_value_error(text: str | bytes) -> None:
    with pytest.raises(ValueError, match="not a control message"):
        decode(text)


def test_unknown_fields_are_ignored() -> None:
    assert decode('{"kind":"request","id":1,"op":"finish","later":true}') == Request(1, "finish")
    exited = {"code": 1, "oom_killed": False, "finished_at_ns": 2, "last_log_ns": 3, "later": True}
    hello = decode(json.dumps({"kind": "hello", "agent_version": "x", "status": "exited", "exited": exited}))
    assert isinstance(hello, Hello)
    assert hello.exited == Exited(1, False, 2, 3)


def test_a_process_without_its_fields_is_a_value_error() -> None:
    with pytest.raises(ValueError, match="not a process"):
        agent.process_from({"argv": ["x"]})


def test_the_agent_runs_on_its_own_loader_and_nothing_of_the_image() -> None:
    argv = agent.agent_argv("v1", ["serve"])
    root = "/.sockerless/agent/v1"
    assert argv[:4] == [f"{root}/lib/ld.so", "--inhibit-cache", "--library-path", f"{root}/lib"]
    assert argv[4] == f"{root}/bin/python3"
    assert argv[-3:] == ["-m", "sockerless.agent", "serve"]
    assert agent.agent_argv("v1", [], "/opt")[0] == "/opt/v1/lib/ld.so"
