"""A container's new task: the intent (client token) on record, RunTask and its outcome, its agent's first word."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace

from sockerless.aws import ecs as aws_ecs
from sockerless.backend import credentials, definitions, images_find
from sockerless.backend.agent_link import AgentLink
from sockerless.backend.containers_create import shape_of
from sockerless.backend.context import Backend
from sockerless.backend.supervise import supervise
from sockerless.ecs import tags
from sockerless.ecs.state import view
from sockerless.ecs.taskdef import log_stream, run_task
from sockerless.errors import DeadlineExceeded, SockerlessError
from sockerless.types import Container, JsonObject, TaskBinding

_UNREACHABLE = (
    "check that the security groups let this machine reach port 9111 of the task, or use SOCKERLESS_CALLBACK_URL"
)
_UNREACHED = "check that tasks can reach SOCKERLESS_CALLBACK_URL; their log in CloudWatch says what they were answered"


class Laps:
    """How long each step of a start took, for the log: what is slow is AWS's, the network's or ours."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._told: list[str] = []

    def end(self, step: str) -> None:
        """The step ends now, and the next begins."""
        now_s = time.monotonic()
        self._told.append(f"{step} {now_s - self._began_s:.3f} s")
        self._began_s = now_s

    def __str__(self) -> str:
        return ", ".join(self._told)


async def launch(backend: Backend, container: Container, laps: Laps) -> AgentLink:
    """A new task for the container; its agent's link. AWS's reason when there is none; DeadlineExceeded
    when it does not answer in time.
    """
    made = credentials.make(backend.config.agent_token)
    binding = TaskBinding(secrets.token_hex(16), made, calls=bool(backend.config.callback_url))
    container = replace(container, task=binding)
    backend.store.save_container(container)
    laps.end("credentials and record")
    task = await _run_task(backend, container, binding)
    laps.end("RunTask")
    arn = str(task["taskArn"])
    stream = log_stream(arn)
    container = replace(
        backend.store.container(container.id),
        task=replace(binding, task_arn=arn, log_stream=stream),
        log_streams=(*container.log_streams, stream),
        last_log_ns=-1,
    )
    backend.store.save_container(container)
    supervise(backend, container, view(task))
    try:
        async with asyncio.timeout(backend.config.start_timeout_s):
            link = await backend.lives.of(container.id).linked()
    except TimeoutError:
        raise DeadlineExceeded(
            f"the agent of task {arn} did not answer within {backend.config.start_timeout_s:g} s; "
            + (_UNREACHED if backend.config.callback_url else _UNREACHABLE)
        ) from None
    laps.end("its task and agent")
    return link


async def _run_task(backend: Backend, container: Container, binding: TaskBinding) -> JsonObject:
    """RunTask; a definition that was deregistered behind our back is registered again, once."""
    try:
        return await aws_ecs.run_task(backend.aws, _request(backend, container, binding))
    except SockerlessError as error:
        if "inactive" not in str(error).lower():
            raise
    image = images_find.find(backend.images, container.image_id)
    shape = shape_of(backend.config, image, container.host_config, container.size)
    container = replace(container, task_definition_arn=await definitions.register_again(backend, shape))
    backend.store.save_container(container)
    return await aws_ecs.run_task(backend.aws, _request(backend, container, binding))


def _request(backend: Backend, container: Container, binding: TaskBinding) -> JsonObject:
    config, daemon = backend.config, backend.store.installation_id()
    return run_task(
        cluster=config.cluster,
        definition_arn=container.task_definition_arn,
        binding=binding,
        subnets=config.subnets,
        security_groups=config.security_groups,
        public_ip=config.public_ip,
        started_by=started_by(daemon),
        tags=tags.task_tags(daemon, container.id, container.name, config.cluster),
        patience_s=config.start_timeout_s,
        callback_url=config.callback_url,
        capacity_providers=config.capacity_providers,
    )


def started_by(installation_id: str) -> str:
    """RunTask's startedBy for every task of this daemon: ListTasks can filter by it."""
    return f"sockerless/{installation_id}"
