"""The image verbs over a store of their own, with docker-registry as the deployment's ECR."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sockerless.aws.ecr import EcrAuthorization
from sockerless.backend import images_load, images_pull
from sockerless.backend.event_journal import EventJournal
from sockerless.backend.images_context import ImageContext, open_images
from sockerless.config import load
from sockerless.registry.auth import RegistryAuth
from sockerless.store.sqlite import open_store
from sockerless.types import JsonObject
from tests.registry.registries import PASSWORD, USER

REQUIRED = {
    "SOCKERLESS_ECS_SUBNETS": "subnet-0",
    "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/execution",
}


@dataclass
class Images:
    """The verbs, drained; asked: how often ECR's credentials were asked for."""

    context: ImageContext
    asked: list[datetime]

    async def pull(
        self, name: str, tag: str = "", auth: RegistryAuth | None = None, platform: str = ""
    ) -> list[JsonObject]:
        return [line async for line in images_pull.pull(self.context, name, tag, auth, platform)]

    async def load(self, archive: Path, quiet: bool = False) -> list[JsonObject]:
        return [line async for line in images_load.load(self.context, archive, quiet)]

    def without_ecr(self) -> Images:
        """The same where SOCKERLESS_ECR_REPOSITORY is not set."""
        return Images(replace(self.context, ecr_repository=None), self.asked)


@contextlib.asynccontextmanager
async def images(
    directory: Path, ecr_repository: str = "", mirrors: str = "", pull_through: str = ""
) -> AsyncIterator[Images]:
    """The verbs with this configuration; ECR's credentials are those of the guarded registry."""
    asked: list[datetime] = []
    variables: dict[str, str] = {
        "SOCKERLESS_ECR_REPOSITORY": ecr_repository,
        "SOCKERLESS_REGISTRY_MIRRORS": mirrors,
        "SOCKERLESS_ECR_PULL_THROUGH": pull_through,
    }

    async def credentials() -> EcrAuthorization:
        asked.append(datetime.now(UTC))
        return EcrAuthorization(USER, PASSWORD, "", datetime.now(UTC) + timedelta(hours=12))

    store = open_store(directory)
    async with open_images(load(REQUIRED | variables), store, EventJournal(store), credentials) as context:
        yield Images(context, asked)
    store.close()


def statuses(lines: list[JsonObject]) -> list[Any]:
    """What a client prints of progress lines."""
    return [line.get("status", line.get("stream")) for line in lines]
