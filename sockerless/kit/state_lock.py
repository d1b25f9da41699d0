"""The lock on terraform's state: who holds it, and its end when the holder is no more.

Owns: reading the lock object beside a state in S3. A local state's lock is the kernel's and ends with its process; it
never sticks. Source: Terraform 1.10 to 1.11, backend s3 with use_lockfile (the object KEY.tflock holds a LockInfo).
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

from sockerless.aws import s3
from sockerless.errors import Conflict, DataLoss, NotFound
from sockerless.kit import account, state, terraform
from sockerless.kit.project import Project
from sockerless.kit.state import StateObject


@dataclass(frozen=True, slots=True)
class Lock:
    """A lock that is held: its id, who took it (USER@MACHINE), for what and when, as terraform wrote it."""

    id: str
    who: str
    operation: str
    created: str


def held(project: Project) -> Lock | None:
    """The lock on the deployment's state; None when it is free.

    Conflict when the process that holds it still works in this directory.
    """
    process = terraform.earlier(project)
    if process is not None:
        raise Conflict(
            f"terraform (process {process.pid}) still works here and holds the lock; wait until it has ended"
        )
    where = state.current(project)
    return asyncio.run(_read(project, where)) if where is not None else None


def free(project: Project, lock: Lock) -> None:
    """Ends the lock; the state stays as its holder last wrote it."""
    terraform.start_log(project)
    terraform.unlock(project, lock.id)


async def _read(project: Project, where: StateObject) -> Lock | None:
    async with account.opened(account.of(project)) as aws:
        try:
            content = await s3.read_object(aws, where.bucket, f"{where.key}.tflock")
        except NotFound:
            return None
    try:
        document = json.loads(content)
        return Lock(document["ID"], document["Who"], document["Operation"], document["Created"])
    except (ValueError, KeyError, TypeError):
        raise DataLoss(f"{where}.tflock is no lock that terraform wrote; look at it and delete it") from None
