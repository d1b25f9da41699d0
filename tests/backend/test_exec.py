"""Exec verbs against real agent connections: what is asked, how it ends, and what a broken stream says."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from sockerless.backend import containers_remove, containers_start, containers_stop, exec, exec_instance
from sockerless.errors import Conflict, InvalidParameter, NotFound, Unavailable
from sockerless.types import Exec
from sockerless.wire import stdcopy
from sockerless.wire.agent import STDIN_EOF
from sockerless.wire.agent_exec import DISCARD, Refused
from tests.backend.fakes import FakeAgent
from tests.backend.rig import Rig, eventually

ALL = {"AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
NOW = {"detach": False, "tty": False, "console_size": None}


async def running(rig: Rig, config: dict[str, Any] | None = None, **host: Any) -> tuple[str, FakeAgent]:
    """A running container and its agent."""
    container = await rig.create(config=config, **host)
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)
    await containers_start.start(rig.backend, container)
    return container, rig.agents[-1]


async def read_all(attachment: Any) -> bytes:
    """Everything the client gets."""
    whole = b""
    async with asyncio.timeout(5):
        while data := await attachment.read():
            whole += data
    return whole


async def test_an_exec_gets_what_the_container_has_and_what_was_asked(rig: Rig) -> None:
    config = {"User": "app", "WorkingDir": "/srv", "Env": ["A=container", "C=container"]}
    container, agent = await running(rig, config, CapDrop=["NET_RAW"], SecurityOpt=["no-new-privileges"])
    asked = {"Cmd": ["x", ""], "Tty": True, "Env": ["A=exec", "B"], "ConsoleSize": [3, 4], **ALL}
    exec_id = exec.create(rig.backend, container, asked)
    await exec.start(rig.backend, exec_id, detach=False, tty=True, console_size=None)
    process = agent.execs.asked[0].process
    assert (process.argv, process.user, process.working_dir) == (["x", ""], "app", "/srv")
    assert (process.tty, process.height, process.width, process.open_stdin) == (True, 3, 4, True)
    assert (process.capabilities_drop, process.no_new_privileges) == (["NET_RAW"], True)
    assert process.env["A"] == "exec"
    assert (process.env["C"], process.env["TERM"], "B" in process.env) == ("container", "xterm", False)
    other = exec.create(rig.backend, container, {"Cmd": ["x"], "User": "7:8", "WorkingDir": "/tmp"})
    await exec.start(rig.backend, other, detach=True, tty=False, console_size=(5, 6))
    sent = agent.execs.asked[1]
    assert (sent.process.user, sent.process.working_dir, sent.process.height) == ("7:8", "/tmp", 5)
    assert (sent.raw, sent.stdout, sent.stderr, sent.process.open_stdin) == (False, False, False, False)


async def test_the_exit_code_is_known_when_the_output_ends(rig: Rig) -> None:
    container, _ = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["x"], **ALL})
    view = await exec.inspect(rig.backend, exec_id)
    assert (view.running, view.exit_code) == (False, None)
    assert exec.unfinished(rig.backend, rig.backend.store.container(container)) == [exec_id]
    attachment = await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]
    assert (await exec.inspect(rig.backend, exec_id)).pid == 8
    assert await read_all(attachment) == stdcopy.encode(stdcopy.STDOUT, b"hello\n")
    view = await exec.inspect(rig.backend, exec_id)
    assert (view.running, view.exit_code) == (False, 5)
    assert exec.unfinished(rig.backend, rig.backend.store.container(container)) == []
    with pytest.raises(Conflict, match=f"Error: Exec command {exec_id} has already run"):
        await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]


async def test_stdin_passes_and_its_end_leaves_the_output_open(rig: Rig) -> None:
    container, _ = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["cat"], **ALL})
    attachment = await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]
    with pytest.raises(Conflict, match="is already running"):
        await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]
    await attachment.write(b"abc")
    await attachment.write_eof()
    assert await read_all(attachment) == stdcopy.encode(stdcopy.STDOUT, b"abc")


@pytest.mark.parametrize(
    ("refusal", "kind", "code"),
    [
        (Refused("not_found", "no program"), InvalidParameter, 127),
        (Refused("permission", "not allowed"), InvalidParameter, 126),
        (Refused("invalid", "no user"), InvalidParameter, 126),
        (Refused("failed", "no directory"), InvalidParameter, 128),
        (Refused("conflict", "the process is not running"), Conflict, 126),
    ],
)
async def test_an_exec_that_cannot_start_has_dockers_exit_code(
    rig: Rig, refusal: Refused, kind: type[Exception], code: int
) -> None:
    container, agent = await running(rig)
    agent.execs.refusal = refusal
    exec_id = exec.create(rig.backend, container, {"Cmd": ["x"], **ALL})
    with pytest.raises(kind, match=f"Container {container} is not running" if kind is Conflict else refusal.message):
        await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]
    assert (await exec.inspect(rig.backend, exec_id)).exit_code == code
    with pytest.raises(InvalidParameter, match="exec process is not started"):
        await exec.resize(rig.backend, exec_id, 1, 2)


@pytest.mark.parametrize("leaves", ["detached", "gone", "wants nothing"])
async def test_the_exit_code_is_learned_without_a_client(rig: Rig, leaves: str) -> None:
    container, agent = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["hold"], **({} if leaves == "wants nothing" else ALL)})
    attachment = await exec.start(rig.backend, exec_id, detach=leaves == "detached", tty=False, console_size=None)
    if leaves == "gone":
        await attachment.close()
    assert await read_all(attachment) == b""
    await eventually(lambda: agent.execs.told == [STDIN_EOF, DISCARD])
    assert (await exec.inspect(rig.backend, exec_id)).running
    agent.execs.held.set_result(9)
    views: list[Exec] = []
    while not views or views[-1].running:
        views.append(await exec.inspect(rig.backend, exec_id))
        await asyncio.sleep(0)
    assert views[-1].exit_code == 9


async def test_a_broken_stream_is_told_to_the_client_and_the_agent_is_asked(rig: Rig) -> None:
    container, agent = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["hold"], **ALL})
    attachment = await exec.start(rig.backend, exec_id, **NOW)  # type: ignore[arg-type]
    agent.execs.held.set_result(-1)
    frames = stdcopy.Decoder().feed(await read_all(attachment))
    assert [frame.stream for frame in frames] == [stdcopy.SYSTEM_ERROR]
    assert b"the connection to the container's agent broke" in frames[0].payload
    with pytest.raises(Unavailable, match="broke"):
        await exec.inspect(rig.backend, exec_id)
    agent.execs.states[exec_id] = {"running": True, "code": None}
    assert (await exec.inspect(rig.backend, exec_id)).running
    agent.execs.states[exec_id] = {"running": False, "code": 4}
    view = await exec.inspect(rig.backend, exec_id)
    assert (view.running, view.exit_code) == (False, 4)


async def test_a_resize_waits_for_its_start(rig: Rig) -> None:
    container, agent = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["hold"], "Tty": True, **ALL})
    resizing = asyncio.create_task(exec.resize(rig.backend, exec_id, 7, 8))
    await asyncio.sleep(0)
    await exec.start(rig.backend, exec_id, detach=False, tty=True, console_size=None)
    await resizing
    assert agent.execs.sizes == {exec_id: (7, 8)}
    agent.execs.states[exec_id] = {}
    with pytest.raises(NotFound, match="no such exec"):
        await exec.resize(rig.backend, exec_id, 7, 8)


async def test_where_no_exec_can_be(rig: Rig) -> None:
    created = await rig.create()
    with pytest.raises(Conflict, match=f"Container {created} is not running"):
        exec.create(rig.backend, created, {"Cmd": ["x"]})
    container, _ = await running(rig)
    with pytest.raises(InvalidParameter, match=r"Invalid escape keys \(zzz\) provided"):
        exec.create(rig.backend, container, {"Cmd": ["x"], "DetachKeys": "zzz"})
    waiting = exec.create(rig.backend, container, {"Cmd": ["x"]})
    ran = exec.create(rig.backend, container, {"Cmd": ["x"], **ALL})
    await read_all(await exec.start(rig.backend, ran, **NOW))  # type: ignore[arg-type]
    record = rig.backend.store.container(container)
    rig.backend.store.save_container(replace(record, state=replace(record.state, status="paused")))
    for refused in (lambda: exec.create(rig.backend, container, {"Cmd": ["x"]}), lambda: exec.check(rig.backend, ran)):
        with pytest.raises(Conflict, match=f"Container {container} is paused, unpause the container before exec"):
            refused()
    rig.backend.store.save_container(record)
    await containers_stop.stop(rig.backend, container, 0, None)
    for missing in (waiting, "nope"):
        with pytest.raises(NotFound, match=f"No such exec instance: {missing}"):
            exec.check(rig.backend, missing)
    assert (await exec.inspect(rig.backend, ran)).exit_code == 5
    await containers_remove.remove(rig.backend, container, force=False, volumes=False)
    with pytest.raises(NotFound, match=f"No such exec instance: {ran}"):
        await exec.inspect(rig.backend, ran)


async def test_an_exec_of_an_earlier_run_is_gone(rig: Rig) -> None:
    container, _ = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["x"]})
    await containers_stop.restart(rig.backend, container, 0, None)
    with pytest.raises(NotFound, match="No such exec instance"):
        exec.check(rig.backend, exec_id)


async def test_instances_that_do_not_run_are_bounded(rig: Rig) -> None:
    container, _ = await running(rig)
    ids = [exec.create(rig.backend, container, {"Cmd": ["x"]}) for _ in range(exec_instance.MOST + 2)]
    assert exec.unfinished(rig.backend, rig.backend.store.container(container)) == ids[2:]


async def test_the_detach_keys_end_the_client_and_not_the_process(rig: Rig) -> None:
    container, agent = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["hold"], "Tty": True, "DetachKeys": "ctrl-a,x", **ALL})
    attachment = await exec.start(rig.backend, exec_id, detach=False, tty=True, console_size=None)
    await attachment.write(b"\x01x")
    assert await read_all(attachment) == b""
    await eventually(lambda: DISCARD in agent.execs.told)
    assert (await exec.inspect(rig.backend, exec_id)).running
    assert "exec_detach" in [event.action for event in rig.backend.store.events(0, 100)]


async def test_execs_are_told_as_events(rig: Rig) -> None:
    container, _ = await running(rig)
    exec_id = exec.create(rig.backend, container, {"Cmd": ["sh", "-c", "true"], **ALL})
    await read_all(await exec.start(rig.backend, exec_id, **NOW))  # type: ignore[arg-type]
    told = [event for event in rig.backend.store.events(0, 100) if event.action.startswith("exec_")]
    assert [event.action for event in told] == ["exec_create: sh -c true", "exec_start: sh -c true", "exec_die"]
    assert {event.attributes["execID"] for event in told} == {exec_id}
    assert told[-1].attributes["exitCode"] == "5"
