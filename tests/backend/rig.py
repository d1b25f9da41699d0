"""One backend over a real store, FakeEcs and FakeAgents: starts, dies and starts again on demand."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

from sockerless import config as configuration
from sockerless.aws import ecs as aws_ecs
from sockerless.aws.session import Aws
from sockerless.backend import containers_create, reconcile
from sockerless.backend.agent_link import new_session
from sockerless.backend.callback import Callbacks
from sockerless.backend.context import Backend, spawn
from sockerless.backend.event_journal import EventJournal
from sockerless.backend.images_context import EcrAccess, ImageContext
from sockerless.backend.poller import Poller
from sockerless.ecs.state import TaskView, view
from sockerless.registry.client import Registry
from sockerless.store.base import Store
from sockerless.store.sqlite import open_store
from sockerless.types import Image, JsonObject
from tests.backend.fakes import FakeAgent, FakeEcs, FillingDisk

ENVIRONMENT = {
    "SOCKERLESS_ECS_SUBNETS": "subnet-1",
    "SOCKERLESS_ECS_CLUSTER": "test",
    "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/execution",
    "SOCKERLESS_AGENT_EFS_ID": "fs-1",
    "SOCKERLESS_AGENT_EFS_ACCESS_POINT": "fsap-1",
    "SOCKERLESS_AGENT_VERSION": "v1",
    "SOCKERLESS_START_TIMEOUT_S": "5",
}
IMAGE = Image(
    id="sha256:" + "1" * 64,
    config={"architecture": "amd64", "os": "linux", "config": {"Cmd": ["sh"], "Env": ["A=image", "B=image"]}},
    manifest_digest="sha256:" + "2" * 64,
    pull_reference="127.0.0.1:5000/img@sha256:" + "2" * 64,
    size_bytes=1,
    repo_tags=("img:latest",),
)
_NETWORK = f"127.{32 + os.getpid() % 200}.{os.getpid() // 200 % 256}"
"""This run's own part of the loopback network, so that several runs on one machine do not meet."""
_addresses = itertools.count(2)


class Rig:
    """backend: the daemon that lives now. agents: one per task, in order. prepare: sets a new agent's script.

    settings: variables beside ENVIRONMENT, for the next daemon. disk: its store. private: the address that ECS tells,
    None for the agent's own.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.settings: dict[str, str] = {}
        self.ecs = FakeEcs()
        self.agents: list[FakeAgent] = []
        self.prepare: Callable[[FakeAgent], None] = lambda agent: None
        self.answers = True
        self.private: str | None = None
        self.comes_up_after_s = 0.0
        self.ecs.on_run = self._on_run
        self._listening: set[asyncio.Task[None]] = set()

    async def boot(self) -> Backend:
        """A daemon starts over the store as it is."""
        directory = {"SOCKERLESS_STATE_DIR": str(self.directory)}
        settings = configuration.load({**ENVIRONMENT, **directory, **self.settings})
        self.disk = FillingDisk(open_store(settings.state_dir))
        store = cast(Store, self.disk)
        events, aws = EventJournal(store), cast(Aws, self.ecs)

        async def describe(arns: list[str]) -> dict[str, TaskView]:
            tasks = await aws_ecs.describe_tasks(aws, settings.cluster, arns)
            return {arn: view(task) for arn, task in tasks.items()}

        images = ImageContext(store, events, cast(Registry, None), cast(EcrAccess, None), ecr_repository=None)
        store.save_image(IMAGE)
        self.backend = Backend(settings, store, events, aws, images, Poller(describe), new_session(Callbacks()))
        spawn(self.backend, asyncio.create_task(self.backend.poller.run()))
        await reconcile.start_up(self.backend)
        return self.backend

    async def die(self) -> None:
        """kill -9: nothing is said to anybody; only the store's file stays as it is."""
        self.backend.store.close()
        ending = list(self.backend.background)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        await self.backend.agents.close()

    async def close(self) -> None:
        await self.die()
        for agent in self.agents:
            await agent.close()

    async def create(self, name: str | None = None, config: JsonObject | None = None, **host: Any) -> str:
        body = {"Image": "img", **(config or {})}
        return (await containers_create.create(self.backend, name, body, host, {}, ""))[0]

    def status(self, reference: str) -> str:
        return self.backend.store.find_containers(reference)[0].state.status

    def _on_run(self, task: dict[str, Any], env: dict[str, str]) -> None:
        agent = FakeAgent(f"{_NETWORK}.{next(_addresses)}", env)
        self.prepare(agent)
        self.agents.append(agent)
        if self.answers:
            work = asyncio.get_running_loop().create_task(self._come_up(agent, task["taskArn"]))
            self._listening.add(work)

    async def _come_up(self, agent: FakeAgent, arn: str) -> None:
        self.ecs.address(arn, self.private or agent.address)
        await asyncio.sleep(self.comes_up_after_s)
        await agent.listen()
        self.ecs.tasks[arn]["lastStatus"] = "RUNNING"


async def eventually(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Returns once condition holds; fails after timeout_s."""
    async with asyncio.timeout(timeout_s):
        while not condition():
            await asyncio.sleep(0.01)
