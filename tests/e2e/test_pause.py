"""docker pause and unpause: nothing runs, everything says so, and it all goes on."""

from __future__ import annotations

from collections.abc import Callable

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
COUNTS = "trap 'exit 3' TERM; i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"


def lines(docker: Docker, container: str) -> int:
    return len(docker.ok("logs", container).splitlines())


def stands_still(docker: Docker, container: str) -> bool:
    """Whether half a second of a second container's life adds no line."""
    before = lines(docker, container)
    docker.ok("run", "--rm", "busybox:test", "sleep", "0.5")
    return lines(docker, container) == before


def test_a_paused_container_writes_nothing_shows_it_and_goes_on_where_it_was(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", COUNTS)
    eventually(lambda: lines(docker, container) > 2)
    assert docker.ok("pause", container) == container
    assert docker.inspect(container, "{{.State.Status}} {{.State.Running}} {{.State.Paused}}") == "paused true true"
    assert docker.ok("ps", "--filter", f"id={container}", "--format", "{{.Status}}").endswith(" (Paused)")
    assert docker.ok("ps", "-q", "--no-trunc", "--filter", "status=paused", "--filter", f"id={container}") == container
    assert stands_still(docker, container)
    assert docker.ok("unpause", container) == container
    before = lines(docker, container)
    eventually(lambda: lines(docker, container) > before)
    counted = docker.ok("logs", container).splitlines()
    assert counted == [str(number) for number in range(1, len(counted) + 1)]
    docker.ok("rm", "-f", container)


def test_what_a_paused_container_cannot_do_is_refused_in_dockers_words(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sleep", "1000")
    docker.ok("pause", container)
    for command, words in (
        (("pause", container), f"Container {container} is already paused"),
        (("exec", container, "true"), "is paused, unpause the container before exec"),
        (("start", container), "cannot start a paused container, try unpause instead"),
        (("attach", "--no-stdin", container), "You cannot attach to a paused container, unpause it first"),
        (("rm", container), "cannot remove"),
    ):
        refused = docker(*command)
        assert refused.returncode == 1
        assert words in refused.stderr.decode() or "You cannot remove a running container" in refused.stderr.decode()
    assert docker.ok("top", container).splitlines()[0].split()[:2] == ["UID", "PID"]
    docker.ok("unpause", container)
    assert f"Container {container} is not paused" in docker("unpause", container).stderr.decode()
    docker.ok("kill", container)
    assert f"Container {container} is not running" in docker("pause", container).stderr.decode()
    docker.ok("rm", container)


def test_stop_lets_a_paused_process_end_its_own_way(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", COUNTS)
    eventually(lambda: lines(docker, container) > 0)
    docker.ok("pause", container)
    docker.ok("stop", container)
    assert docker.inspect(container, "{{.State.ExitCode}} {{.State.Paused}}") == "3 false"
    docker.ok("rm", container)


def test_kill_and_forced_removal_end_a_paused_container(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sleep", "1000")
    docker.ok("pause", container)
    docker.ok("kill", container)
    assert docker.inspect(container, "{{.State.ExitCode}} {{.State.Status}}") == "137 exited"
    docker.ok("start", container)
    docker.ok("pause", container)
    docker.ok("rm", "-f", container)


def test_a_pause_outlives_the_daemon(docker: Docker, image: str, crash: Callable[[], None]) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", COUNTS)
    eventually(lambda: lines(docker, container) > 0)
    docker.ok("pause", container)
    crash()
    assert docker.inspect(container, "{{.State.Status}}") == "paused"
    docker.ok("unpause", container)
    before = lines(docker, container)
    eventually(lambda: lines(docker, container) > before)
    docker.ok("rm", "-f", container)


def test_the_sdk_pauses_and_unpauses(sdk: docker_sdk.DockerClient, image: str) -> None:
    container = sdk.containers.run(image, ["sleep", "1000"], detach=True)
    container.pause()
    container.reload()
    assert container.status == "paused"
    container.unpause()
    container.reload()
    assert container.status == "running"
    container.remove(force=True)
