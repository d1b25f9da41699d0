"""Detached containers: logs, stop, kill, restart, rename, rm, prune; before and after the task has stopped."""

from __future__ import annotations

import threading

import docker as docker_sdk
import pytest
from docker.errors import APIError

from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]

TRAPS = "trap 'echo bye; exit 3' TERM; echo up; while :; do sleep 0.1; done"
IGNORES = "trap '' TERM; echo up; while :; do sleep 0.1; done"


def test_stop_lets_a_process_that_traps_term_end_with_its_own_code(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", TRAPS)
    eventually(lambda: docker.ok("logs", container) == "up")
    docker.ok("stop", container)
    assert docker.inspect(container, "{{.State.ExitCode}} {{.State.Status}}") == "3 exited"
    assert docker.ok("logs", container) == "up\nbye"
    assert "Exited (3)" in docker.ok("ps", "-a", "--filter", f"id={container}", "--format", "{{.Status}}")
    docker.ok("rm", container)
    assert docker.ok("ps", "-aq", "--no-trunc", "--filter", f"id={container}") == ""


def test_stop_kills_a_process_that_ignores_term_after_its_grace(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", IGNORES)
    eventually(lambda: docker.ok("logs", container) == "up")
    docker.ok("stop", "-t", "1", container)
    assert docker.inspect(container, "{{.State.ExitCode}}") == "137"
    docker.ok("rm", container)


def test_kill_sends_the_very_signal(docker: Docker, image: str) -> None:
    script = "trap 'echo got hup' HUP; trap 'exit 11' USR1; echo up; while :; do sleep 0.1; done"
    container = docker.ok("run", "-d", image, "sh", "-c", script)
    eventually(lambda: docker.ok("logs", container) == "up")
    docker.ok("kill", "-s", "HUP", container)
    eventually(lambda: "got hup" in docker.ok("logs", container))
    docker.ok("kill", "-s", "SIGUSR1", container)
    assert docker.ok("wait", container) == "11"
    assert docker("kill", container).returncode == 1
    docker.ok("rm", container)


def test_logs_keep_their_streams_apart_after_the_task_has_stopped(docker: Docker, image: str, scene: Scene) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", "echo out; echo err >&2; sleep 0.3; printf end; exit 2")
    docker.ok("wait", container)
    live = docker("logs", "-t", container)
    scene.end_task(container)
    gone = docker("logs", container)
    assert (gone.stdout, gone.stderr) == (b"out\nend", b"err\n")
    archived = docker("logs", "-t", container)
    assert (archived.stdout, archived.stderr) == (live.stdout, live.stderr)
    assert docker.ok("logs", "--tail", "1", container) == "end"
    docker.ok("rm", container)


def test_two_hundred_thousand_lines_are_kept_complete_and_in_order(docker: Docker, image: str, scene: Scene) -> None:
    container = docker.ok("run", "-d", image, "seq", "200000")
    expected = b"".join(b"%d\n" % number for number in range(1, 200_001))
    docker.ok("wait", container)
    assert docker("logs", container).stdout == expected
    scene.end_task(container)
    assert docker("logs", container).stdout == expected
    docker.ok("rm", container)


def test_restart_runs_in_the_same_task_with_its_files(docker: Docker, image: str, scene: Scene) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", "cat /kept; echo was here > /kept; sleep 100")
    eventually(lambda: "can't open" in docker("logs", container).stderr.decode())
    before = scene.task_arn(container)
    docker.ok("restart", "-t", "0", container)
    eventually(lambda: "was here" in docker.ok("logs", container))
    assert scene.task_arn(container) == before
    docker.ok("rm", "-f", container)


def test_a_start_after_the_task_is_gone_is_a_new_task_and_keeps_the_logs(
    docker: Docker, image: str, scene: Scene
) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", "echo run on $(hostname -i)")
    docker.ok("wait", container)
    first = scene.end_task(container)
    assert docker.ok("start", "-a", container).startswith("run on ")
    assert scene.last_task_arn(container) != first
    assert docker.ok("logs", container).count("run on ") == 2
    assert docker.ok("logs", "--tail", "1", container).count("run on ") == 1
    docker.ok("rm", container)


def test_rename_ps_filters_and_prune(docker: Docker, image: str) -> None:
    container = docker.ok("create", "--name", "first-name", "--label", "tier=web", image, "true")
    docker.ok("rename", "first-name", "second-name")
    assert docker.ok("ps", "-a", "--filter", "label=tier=web", "--format", "{{.Names}} {{.State}}") == (
        "second-name created"
    )
    assert container in docker.ok("container", "prune", "-f", "--filter", "label=tier=web")
    assert docker.ok("ps", "-aq", "--filter", "label=tier=web") == ""


def test_a_name_in_use_conflicts_in_dockers_words(docker: Docker, image: str) -> None:
    docker.ok("create", "--name", "only-once", image, "true")
    second = docker("create", "--name", "only-once", image, "true")
    assert 'The container name "/only-once" is already in use by container' in second.stderr.decode()
    docker.ok("rm", "only-once")


def test_what_nothing_is_called_is_no_object(docker: Docker) -> None:
    told = docker("inspect", "nosuch")
    assert (told.returncode, told.stderr.decode().strip()) == (1, "Error: No such object: nosuch")


def test_the_docker_sdk_runs_waits_and_streams(sdk: docker_sdk.DockerClient, image: str) -> None:
    assert sdk.containers.run(image, ["echo", "sdk"], remove=True) == b"sdk\n"
    container = sdk.containers.run(image, ["sh", "-c", "echo a; sleep 0.5; echo b; exit 6"], detach=True)
    assert list(container.logs(stream=True, follow=True)) == [b"a\n", b"b\n"]
    assert container.wait()["StatusCode"] == 6
    with pytest.raises(APIError, match="is not running"):
        container.kill()
    container.remove()


def test_thirty_containers_start_together(docker: Docker, image: str) -> None:
    outputs: list[str] = []

    def run(number: int) -> None:
        outputs.append(docker.ok("run", "--rm", image, "echo", str(number)))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outputs, key=int) == [str(number) for number in range(30)]
