"""What a deployment's daemon and its kit made while it ran, and terraform does not know: found and removed.

Task definitions, access points of Docker volumes, security groups of Docker networks, repositories that ECR made for
its caches. Owns: how each is recognised as this deployment's, and removed. Law: what does not carry this deployment's
mark stays, whatever it is called.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from sockerless.aws import ec2_tagged, ecr, ecs, efs
from sockerless.aws.ecs import DEFINITIONS_PER_DELETE
from sockerless.aws.session import Aws
from sockerless.ecs import tags
from sockerless.errors import Conflict, NotFound
from sockerless.kit import account, agent_task
from sockerless.kit.project import Project
from sockerless.kit.settings import UPSTREAMS

Item = TypeVar("Item")
_SPACING_S = 1.0
"""Registering and deregistering share a budget of one a second, deleting has one of its own (request throttling)."""
_BURST = 5
_IN_USE_TIMEOUT_S = 60.0
_HASH = r"[0-9a-f]{24}"
"""What ecs/taskdef.py's families end with."""


@dataclass(frozen=True, slots=True)
class Removed:
    """How many of each kind went; kept: the ARNs of definitions that ECS still keeps, deregistered."""

    counts: dict[str, int]
    kept: tuple[str, ...] = ()


def remove(project: Project, name: str, file_system_id: str) -> Removed:
    """Removes all of it. name: what the deployment is called in AWS; file_system_id: its own, "" when it is gone."""
    return asyncio.run(_remove(project, name, file_system_id))


async def definitions(aws: Aws, name: str) -> list[str]:
    """The ARNs of the active definitions that the deployment of this name has registered."""
    families = await _families(aws, name)
    return [arn for family in families for arn in await ecs.task_definitions(aws, family, "ACTIVE")]


async def _remove(project: Project, name: str, file_system_id: str) -> Removed:
    async with account.opened(account.of(project)) as aws:
        retired, kept = await _retire_definitions(aws, name)
        counts = {
            "task definitions": retired,
            "security groups": await _remove_groups(aws, name),
            "access points": await _remove_access_points(aws, file_system_id),
            "cache repositories": await _remove_caches(aws, project.repository_prefix or name, name),
        }
    return Removed(counts, tuple(kept))


async def _families(aws: Aws, name: str) -> list[str]:
    """Not those of a deployment whose name merely begins alike."""
    ours = re.compile(rf"{re.escape(name)}-({_HASH}|{agent_task.FAMILY})")
    return [family for family in await ecs.task_definition_families(aws, f"{name}-") if ours.fullmatch(family)]


async def _retire_definitions(aws: Aws, name: str) -> tuple[int, list[str]]:
    """How many definitions went, and those that ECS keeps for now: it deletes none whose task ended just now."""
    active = await definitions(aws, name)
    await _spaced(active, lambda arn: ecs.deregister_task_definition(aws, arn))
    families = await _families(aws, name)
    inactive = [arn for family in families for arn in await ecs.task_definitions(aws, family, "INACTIVE")]
    batches = [
        inactive[start : start + DEFINITIONS_PER_DELETE] for start in range(0, len(inactive), DEFINITIONS_PER_DELETE)
    ]
    kept: list[str] = []

    async def delete(batch: list[str]) -> None:
        kept.extend(await ecs.delete_task_definitions(aws, batch))

    await _spaced(batches, delete)
    return len(inactive) - len(kept), kept


async def _spaced(items: Iterable[Item], work: Callable[[Item], Awaitable[None]]) -> None:
    """Does the work on each, a burst at once and then one a second."""
    for number, item in enumerate(items):
        if number >= _BURST:
            await asyncio.sleep(_SPACING_S)
        await work(item)


async def _remove_groups(aws: Aws, name: str) -> int:
    """Their rules go first: two groups may name each other."""
    tagged = await ec2_tagged.tagged(aws, tags.PROJECT, name)
    groups = [id_ for id_, told in tagged.items() if id_.startswith("sg-") and tags.DAEMON in told]
    for group in groups:
        await ec2_tagged.close_security_group(aws, group)
    for group in groups:
        await _delete_once_unused(aws, group)
    return len(groups)


async def _delete_once_unused(aws: Aws, group: str) -> None:
    """EC2 takes a while to see that a group's last interface is gone."""
    deadline = time.monotonic() + _IN_USE_TIMEOUT_S
    while True:
        try:
            return await ec2_tagged.delete_security_group(aws, group)
        except Conflict:
            if time.monotonic() > deadline:
                raise
        await asyncio.sleep(_SPACING_S)


async def _remove_access_points(aws: Aws, file_system_id: str) -> int:
    """Those that the daemon made; the agent's is terraform's."""
    if not file_system_id:
        return 0
    try:
        points = await efs.access_points(aws, file_system_id)
    except NotFound:
        return 0
    made = [point for point in points if any(tag["Key"] == tags.DAEMON for tag in point.get("Tags", []))]
    for point in made:
        await efs.delete_access_point(aws, point["AccessPointId"])
    return len(made)


async def _remove_caches(aws: Aws, prefix: str, name: str) -> int:
    """The repositories that ECR made below the prefixes of this deployment's caches, with its tag on them."""
    prefixes = tuple(f"{prefix}/{upstream}/" for upstream in UPSTREAMS)
    found = {one: arn for one, arn in (await ecr.repositories(aws)).items() if one.startswith(prefixes)}
    ours = [one for one, arn in found.items() if (await ecr.repository_tags(aws, arn)).get(tags.PROJECT) == name]
    for repository in ours:
        await ecr.delete_repository(aws, repository)
    return len(ours)
