"""Exec over HTTP: bodies, hijacked heads byte for byte, half-close, what is refused where, the CLI and the SDK."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import docker
import pytest

from sockerless.wire import stdcopy
from tests.api.conftest import Served

HEADERS = b"Api-Version: 1.44\r\nDocker-Experimental: false\r\nOstype: linux\r\nServer: Docker/"
ALL = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}


async def running(served: Served) -> str:
    """A container that runs; its id."""
    body = {"Image": "busybox:test", "Cmd": ["sleep"]}
    _, _, answer = await served.request("POST", "/containers/create?name=a", body)
    await served.request("POST", "/containers/a/start")
    return str(json.loads(answer)["Id"])


async def created(served: Served, *argv: str, **config: Any) -> str:
    """An exec's id."""
    status, _, answer = await served.request("POST", "/v1.44/containers/a/exec", {"Cmd": argv, **ALL, **config})
    assert status == 201, answer
    return str(json.loads(answer)["Id"])


def start_request(exec_id: str, body: Any, version: str = "v1.44", *, upgrade: bool = True) -> bytes:
    """The bytes of an exec start as the docker CLI sends it."""
    data = json.dumps(body).encode()
    lines = [f"POST /{version}/exec/{exec_id}/start HTTP/1.1", "Host: x", f"Content-Length: {len(data)}"]
    lines += ["Connection: Upgrade", "Upgrade: tcp"] if upgrade else []
    return "\r\n".join([*lines, "Content-Type: application/json"]).encode() + b"\r\n\r\n" + data


async def inspected(served: Served, exec_id: str) -> dict[str, Any]:
    """GET /exec/{id}/json."""
    _, _, answer = await served.request("GET", f"/exec/{exec_id}/json")
    view: dict[str, Any] = json.loads(answer)
    return view


@pytest.mark.parametrize(
    ("version", "tty", "upgrade", "head"),
    [
        ("v1.41", False, True, b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"),
        ("v1.42", False, True, b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.multiplexed-stream\r\n"),
        ("v1.44", True, True, b"HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\n"),
        ("v1.44", False, False, b"HTTP/1.1 200 OK\r\nContent-Type: application/vnd.docker.raw-stream\r\n"),
    ],
)
async def test_the_head_of_a_hijacked_start(
    served: Served, version: str, tty: bool, upgrade: bool, head: bytes
) -> None:
    await running(served)
    exec_id = await created(served, "echo", "hi", Tty=tty)
    answer = await served.exchange(start_request(exec_id, {"Tty": tty}, version, upgrade=upgrade))
    upgraded = b"Connection: Upgrade\r\nUpgrade: tcp\r\n" if upgrade else b""
    assert answer.startswith(head + upgraded + HEADERS)
    assert answer.endswith(b"\r\n\r\nhi\n" if tty else b"\r\n\r\n\x01\0\0\0\0\0\0\x03hi\n")


async def test_inspect_says_what_was_asked_and_how_it_ended(served: Served) -> None:
    container = await running(served)
    exec_id = await created(served, "both", "x y", User="app", DetachKeys="ctrl-a,x")
    view = await inspected(served, exec_id)
    assert view == {
        "ID": exec_id, "Running": False, "ExitCode": None, "OpenStdin": True, "OpenStderr": True, "OpenStdout": True,
        "CanRemove": False, "ContainerID": container, "DetachKeys": "AXg=", "Pid": 0,
        "ProcessConfig": {
            "tty": False, "entrypoint": "both", "arguments": ["x y"], "privileged": False, "user": "app",
        },
    }  # fmt: skip
    _, _, answer = await served.request("GET", "/containers/a/json")
    assert json.loads(answer)["ExecIDs"] == [exec_id]
    await served.exchange(start_request(exec_id, {}))
    view = await inspected(served, exec_id)
    assert (view["Running"], view["ExitCode"], view["Pid"]) == (False, 3, 9)
    _, _, answer = await served.request("GET", "/containers/a/json")
    assert json.loads(answer)["ExecIDs"] is None


async def test_output_still_flows_after_the_client_closed_its_side(served: Served) -> None:
    await running(served)
    exec_id = await created(served, "cat")
    answer = await served.exchange(start_request(exec_id, {}) + b"early", half_close=True)
    assert answer.endswith(b"\r\n\r\n\x01\0\0\0\0\0\0\x05early")


async def test_a_detached_start_is_answered_at_once_and_empty(served: Served) -> None:
    await running(served)
    exec_id = await created(served, "sleep")
    status, headers, body = await served.request("POST", f"/exec/{exec_id}/start", {"Detach": True})
    assert (status, headers["content-length"], body) == (200, "0", b"")
    assert (await inspected(served, exec_id))["Running"] is True


async def test_what_cannot_be_started_is_one_frame_or_when_detached_an_error(served: Served) -> None:
    await running(served)
    for tty, upgrade in ((False, True), (True, True), (False, False)):
        answer = await served.exchange(
            start_request(await created(served, "nosuch", Tty=tty), {"Tty": tty}, upgrade=upgrade)
        )
        sentence = b"executable file not found in $PATH: unknown\r\n"
        assert answer.endswith(b"\r\n\r\n" + (sentence if tty else stdcopy.encode(stdcopy.STDOUT, sentence)))
    exec_id = await created(served, "nosuch")
    status, _, body = await served.request("POST", f"/exec/{exec_id}/start", {"Detach": True})
    assert (status, json.loads(body)) == (400, {"message": "executable file not found in $PATH: unknown"})
    assert (await inspected(served, exec_id))["ExitCode"] == 127
    status, _, body = await served.request("POST", f"/exec/{exec_id}/start", {"Detach": True})
    assert (status, json.loads(body)) == (409, {"message": f"Error: Exec command {exec_id} has already run"})
    answer = await served.exchange(start_request(exec_id, {}))
    assert answer.startswith(b"HTTP/1.1 101 UPGRADED")
    assert answer.endswith(f"Error: Exec command {exec_id} has already run\r\n".encode())


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "message"),
    [
        ("POST", "/containers/a/exec", {"AttachStdout": True}, 400, "No exec command specified"),
        ("POST", "/containers/a/exec", {"Cmd": []}, 400, "No exec command specified"),
        ("POST", "/containers/a/exec", {"Cmd": "true"}, 400, "ExecConfig.Cmd must be a list of strings"),
        ("POST", "/containers/a/exec", {"Cmd": ["true"], "Tty": 1}, 400, "ExecConfig.Tty must be a boolean"),
        ("POST", "/containers/a/exec", {"Cmd": ["true"], "ConsoleSize": [1]}, 400, "ConsoleSize must be"),
        ("POST", "/containers/a/exec", {"Cmd": ["true"], "Privileged": True}, 400, "no process is privileged"),
        ("POST", "/containers/a/exec", None, 400, "EOF"),
        ("POST", "/containers/nosuch/exec", {"Cmd": ["true"]}, 404, "No such container: nosuch"),
        ("POST", "/containers/b/exec", {"Cmd": ["true"]}, 409, " is not running"),
        ("POST", "/exec/nope/start", {}, 404, "No such exec instance: nope"),
        ("POST", "/exec/nope/start", {"Detach": True}, 404, "No such exec instance: nope"),
        ("POST", "/exec/nope/start", {"ConsoleSize": "x"}, 400, "ConsoleSize must be a list of integers"),
        ("POST", "/exec/nope/start", None, 400, "EOF"),
        ("GET", "/exec/nope/json", None, 404, "No such exec instance: nope"),
        ("POST", "/exec/nope/resize?h=1&w=2", None, 404, "No such exec instance: nope"),
        ("POST", "/exec/nope/resize?h=a&w=2", None, 400, 'strconv.Atoi: parsing "a": invalid syntax'),
    ],
)
async def test_refusals_are_json_before_the_upgrade(
    served: Served, method: str, path: str, body: Any, status: int, message: str
) -> None:
    await running(served)
    await served.request("POST", "/containers/create?name=b", {"Image": "busybox:test", "Cmd": ["sleep"]})
    got, _, answer = await served.request(method, path, body, {"Upgrade": "tcp", "Connection": "Upgrade"})
    assert got == status
    assert message in json.loads(answer)["message"]


@pytest.mark.parametrize(("version", "expected"), [("v1.41", None), ("v1.42", (5, 9))])
async def test_the_console_size_is_for_versions_that_know_it(
    served: Served, version: str, expected: tuple[int, int] | None
) -> None:
    await running(served)
    exec_id = await created(served, "echo", Tty=True)
    await served.exchange(start_request(exec_id, {"Tty": True, "ConsoleSize": [5, 9]}, version))
    assert served.engine.exec_starts[0][1].console_size == expected
    await served.request("POST", f"/exec/{exec_id}/resize?h=7&w=8")
    assert served.engine.exec_sizes[exec_id] == (7, 8)


async def test_the_cli_runs_an_exec_with_stdin_and_its_exit_code(served: Served) -> None:
    await running(served)
    assert await served.docker("exec", "-i", "a", "cat", stdin=b"through") == (0, b"through", b"")
    assert await served.docker("exec", "a", "both") == (3, b"out\n", b"err\n")
    assert await served.docker("exec", "-d", "a", "echo") == (0, b"", b"")
    code, out, _ = await served.docker("exec", "a", "nosuch")
    assert (code, out) == (127, b"executable file not found in $PATH: unknown\r\n")


async def test_the_sdk_runs_an_exec(served: Served) -> None:
    await running(served)

    def runs() -> tuple[Any, Any]:
        client = docker.DockerClient(base_url=served.host, timeout=10)
        try:
            container = client.containers.get("a")
            return container.exec_run(["both"], demux=True), container.exec_run(["echo", "x"], stream=True)
        finally:
            client.close()

    demuxed, streamed = await asyncio.to_thread(runs)
    assert demuxed == (3, (b"out\n", b"err\n"))
    assert await asyncio.to_thread(list, streamed.output) == [b"x\n"]
