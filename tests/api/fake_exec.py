"""The fake engine's execs: instances in a dictionary, the programs of fake_process.py."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from sockerless.api.verbs import AttachRequest, ExecStart
from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.types import Container, Exec, JsonObject
from tests.api.fake_process import PROGRAMS, FakeAttachment, FakeProcess

SPAWN_S = 0.05
"""What a spawn takes. The SDK loses output that it receives in one piece with the head, from dockerd's start too."""


class FakeExecs:
    """The verbs of execs; find is the engine's."""

    find: Any

    def __init__(self) -> None:
        self.execs: dict[str, Exec] = {}
        self.exec_processes: dict[str, FakeProcess] = {}
        self.exec_starts: list[tuple[str, ExecStart]] = []
        self.exec_sizes: dict[str, tuple[int, int]] = {}
        self._running_execs: set[asyncio.Task[None]] = set()

    def create_exec(self, reference: str, config: JsonObject) -> str:
        container = self.find(reference)
        if container.state.status != "running":
            raise Conflict(f"Container {container.id} is not running")
        number = f"{len(self.execs):064x}"
        defaults = {"AttachStdin": False, "AttachStdout": False, "AttachStderr": False, "Tty": False}
        self.execs[number] = Exec(number, container.id, {**defaults, "User": "", "DetachKeys": "", **config})
        return number

    def check_exec(self, exec_id: str) -> None:
        if exec_id not in self.execs:
            raise NotFound(f"No such exec instance: {exec_id}")

    async def start_exec(self, exec_id: str, asked: ExecStart) -> FakeAttachment:
        self.exec_starts.append((exec_id, asked))
        view = self.execs[exec_id]
        config = view.config
        if view.running or view.exit_code is not None:
            raise Conflict(f"Error: Exec command {exec_id} has already run")
        if config["Cmd"][0] not in PROGRAMS:
            self.execs[exec_id] = replace(view, exit_code=127)
            raise InvalidParameter("executable file not found in $PATH: unknown")
        await asyncio.sleep(SPAWN_S)
        process = self.exec_processes[exec_id] = FakeProcess(config["Cmd"], tty=asked.tty)
        streams = AttachRequest(config["AttachStdin"], True, True, stream=True, logs=False, detach_keys="")
        attachment = FakeAttachment(process, streams)
        if not asked.detach:
            process.attachments.add(attachment)
        self.execs[exec_id] = replace(view, running=True, pid=9)
        task = asyncio.create_task(self._run_exec(exec_id, process))
        self._running_execs.add(task)
        task.add_done_callback(self._running_execs.discard)
        return attachment

    async def _run_exec(self, exec_id: str, process: FakeProcess) -> None:
        code = await PROGRAMS[process.argv[0]](process)
        self.execs[exec_id] = replace(self.execs[exec_id], running=False, exit_code=code)
        await process.end()

    async def inspect_exec(self, exec_id: str) -> Exec:
        self.check_exec(exec_id)
        return self.execs[exec_id]

    async def resize_exec(self, exec_id: str, height: int, width: int) -> None:
        self.check_exec(exec_id)
        self.exec_sizes[exec_id] = (height, width)

    def unfinished_execs(self, container: Container) -> list[str]:
        owned = (each for each in self.execs.values() if each.container_id == container.id)
        return [each.id for each in owned if each.exit_code is None]
