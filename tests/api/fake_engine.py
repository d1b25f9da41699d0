"""A small engine in memory: every verb of the API over a dictionary of containers and a few programs."""

from __future__ import annotations

import asyncio
import itertools
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from sockerless.api.verbs import AttachRequest, PullRequest, Verbs
from sockerless.errors import Conflict, InvalidParameter, NotFound, NotModified, SockerlessError, SystemFailure
from sockerless.types import Container, ContainerState, Event, Image, JsonObject, TaskBinding, TaskSize
from sockerless.wire.agent import LogQuery
from tests.api.fake_archive import FakeArchive
from tests.api.fake_exec import FakeExecs
from tests.api.fake_process import PROGRAMS, FakeAttachment, FakeProcess

BUSYBOX = Image(
    id="sha256:" + "7" * 64,
    config={
        "architecture": "amd64",
        "os": "linux",
        "created": "2026-11-24T03:08:47.141094502Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["sh"]},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:" + "6" * 64]},
    },
    manifest_digest="sha256:" + "5" * 64,
    pull_reference="registry.example/busybox@sha256:" + "5" * 64,
    size_bytes=1984210,
    repo_tags=("busybox:test",),
)


@dataclass(frozen=True)
class Waited:
    """What a wait is answered."""

    status_code: int
    error: str | None = None


@dataclass
class FakeLogs:
    """Kept output."""

    tty: bool
    chunks: AsyncGenerator[bytes]


class FakeEngine(FakeArchive, FakeExecs):
    """Containers in a dictionary; every method is the verb of the same name."""

    def __init__(self) -> None:
        super().__init__()
        self.containers: dict[str, Container] = {}
        self.processes: dict[str, FakeProcess] = {}
        self.exits: dict[str, list[asyncio.Future[Waited]]] = {}
        self.removals: dict[str, list[asyncio.Future[Waited]]] = {}
        self.images = [BUSYBOX]
        self.calls: list[tuple[Any, ...]] = []
        self.failure: Exception | None = None
        self.pull_lines: list[JsonObject | SockerlessError] = []
        self.uploaded: list[tuple[Path, int, bool]] = []
        self.abandoned_waits = 0
        self.told: list[Event] = []
        self._running: set[asyncio.Task[None]] = set()
        self._ids = itertools.count(1)

    def verbs(self) -> Verbs:
        return Verbs(**{field.name: getattr(self, field.name) for field in fields(Verbs)})

    def info(self) -> JsonObject:
        return {"ID": "fake", "Name": "fake", "OSType": "linux", "ServerVersion": "0.1.0", "NCPU": 16}

    def version(self) -> JsonObject:
        return {"Version": "0.1.0", "Os": "linux", "Arch": "amd64", "Components": [{"Name": "Engine", "Details": {}}]}

    async def create(
        self, name: str | None, config: JsonObject, host: JsonObject, network: JsonObject, platform: str
    ) -> tuple[str, list[str]]:
        self.calls.append(("create", name, config, host, network, platform))
        if self.failure:
            raise self.failure
        self.find_image(config["Image"])
        number = next(self._ids)
        container_id = f"{number:02x}" * 32
        if any(other.name == name for other in self.containers.values()):
            raise Conflict(f'Conflict. The container name "/{name}" is already in use by container "{container_id}".')
        entrypoint, cmd = config.get("Entrypoint") or [], config.get("Cmd") or []
        self.processes[container_id] = FakeProcess([*entrypoint, *cmd], tty=bool(config.get("Tty")))
        self.containers[container_id] = Container(
            id=container_id,
            name=name or f"fake_{number}",
            created_at_ns=time.time_ns(),
            image=config["Image"],
            image_id=BUSYBOX.id,
            platform=platform or "linux/amd64",
            config=config,
            host_config=host,
            networking_config=network,
            size=TaskSize(256, 512),
            task_definition_arn="arn:aws:ecs:eu-central-1:123456789012:task-definition/fake:1",
        )
        return container_id, []

    def find(self, reference: str) -> Container:
        for container in self.containers.values():
            if reference.removeprefix("/") == container.name or container.id.startswith(reference):
                return container
        raise NotFound(f"No such container: {reference}")

    def list_containers(self, filters: Any, everything: bool, limit: int) -> list[Container]:
        self.calls.append(("list", dict(filters), everything, limit))
        return [each for each in self.containers.values() if everything or each.state.status == "running"]

    async def start(self, reference: str) -> None:
        container = self.find(reference)
        if container.state.status == "running":
            raise NotModified("already started")
        if self.failure:
            raise self.failure
        binding = TaskBinding("token", None, "arn", "10.0.0.7")  # type: ignore[arg-type]  # the API never looks
        state = ContainerState(status="running", pid=7, started_at_ns=time.time_ns())
        self.containers[container.id] = replace(container, state=state, task=binding)
        task = asyncio.create_task(self._run(container.id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, container_id: str) -> None:
        process = self.processes[container_id]
        code = await PROGRAMS[process.argv[0]](process)
        await process.end()
        container = self.containers[container_id]
        state = replace(container.state, status="exited", exit_code=code, finished_at_ns=time.time_ns())
        self.containers[container_id] = replace(container, state=state)
        self._answer(self.exits, container_id, code)
        if container.host_config.get("AutoRemove"):
            del self.containers[container_id]
            self._answer(self.removals, container_id, code)

    def _answer(self, waiters: dict[str, list[asyncio.Future[Waited]]], container_id: str, code: int) -> None:
        for waiter in waiters.pop(container_id, []):
            if not waiter.done():
                waiter.set_result(Waited(code))

    async def stop(self, reference: str, timeout_s: int | None, signal: str | None) -> None:
        self.calls.append(("stop", reference, timeout_s, signal))
        self.processes[self.find(reference).id].killed.set()

    async def restart(self, reference: str, timeout_s: int | None, signal: str | None) -> None:
        self.calls.append(("restart", reference, timeout_s, signal))
        self.find(reference)

    async def kill(self, reference: str, signal: str) -> None:
        container = self.find(reference)
        self.calls.append(("kill", container.name, signal))
        if signal == "FOO":
            raise InvalidParameter("Invalid signal: FOO")
        if container.state.status != "running":
            raise Conflict(f"Cannot kill container: {reference}: Container {container.id} is not running")
        self.processes[container.id].killed.set()

    def begin_wait(self, reference: str, condition: str) -> asyncio.Future[Waited]:
        container = self.find(reference)
        waiter: asyncio.Future[Waited] = asyncio.get_running_loop().create_future()
        if condition == "foo":
            raise InvalidParameter('invalid condition: "foo"')
        if condition in {"", "not-running"} and container.state.status != "running":
            waiter.set_result(Waited(container.state.exit_code))
        waiters = self.removals if condition == "removed" else self.exits
        waiters.setdefault(container.id, []).append(waiter)
        waiter.add_done_callback(self._count_abandoned)
        return waiter

    def _count_abandoned(self, waiter: asyncio.Future[Waited]) -> None:
        self.abandoned_waits += waiter.cancelled()

    async def remove(self, reference: str, force: bool, volumes: bool) -> None:
        container = self.find(reference)
        self.calls.append(("remove", container.name, force, volumes))
        if container.state.status == "running" and not force:
            raise Conflict(f"You cannot remove a running container {container.id}.")
        del self.containers[container.id]

    async def prune(self, chosen: Callable[[Container], bool]) -> list[str]:
        gone = [each.id for each in self.containers.values() if each.state.status != "running" and chosen(each)]
        for container_id in gone:
            del self.containers[container_id]
        return gone

    async def rename(self, reference: str, new_name: str) -> None:
        container = self.find(reference)
        if not new_name:
            raise InvalidParameter("Neither old nor new names may be empty")
        self.containers[container.id] = replace(container, name=new_name)

    async def attach(self, reference: str, asked: AttachRequest) -> FakeAttachment:
        process = self.processes[self.find(reference).id]
        self.calls.append(("attach", asked))
        if asked.detach_keys == "zzz":
            raise InvalidParameter("Invalid detach keys (zzz) provided")
        attachment = FakeAttachment(process, asked)
        if asked.stream:
            process.attachments.add(attachment)
        else:
            attachment.closed.set()
        return attachment

    async def resize(self, reference: str, height: int, width: int) -> None:
        self.processes[self.find(reference).id].size = (height, width)

    async def pause(self, reference: str) -> None:
        container = self.find(reference)
        if container.state.status == "paused":
            raise Conflict(f"Container {container.id} is already paused")
        self.containers[container.id] = replace(container, state=replace(container.state, status="paused"))

    async def unpause(self, reference: str) -> None:
        container = self.find(reference)
        if container.state.status != "paused":
            raise SystemFailure(f"Container {container.id} is not paused")
        self.containers[container.id] = replace(container, state=replace(container.state, status="running"))

    async def top(self, reference: str, ps_args: str) -> JsonObject:
        self.calls.append(("top", self.find(reference).name, ps_args))
        return {"Processes": [["7", "sleep 60"]], "Titles": ["PID", "CMD"]}

    def stats(self, reference: str, stream: bool, one_shot: bool) -> AsyncIterator[JsonObject]:
        self.calls.append(("stats", self.find(reference).name, stream, one_shot))
        return self._samples()

    async def _samples(self) -> AsyncIterator[JsonObject]:
        if self.failure:
            raise self.failure
        for number in (1, 2):
            yield {"name": "/fake", "number": number}

    async def update(self, reference: str, changes: JsonObject) -> list[str]:
        self.calls.append(("update", self.find(reference).name, changes))
        return ["rounded"] if "Memory" in changes else []

    async def logs(self, reference: str, query: LogQuery) -> FakeLogs:
        container = self.find(reference)
        self.calls.append(("logs", query))
        process = self.processes[container.id]
        return FakeLogs(process.tty, self._kept(container.id, process, query))

    async def _kept(self, container_id: str, process: FakeProcess, query: LogQuery) -> AsyncGenerator[bytes]:
        for piece in list(process.journal):
            yield piece
        if self.failure:
            raise self.failure
        if query.follow and self.containers[container_id].state.status != "exited":
            await self.begin_wait(container_id, "next-exit")

    def find_image(self, reference: str) -> Image:
        for image in self.images:
            if reference in image.repo_tags or image.id.startswith(reference):
                return image
        raise NotFound(f"No such image: {reference if ':' in reference else reference + ':latest'}")

    def list_images(self, filters: Any, everything: bool) -> list[Image]:
        return self.images

    async def events(self, filters: Any, since_ns: int | None, until_ns: int | None) -> AsyncIterator[Event]:
        self.calls.append(("events", dict(filters), since_ns, until_ns))
        for event in self.told:
            yield event
        while until_ns is None:
            await asyncio.sleep(3600)

    async def pull(self, asked: PullRequest) -> AsyncIterator[JsonObject]:
        self.calls.append(("pull", asked))
        for line in self.pull_lines:
            if isinstance(line, SockerlessError):
                raise line
            yield line

    async def load(self, archive: Path, quiet: bool) -> AsyncIterator[JsonObject]:
        self.uploaded.append((archive, os.path.getsize(archive), quiet))  # noqa: ASYNC240 - one stat
        yield {"stream": "Loaded image: busybox:test\n"}

    def tag_image(self, reference: str, repo: str, tag: str) -> None:
        self.find_image(reference)
        self.calls.append(("tag", reference, repo, tag))

    def remove_image(self, reference: str, force: bool, prune: bool) -> list[JsonObject]:
        self.find_image(reference)
        self.calls.append(("remove_image", reference, force, prune))
        return [{"Untagged": reference}]
