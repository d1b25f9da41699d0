"""docker create: the whole request is settled before anything is written, and nothing runs yet."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Literal

from sockerless.backend import container_config, definitions, events, images_find, names, port_bindings, restart_policy
from sockerless.backend.context import Backend
from sockerless.config import FILL_COMMAND, Config
from sockerless.ecs.fargate import limits_of, rounding_note, size_for
from sockerless.ecs.taskdef import AgentDelivery, Shape
from sockerless.errors import NotFound, NotSupported
from sockerless.registry.manifest import config_platform, wanted_platforms
from sockerless.types import Container, Image, JsonObject, TaskSize

_ARCHITECTURES: dict[str, Literal["X86_64", "ARM64"]] = {"amd64": "X86_64", "arm64": "ARM64"}


async def create(
    backend: Backend,
    name: str | None,
    config: JsonObject,
    host_config: JsonObject,
    networking_config: JsonObject,
    platform: str,
) -> tuple[str, list[str]]:
    """(the new container's id, warnings). platform: "linux/arm64" or "" for the image's own.

    NotFound when the image is not known; InvalidParameter, NotSupported or Conflict (name taken) in Docker's words.
    Registers the task definition of this shape unless an equal one exists.
    """
    asked_name = names.checked(name) if name else None
    image = images_find.find(backend.images, str(config.get("Image") or ""))
    _check_platform(image, str(config.get("Image")), platform)
    merged = container_config.merge(config, image.config.get("config") or {})
    container_config.stop_signal(merged)
    restart_policy.check(host_config)
    port_bindings.wanted(merged, host_config)
    container_config.check_names(merged, host_config)
    nano_cpus, memory_bytes = container_config.nano_cpus(host_config), int(host_config.get("Memory") or 0)
    size = size_for(nano_cpus, memory_bytes, limits_of(backend.config))
    shape = shape_of(backend.config, image, host_config, size)
    container = Container(
        id=names.new_id(),
        name=asked_name or names.invent({container.name for container in backend.store.containers()}),
        created_at_ns=time.time_ns(),
        image=str(config.get("Image")),
        image_id=image.id,
        platform=platform or f"linux/{image.config.get('architecture', 'amd64')}",
        config=merged,
        host_config=host_config,
        networking_config=networking_config,
        size=size,
        task_definition_arn=definitions.on_record(backend, shape) or "",
    )
    backend.store.save_container(container)
    if not container.task_definition_arn:
        container = await _with_definition(backend, container, shape)
    events.emit(backend, container, "create")
    rounding = rounding_note(nano_cpus, memory_bytes, size)
    return container.id, [*([rounding] if rounding else []), *port_bindings.left_out(merged, host_config)]


async def _with_definition(backend: Backend, container: Container, shape: Shape) -> Container:
    """The container, which is on record already, with a definition that AWS was asked for; gone when that fails."""
    try:
        arn = await definitions.ensure(backend, shape)
    except BaseException:
        backend.store.delete_container(container.id)
        raise
    container = replace(container, task_definition_arn=arn)
    backend.store.save_container(container)
    return container


def _check_platform(image: Image, reference: str, platform: str) -> None:
    """NotFound, in Docker's words, when the image is not for the platform asked for: the CLI pulls that one then."""
    actual = config_platform(image.config)
    if platform and actual not in wanted_platforms(platform):
        raise NotFound(
            f"image with reference {reference} was found but does not match the specified platform: "
            f"wanted {platform}, actual: {actual}"
        )


def shape_of(config: Config, image: Image, host_config: JsonObject, size: TaskSize) -> Shape:
    """What of a container stands in its task definition; NotSupported where Fargate or the agent cannot run it."""
    architecture = str(image.config.get("architecture") or "amd64")
    if architecture not in _ARCHITECTURES:
        raise NotSupported(
            f"image {image.id} is built for {architecture}; Fargate runs linux/amd64 and linux/arm64: "
            "use an image built for one of them"
        )
    if _ARCHITECTURES[architecture] != config.agent_architecture:
        raise NotSupported(
            f"image {image.id} is built for linux/{architecture}, but the agent of this deployment is built for "
            f"{config.agent_architecture}: use the image for that platform (--platform), or run `{FILL_COMMAND}` on a "
            f"linux/{architecture} machine, which builds and installs the agent for {_ARCHITECTURES[architecture]}"
        )
    return Shape(
        image=image.pull_reference,
        size=size,
        architecture=_ARCHITECTURES[architecture],
        execution_role_arn=config.execution_role_arn,
        task_role_arn=config.task_role_arn,
        log_group=config.log_group,
        region=config.region,
        agent=AgentDelivery(
            version=config.agent_version,
            efs_id=config.agent_efs_id,
            access_point=config.agent_efs_access_point,
            image=config.agent_image,
        ),
        nofile=container_config.nofile(host_config),
        sys_ptrace=bool(host_config.get("CapAdd")),
        readonly_root=bool(host_config.get("ReadonlyRootfs")),
    )
