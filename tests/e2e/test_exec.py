"""docker exec, as people, CI runners and SDKs know it."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from typing import Any

import docker as docker_sdk
import pytest
from docker.errors import APIError, NotFound

from sockerless.wire import stdcopy
from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.both_directions]


@pytest.fixture(scope="module")
def box(docker: Docker, image: str) -> Iterator[str]:
    """A container that runs for all of this module's tests."""
    container = docker.ok("run", "-d", "-e", "A=container", "-e", "B=container", image, "sleep", "100000")
    yield container
    docker.ok("rm", "-f", container)


def state_of(sdk: docker_sdk.DockerClient, exec_id: str) -> tuple[bool, int | None]:
    """(Running, ExitCode) of an exec."""
    view = sdk.api.exec_inspect(exec_id)
    return view["Running"], view["ExitCode"]


def test_arguments_environment_user_and_directory_arrive_as_asked(docker: Docker, box: str) -> None:
    script = 'printf "%s|" "$A" "$B" "$C" "$(id -u):$(id -g)" "$PWD" "$AWS_REGION" "$@"'
    done = docker.ok(
        "exec", "-e", "B=b c\nd", "-e", "C=", "-u", "1000:1001", "-w", "/tmp",
        box, "sh", "-c", script, "sh", "", "two words", 'quo"te', "new\nline",
    )  # fmt: skip
    assert done == 'container|b c\nd||1000:1001|/tmp|us-east-1||two words|quo"te|new\nline|'


def test_streams_come_apart_and_the_exit_code_is_the_exec_s(docker: Docker, box: str) -> None:
    done = docker("exec", box, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)
    assert docker("exec", box, "sh", "-c", "kill -9 $$").returncode == 137


@pytest.mark.parametrize(
    ("options", "command", "code", "words"),
    [
        ([], "nosuch", 127, 'exec: "nosuch": executable file not found in $PATH: unknown\r\n'),
        ([], "/no/x", 127, 'exec: "/no/x": stat /no/x: no such file or directory: unknown\r\n'),
        ([], "/etc/passwd", 126, 'exec: "/etc/passwd": permission denied: unknown\r\n'),
        (["-w", "/nosuch"], "true", 127, 'chdir to cwd ("/nosuch") set in config.json failed: no such file or '
         "directory: unknown\r\n"),
        (["-w", "rel"], "true", 128, "Cwd must be an absolute path: unknown\r\n"),
        (["-u", "nosuch"], "true", 126, "unable to find user nosuch: no matching entries in passwd file\r\n"),
    ],
)  # fmt: skip
def test_what_cannot_be_started_is_told_in_dockers_words(
    docker: Docker, box: str, options: list[str], command: str, code: int, words: str
) -> None:
    done = docker("exec", *options, box, command)
    assert (done.returncode, done.stderr) == (code, b"")
    assert done.stdout.decode().endswith(words)
    detached = docker("exec", "-d", *options, box, command)
    assert detached.returncode == 1
    assert words.strip() in detached.stderr.decode()


def test_stdin_reaches_the_exec_whole_and_its_end_leaves_the_output_open(docker: Docker, box: str) -> None:
    data = os.urandom(3 << 20)
    assert docker("exec", "-i", box, "sh", "-c", "cat; echo after", stdin=data).stdout == data + b"after\n"
    assert docker("exec", box, "cat", stdin=b"not asked for").stdout == b""


def test_a_detached_exec_goes_on_by_itself(docker: Docker, box: str) -> None:
    assert docker.ok("exec", "-d", box, "sh", "-c", "sleep 0.3; echo done > /tmp/detached") == ""
    eventually(lambda: docker("exec", box, "cat", "/tmp/detached").stdout == b"done\n")


def test_an_exec_goes_on_when_its_client_is_killed(docker: Docker, box: str) -> None:
    client = docker.start("exec", box, "sh", "-c", "echo up; sleep 1; yes | head -c 1000000; echo done > /tmp/killed")
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    client.kill()
    client.communicate()
    eventually(lambda: docker("exec", box, "cat", "/tmp/killed").stdout == b"done\n")


def test_thirty_execs_at_once_have_their_own_streams(docker: Docker, box: str) -> None:
    seen: list[tuple[int, bytes, bytes]] = []

    def run(number: int) -> None:
        text = b"%d\n" % number * 1000
        done = docker("exec", "-i", box, "sh", "-c", f"cat; echo {number} >&2; exit {number}", stdin=text)
        assert done.stdout == text
        seen.append((number, done.stderr, b"%d\n" % done.returncode))

    threads = [threading.Thread(target=run, args=(number,)) for number in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [(number, b"%d\n" % number, b"%d\n" % number) for number in range(30)]


def test_dropped_capabilities_and_privileges_are_dropped_for_execs_too(docker: Docker, image: str) -> None:
    container = docker.ok(
        "run", "-d", "--cap-drop", "ALL", "--security-opt", "no-new-privileges", image, "sleep", "1000"
    )
    seen = docker.ok("exec", container, "grep", "-E", "^(CapBnd|NoNewPrivs)", "/proc/self/status")
    assert seen.split() == ["CapBnd:", "0000000000000000", "NoNewPrivs:", "1"]
    docker.ok("rm", "-f", container)


def test_execs_are_refused_in_dockers_words(docker: Docker, image: str, box: str) -> None:
    privileged = docker("exec", "--privileged", box, "true")
    assert privileged.returncode == 1
    assert "Privileged (--privileged) is not supported on AWS Fargate" in privileged.stderr.decode()
    container = docker.ok("create", image, "true")
    assert f"Container {container} is not running" in docker("exec", container, "true").stderr.decode()
    docker.ok("start", "-a", container)
    assert f"Container {container} is not running" in docker("exec", container, "true").stderr.decode()
    docker.ok("rm", container)
    assert f"No such container: {container}" in docker("exec", container, "true").stderr.decode()


def test_execs_end_with_their_container(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sleep", "1000")
    client = docker.start("exec", container, "sh", "-c", "echo up; sleep 1000")
    assert client.stdout is not None
    assert client.stdout.readline() == b"up\n"
    assert len(json.loads(docker.inspect(container, "{{json .ExecIDs}}"))) == 1
    docker.ok("kill", container)
    assert client.wait(timeout=30) == 137
    assert docker.inspect(container, "{{json .ExecIDs}}") == "null"
    docker.ok("rm", container)


def test_the_sdk_runs_execs_in_every_way(sdk: docker_sdk.DockerClient, box: str) -> None:
    container = sdk.containers.get(box)
    both = ["sh", "-c", "sleep 0.2; echo out; echo err >&2; exit 3"]
    assert container.exec_run(both, demux=True) == (3, (b"out\n", b"err\n"))
    assert list(container.exec_run(["sh", "-c", "sleep 0.2; echo a; sleep 0.2; echo b"], stream=True).output) == [
        b"a\n", b"b\n",
    ]  # fmt: skip
    assert container.exec_run(["sleep", "2"], detach=True).exit_code is None
    assert container.exec_run(["sh", "-c", "sleep 0.2; echo $A; id -u"], environment={"A": "x"}, user="7").output == (
        b"x\n7\n"
    )


def test_the_sdks_socket_speaks_with_an_exec(sdk: docker_sdk.DockerClient, box: str) -> None:
    exec_id = sdk.api.exec_create(box, ["sh", "-c", "read a; echo got $a; cat; exit 9"], stdin=True)["Id"]
    assert state_of(sdk, exec_id) == (False, None)
    connection: Any = sdk.api.exec_start(exec_id, socket=True)._sock
    connection.sendall(b"hello\nrest")
    connection.shutdown(1)
    frames, decoder = b"", stdcopy.Decoder()
    while data := connection.recv(4096):
        frames += b"".join(frame.payload for frame in decoder.feed(data))
    connection.close()
    assert frames == b"got hello\nrest"
    assert state_of(sdk, exec_id) == (False, 9)
    with pytest.raises(APIError, match="has already run"):
        sdk.api.exec_start(exec_id, detach=True)


def test_inspect_is_final_before_the_stream_ends(sdk: docker_sdk.DockerClient, box: str) -> None:
    for code in range(20):
        exec_id = sdk.api.exec_create(box, ["sh", "-c", f"exit {code}"])["Id"]
        sdk.api.exec_start(exec_id)
        assert state_of(sdk, exec_id) == (False, code)


def test_a_new_daemon_knows_no_old_exec_and_runs_new_ones(
    docker: Docker, sdk: docker_sdk.DockerClient, image: str, crash: Callable[[], None]
) -> None:
    container = docker.ok("run", "-d", image, "sleep", "1000")
    exec_id = sdk.api.exec_create(container, ["sh", "-c", "sleep 2; echo done > /tmp/survived"])["Id"]
    sdk.api.exec_start(exec_id, detach=True)
    client = docker.start("exec", container, "sleep", "1000")
    eventually(lambda: b"sleep 1000" in docker("exec", container, "ps").stdout.split(b"\n", 2)[2])
    crash()
    assert client.wait(timeout=30) != 0
    with pytest.raises(NotFound, match=f"No such exec instance: {exec_id}"):
        sdk.api.exec_inspect(exec_id)
    eventually(lambda: docker("exec", container, "cat", "/tmp/survived").stdout == b"done\n")
    docker.ok("rm", "-f", container)
