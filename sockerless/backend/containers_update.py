"""docker update: the size and limits of a container that has no task yet, and the restart policy.

Fargate fixes what stands in a task's definition when the task starts, so a container whose task runs (or lingers)
keeps it; an update that asks for what the task has anyway changes the record only.
"""

from __future__ import annotations

from dataclasses import replace

from sockerless.backend import container_config, definitions, events, images_find, restart_policy
from sockerless.backend.containers_create import shape_of
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.ecs.fargate import limits_of, rounding_note, size_for
from sockerless.errors import Conflict
from sockerless.types import Container, JsonObject

_CPU = ("NanoCpus", "CpuQuota", "CpuPeriod")


async def update(backend: Backend, reference: str, changes: JsonObject) -> list[str]:
    """Changes these members of HostConfig, and no other; warnings.

    Conflict, in Docker's form, when a task has another size or other limits; InvalidParameter beyond Fargate's largest
    or the deployment's limit.
    """
    container = find(backend, reference)
    async with backend.lives.of(container.id).lock:
        container = backend.store.container(container.id)
        if restart_policy.name_of(changes) != "no" and container.host_config.get("AutoRemove"):
            raise Conflict(
                f"Cannot update container {container.id}: "
                "Restart policy cannot be updated because AutoRemove is enabled for the container"
            )
        updated, rounding = await _updated(backend, container, changes)
        backend.store.save_container(
            replace(
                backend.store.container(container.id),
                host_config=updated.host_config,
                size=updated.size,
                task_definition_arn=updated.task_definition_arn,
            )
        )
        events.emit(backend, updated, "update")
    return [rounding] if rounding else []


async def _updated(backend: Backend, container: Container, changes: JsonObject) -> tuple[Container, str | None]:
    """The changed record, and what was rounded up."""
    host_config = {**container.host_config, **changes}
    if changes.keys() & set(_CPU):
        host_config.update({key: 0 for key in _CPU if key not in changes})
    if changes.keys() <= {"RestartPolicy"}:
        return replace(container, host_config=host_config), None
    nano_cpus, memory_bytes = container_config.nano_cpus(host_config), int(host_config.get("Memory") or 0)
    size = size_for(nano_cpus, memory_bytes, limits_of(backend.config))
    image = images_find.find(backend.images, container.image_id)
    shape = shape_of(backend.config, image, host_config, size)
    updated = replace(container, host_config=host_config, size=size)
    if shape == shape_of(backend.config, image, container.host_config, container.size):
        return updated, None
    if container.task is not None:
        raise Conflict(
            f"Cannot update container {container.id}: Fargate fixes a task's size and limits when it starts. "
            "Remove the container and create it again with the new ones."
        )
    arn = await definitions.ensure(backend, shape)
    return replace(updated, task_definition_arn=arn), rounding_note(nano_cpus, memory_bytes, size)
