"""What every verb works with: configuration, store, AWS, the poller and the live sides. Values, no behaviour."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import aiohttp

from sockerless.aws import ecr
from sockerless.aws import ecs as aws_ecs
from sockerless.aws.session import Aws, open_aws
from sockerless.backend import task_events
from sockerless.backend.agent_link import new_session
from sockerless.backend.callback import Callbacks
from sockerless.backend.event_journal import EventJournal
from sockerless.backend.images_context import ImageContext, open_images
from sockerless.backend.live import Lives
from sockerless.backend.poller import Poller
from sockerless.config import Config
from sockerless.ecs.fargate import limits_of
from sockerless.ecs.state import TaskView, view
from sockerless.errors import SockerlessError
from sockerless.store.base import Store
from sockerless.store.sqlite import open_store

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Backend:
    """One running daemon.

    callbacks: the agents that may call. unused_definitions: set when definitions may be swept at once. to_restart:
    ids of containers whose restart policy wants them to run again. background: tasks that end with the daemon.
    """

    config: Config
    store: Store
    events: EventJournal
    aws: Aws
    images: ImageContext
    poller: Poller
    agents: aiohttp.ClientSession
    callbacks: Callbacks = field(default_factory=Callbacks)
    lives: Lives = field(default_factory=Lives)
    definition_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    unused_definitions: asyncio.Event = field(default_factory=asyncio.Event)
    to_restart: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    background: set[asyncio.Task[None]] = field(default_factory=set)


def spawn(backend: Backend, work: asyncio.Task[None]) -> None:
    """Keeps a background task until it ends; a failure is logged with its traceback."""
    backend.background.add(work)
    work.add_done_callback(lambda done: _ended(backend, done))


def _ended(backend: Backend, work: asyncio.Task[None]) -> None:
    backend.background.discard(work)
    error = None if work.cancelled() else work.exception()
    if isinstance(error, SockerlessError):
        log.error("background work %s failed: %s", work.get_name(), error)
    elif error is not None:
        log.error("background work %s failed", work.get_name(), exc_info=error)


@contextlib.asynccontextmanager
async def open_backend(config: Config) -> AsyncIterator[Backend]:
    """The backend over this configuration; containers keep running when it closes. Makes no AWS call by itself.

    InvalidParameter names variables that do not fit together.
    """
    limits_of(config)
    store = open_store(config.state_dir)
    events = EventJournal(store)
    aws = open_aws(config)
    callbacks = Callbacks()
    agents = new_session(callbacks)

    async def describe(arns: list[str]) -> dict[str, TaskView]:
        tasks = await aws_ecs.describe_tasks(aws, config.cluster, arns)
        return {arn: view(task) for arn, task in tasks.items()}

    async def ecr_credentials() -> ecr.EcrAuthorization:
        return await ecr.authorization(aws)

    async with open_images(config, store, events, ecr_credentials) as images:
        backend = Backend(config, store, events, aws, images, Poller(describe), agents, callbacks)
        spawn(backend, asyncio.create_task(backend.poller.run(), name="poller"))
        if config.events_queue_url:
            events_work = task_events.follow(aws, config.events_queue_url, config.cluster, backend.poller)
            spawn(backend, asyncio.create_task(events_work, name="task events"))
        try:
            yield backend
        finally:
            await _stop(backend)
            store.close()


async def _stop(backend: Backend) -> None:
    ending = list(backend.background)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
    await backend.agents.close()
    backend.aws.close()
