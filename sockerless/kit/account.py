"""Which AWS a project's calls go to: the one fact that the kit and the daemon's configuration share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from sockerless.aws.session import Aws, open_aws
from sockerless.config import simulator_credentials
from sockerless.kit.project import Project
from sockerless.types import SimulatorCredentials


@dataclass(frozen=True, slots=True)
class Account:
    """A destination of AWS calls: region, and the simulator's URL or "" for AWS itself."""

    region: str
    endpoint_url: str = ""
    public_ip: bool = False
    simulator_credentials: SimulatorCredentials = field(default_factory=simulator_credentials)


def of(project: Project) -> Account:
    """Where this project's calls go."""
    return Account(project.region, project.endpoint_url if project.simulator else "")


@asynccontextmanager
async def opened(account: Account) -> AsyncIterator[Aws]:
    """The door to that account, closed afterwards."""
    aws = open_aws(account)
    try:
        yield aws
    finally:
        aws.close()
