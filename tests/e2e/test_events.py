"""docker events: order, shape, replay, filters, live streams, and what a daemon's death leaves of it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
BEGAN = f"{time.time():.9f}"


def kept(docker: Docker, *filters: str) -> list[dict[str, Any]]:
    """Everything told since this file was read that passes the filters."""
    options = [part for one in filters for part in ("--filter", one)]
    until = f"{time.time():.9f}"
    told = docker.ok("events", "--since", BEGAN, "--until", until, *options, "--format", "{{json .}}")
    return [json.loads(line) for line in told.splitlines()]


def actions(docker: Docker, *filters: str) -> list[str]:
    return [event["Action"] for event in kept(docker, *filters)]


def test_a_containers_life_is_told_in_order(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", "--name", "ev-life", "--label", "team=x", image, "sleep", "1000")
    docker.ok("pause", container)
    docker.ok("unpause", container)
    docker.ok("rename", container, "ev-renamed")
    docker("exec", container, "sh", "-c", "exit 4")
    docker("kill", "-s", "WINCH", container)
    docker.ok("restart", "-t", "0", container)
    docker.ok("stop", container)
    docker.ok("rm", container)
    assert actions(docker, f"container={container}") == [
        "create", "start", "pause", "unpause", "rename",
        "exec_create: sh -c exit 4", "exec_start: sh -c exit 4", "exec_die",
        "kill", "kill", "die", "stop", "start", "restart", "kill", "die", "stop", "destroy",
    ]  # fmt: skip
    signals = [event["Actor"]["Attributes"]["signal"] for event in kept(docker, f"container={container}", "event=kill")]
    assert signals == ["28", "9", "15"]
    (renamed,) = kept(docker, f"container={container}", "event=rename")
    assert renamed["Actor"]["Attributes"] == {
        "image": image, "name": "ev-renamed", "oldName": "/ev-life", "team": "x",
    }  # fmt: skip


def test_a_run_that_removes_itself_dies_and_is_destroyed(docker: Docker, image: str) -> None:
    docker("run", "--rm", "--name", "ev-rm", image, "sh", "-c", "exit 3")
    assert actions(docker, "container=ev-rm") == ["create", "attach", "start", "die", "destroy"]
    (died,) = kept(docker, "container=ev-rm", "event=die")
    assert died["Actor"]["Attributes"]["exitCode"] == "3"
    assert (died["status"], died["from"], died["Type"], died["scope"]) == ("die", image, "container", "local")
    assert died["timeNano"] // 10**9 == died["time"]


def test_health_is_told_when_it_changes(docker: Docker, image: str) -> None:
    check = ("--health-cmd", "test -f /ok", "--health-interval", "200ms", "--health-retries", "1")
    container = docker.ok("run", "-d", *check, image, "sh", "-c", "sleep 1; touch /ok; sleep 1000")
    wanted = ["health_status: unhealthy", "health_status: healthy"]
    eventually(lambda: actions(docker, f"container={container}", "event=health_status") == wanted)
    docker.ok("rm", "-f", container)


def test_images_are_told_of_too(docker: Docker, image: str) -> None:
    identity = docker.ok("image", "inspect", "--format", "{{.Id}}", image)
    docker.ok("tag", image, "ev-image:1")
    docker.ok("rmi", "ev-image:1")
    told = kept(docker, "type=image")[-2:]
    assert [(event["Action"], event["Actor"]["ID"]) for event in told] == [("tag", identity), ("untag", identity)]
    assert told[0]["Actor"]["Attributes"] == {"name": "ev-image:1"}
    assert "load" in actions(docker, "type=image")


def test_filters_choose_by_type_event_label_and_image(docker: Docker, image: str) -> None:
    container = docker.ok("create", "--name", "ev-filtered", "--label", "color=red", image, "true")
    docker.ok("rm", container)
    assert actions(docker, "label=color=red") == ["create", "destroy"]
    assert actions(docker, "label=color=red", "event=create") == ["create"]
    assert actions(docker, "label=color=blue") == []
    assert actions(docker, "container=ev-filtered", "type=network") == []
    assert actions(docker, "container=ev-filtered", f"image={image.partition(':')[0]}") == ["create", "destroy"]
    assert "invalid filter" in docker("events", "--filter", "color=red", "--until", "1").stderr.decode()


def test_a_live_stream_tells_at_once_and_goes_on(sdk: docker_sdk.DockerClient, docker: Docker, image: str) -> None:
    stream = sdk.events(decode=True, filters={"container": "ev-live", "type": "container"})
    docker.ok("run", "-d", "--name", "ev-live", image, "sleep", "1000")
    assert [next(stream)["Action"] for _ in range(2)] == ["create", "start"]
    docker.ok("rm", "-f", "ev-live")
    assert [next(stream)["Action"] for _ in range(3)] == ["kill", "die", "destroy"]
    stream.close()


def test_replay_goes_over_into_live(docker: Docker, image: str) -> None:
    docker.ok("create", "--name", "ev-replayed", image, "true")
    following = docker.start("events", "--since", BEGAN, "--filter", "container=ev-replayed", "--format", "{{.Action}}")
    assert following.stdout is not None
    assert following.stdout.readline() == b"create\n"
    docker.ok("rm", "ev-replayed")
    assert following.stdout.readline() == b"destroy\n"
    following.kill()
    following.communicate()


def test_events_outlive_the_daemon(docker: Docker, image: str, crash: Callable[[], None]) -> None:
    container = docker.ok("run", "-d", "--name", "ev-crash", image, "sh", "-c", "sleep 1; exit 5")
    crash()
    docker.ok("wait", container)
    assert actions(docker, "container=ev-crash") == ["create", "start", "die"]
    docker.ok("rm", container)
