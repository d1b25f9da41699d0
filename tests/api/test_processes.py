"""Pause, unpause, top, stats and update: decoding, statuses and shapes, over a fake engine."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from sockerless.api.containers_json import inspect, status_text, summary
from sockerless.errors import Unavailable
from sockerless.types import Container, ContainerState, Health, HealthProbe
from tests.api.conftest import Served

SECOND = 1_000_000_000


async def created(served: Served, name: str = "c") -> str:
    body = {"Image": "busybox:test", "Cmd": ["sleep", "60"]}
    _, _, answer = await served.request("POST", f"/containers/create?name={name}", body)
    return str(json.loads(answer)["Id"])


async def asked(served: Served, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    status, _, answer = await served.request(method, path, body)
    return status, json.loads(answer) if answer else None


async def test_pause_and_unpause_are_204_409_and_500(served: Served) -> None:
    container = await created(served)
    await served.request("POST", "/containers/c/start")
    assert await asked(served, "POST", "/containers/c/pause") == (204, None)
    message = {"message": f"Container {container} is already paused"}
    assert await asked(served, "POST", "/containers/c/pause") == (409, message)
    assert (await asked(served, "GET", "/containers/c/json"))[1]["State"]["Paused"] is True
    assert await asked(served, "POST", "/containers/c/unpause") == (204, None)
    message = {"message": f"Container {container} is not paused"}
    assert await asked(served, "POST", "/containers/c/unpause") == (500, message)


async def test_top_takes_the_arguments_of_ps(served: Served) -> None:
    await created(served)
    status, answer = await asked(served, "GET", "/containers/c/top?ps_args=-o%20pid,cmd")
    assert (status, answer) == (200, {"Processes": [["7", "sleep 60"]], "Titles": ["PID", "CMD"]})
    assert served.engine.calls[-1] == ("top", "c", "-o pid,cmd")


@pytest.mark.parametrize(
    ("query", "stream", "one_shot", "lines"),
    [
        ("", True, False, 2),
        ("?stream=1", True, False, 2),
        ("?stream=0", False, False, 1),
        ("?stream=false&one-shot=true", False, True, 1),
        ("?stream=1&one-shot=1", True, False, 2),
    ],
)
async def test_stats_are_streamed_unless_one_is_asked_for(
    served: Served, query: str, stream: bool, one_shot: bool, lines: int
) -> None:
    await created(served)
    status, headers, body = await served.request("GET", f"/containers/c/stats{query}")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert [json.loads(line)["number"] for line in body.splitlines()] == [1, 2][:lines]
    assert served.engine.calls[-1] == ("stats", "c", stream, one_shot)


async def test_a_single_sample_that_fails_is_a_status_and_a_stream_breaks(served: Served) -> None:
    await created(served)
    served.engine.failure = Unavailable("the agent cannot be reached")
    assert (await asked(served, "GET", "/containers/c/stats?stream=0"))[0] == 503
    answer = await served.exchange(b"GET /containers/c/stats HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert not answer.endswith(b"0\r\n\r\n")


async def test_update_passes_on_what_changes_and_answers_with_warnings(served: Served) -> None:
    await created(served)
    everything = {
        "Memory": 1 << 30,
        "NanoCpus": 0,
        "PidsLimit": None,
        "RestartPolicy": {"Name": "", "MaximumRetryCount": 0},
    }
    assert await asked(served, "POST", "/containers/c/update", everything) == (200, {"Warnings": ["rounded"]})
    assert served.engine.calls[-1] == ("update", "c", {"Memory": 1 << 30})
    assert await asked(served, "POST", "/containers/c/update", {}) == (200, {"Warnings": None})
    status, answer = await asked(served, "POST", "/containers/c/update", {"PidsLimit": 5})
    assert (status, answer["Warnings"][0]) == (
        200,
        "HostConfig.PidsLimit was discarded: Fargate offers no limit on processes.",
    )
    status, answer = await asked(served, "POST", "/containers/c/update", {"Devices": [{"PathOnHost": "/dev/kvm"}]})
    assert (status, "HostConfig.Devices" in answer["message"]) == (400, True)


@pytest.mark.parametrize(
    ("check", "message"),
    [
        ({"Test": ["CMD", "x"], "Interval": 500}, "Interval in Healthcheck cannot be less than 1ms"),
        ({"Test": ["CMD", "x"], "Timeout": -1}, "Timeout in Healthcheck cannot be less than 1ms"),
        ({"StartPeriod": 5}, "StartPeriod in Healthcheck cannot be less than 1ms"),
        ({"StartInterval": 5}, "StartInterval in Healthcheck cannot be less than 1ms"),
        ({"Test": ["CMD", "x"], "Retries": -1}, "Retries in Healthcheck cannot be negative"),
        ({"Test": "x"}, "invalid JSON: Config.Healthcheck.Test must be a list of strings"),
        ({"Interval": "1s"}, "invalid JSON: Config.Healthcheck.Interval must be an integer"),
    ],
)
async def test_a_health_check_is_checked_in_mobys_words(served: Served, check: dict[str, Any], message: str) -> None:
    body = {"Image": "busybox:test", "Cmd": ["x"], "Healthcheck": check}
    assert await asked(served, "POST", "/containers/create", body) == (400, {"message": message})


@pytest.mark.parametrize(
    ("status", "health", "text"),
    [
        ("running", None, "Up 5 seconds"),
        ("running", Health(), "Up 5 seconds (health: starting)"),
        ("running", Health("healthy"), "Up 5 seconds (healthy)"),
        ("running", Health("unhealthy"), "Up 5 seconds (unhealthy)"),
        ("paused", Health("unhealthy"), "Up 5 seconds (Paused)"),
        ("exited", Health("unhealthy"), "Exited (3) 2 seconds ago"),
    ],
)
def test_ps_shows_health_and_pause(status: Any, health: Health | None, text: str) -> None:
    state = ContainerState(status, 3, started_at_ns=SECOND, finished_at_ns=4 * SECOND)
    assert status_text(state, 6 * SECOND, health) == text


async def test_inspect_shows_health_once_there_is_any(served: Served) -> None:
    container: Container = served.engine.find(await created(served))
    assert "Health" not in inspect(container)["State"]
    probe = HealthProbe(SECOND, 2 * SECOND + 5, 1, "no\n")
    checked = replace(container, health=Health("unhealthy", 3, (probe,)))
    assert inspect(checked)["State"]["Health"] == {
        "Status": "unhealthy",
        "FailingStreak": 3,
        "Log": [
            {"Start": "1970-01-01T00:00:01Z", "End": "1970-01-01T00:00:02.000000005Z", "ExitCode": 1, "Output": "no\n"}
        ],
    }
    running = replace(checked, state=ContainerState("running", started_at_ns=SECOND))
    assert summary(running, 2 * SECOND)["Status"] == "Up 1 second (unhealthy)"
