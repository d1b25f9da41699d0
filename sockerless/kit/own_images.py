"""Images that the kit assembles itself, into the deployment's ECR: only what is not there yet is made.

Owns the order: the tag is asked for first, because making an image takes longer than asking. Knows no image's content.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import aiohttp

from sockerless.aws import ecr
from sockerless.aws.session import Aws
from sockerless.registry import push, reference
from sockerless.registry.assemble import BuiltImage
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry

OCI_ARCHITECTURES = {"X86_64": "amd64", "ARM64": "arm64"}
"""ECS's cpuArchitecture to what an image's config calls it."""


async def push_unless_there(aws: Aws, image: str, make: Callable[[], AbstractContextManager[BuiltImage]]) -> str:
    """The reference "REPOSITORY:TAG", once the repository holds that tag; make assembles the image."""
    target = reference.parse(image)
    granted = await ecr.authorization(aws)
    auth = RegistryAuth(granted.username, granted.password)
    async with aiohttp.ClientSession() as session:
        registry = Registry(session)
        if not await registry.head_manifest(target, auth):
            with make() as built:
                await push.push(registry, target, built, auth)
    return f"{target.name}:{target.tag}"
