"""The installer's task by itself: what it mounts, and that its own failure is the one that is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from sockerless.aws.session import Aws
from sockerless.errors import SockerlessError, Unavailable
from sockerless.kit import agent_task
from sockerless.types import JsonObject

from . import standing

ARN = "arn:aws:ecs:eu-central-1:123456789012:task-definition/test-agent-installer:1"


class FailingAws:
    """Registers, and then fails at everything, each time in other words; asked: what was called."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def call(self, service: str, operation: str, /, **parameters: Any) -> JsonObject:
        self.asked.append(operation)
        if operation == "RegisterTaskDefinition":
            return {"taskDefinition": {"taskDefinitionArn": ARN}}
        raise Unavailable(f"{operation} failed")


async def test_a_definition_that_cannot_be_deregistered_does_not_hide_why_the_installer_failed(tmp_path: Path) -> None:
    aws = FailingAws()
    with pytest.raises(SockerlessError, match=r"^RunTask failed$"):
        await agent_task.run(cast(Aws, aws), standing.deployment(tmp_path).outputs, "image:1", "X86_64")
    assert aws.asked == ["RegisterTaskDefinition", "RunTask", "DeregisterTaskDefinition"]
