"""The agent reaches EFS by one task of its image, once per version; a task that fails says why."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from sockerless.aws.session import Aws
from sockerless.errors import SystemFailure
from sockerless.kit import account, agent_install, agent_task, apply
from sockerless.kit import project as settings
from sockerless.kit.outputs import Deployment
from tests.conftest import Deployed
from tests.kit import standing

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


@pytest.fixture
def deployed(deployment: Deployed) -> Deployment:
    """The shared deployment as the kit sees it."""
    return apply.load(settings.load(deployment.directory))


def installer_definitions(ecs: Any, status: str) -> list[str]:
    arns = ecs.list_task_definitions(status=status)["taskDefinitionArns"]
    return [arn for arn in arns if "agent-installer" in arn]


def test_up_has_left_this_version_on_the_access_point(deployment: Deployed) -> None:
    recorded = json.loads((deployment.directory / ".sockerless" / "agent.json").read_text())
    [found] = (deployment.directory / ".sockerless" / "simulator").rglob(recorded["version"])
    assert (found / "bin" / "python3").is_file()
    assert (found / "version").read_text().strip() == recorded["version"]


def test_no_definition_of_the_installer_stays_active(deployment: Deployed) -> None:
    ecs = deployment.client("ecs")
    assert installer_definitions(ecs, "ACTIVE") == []
    assert len(installer_definitions(ecs, "INACTIVE")) >= 1


def test_installing_what_is_there_runs_no_task(deployment: Deployed, deployed: Deployment) -> None:
    before = installer_definitions(deployment.client("ecs"), "INACTIVE")
    version = agent_install.install(deployed).version
    assert version == json.loads((deployment.directory / ".sockerless" / "agent.json").read_text())["version"]
    assert installer_definitions(deployment.client("ecs"), "INACTIVE") == before


def test_without_the_record_it_is_installed_again_over_the_same_version(
    deployment: Deployed, deployed: Deployment
) -> None:
    (deployment.directory / ".sockerless" / "agent.json").unlink()
    version = agent_install.install(deployed).version
    assert json.loads((deployment.directory / ".sockerless" / "agent.json").read_text())["version"] == version


def test_the_image_is_pushed_once_under_its_version(deployment: Deployed, deployed: Deployment) -> None:
    reference = agent_install.push_image(deployed)
    assert reference == agent_install.push_image(deployed)
    repository, _, tag = reference.rpartition(":")
    name = repository.partition("/")[2]
    images = deployment.client("ecr").describe_images(repositoryName=name)["imageDetails"]
    assert [detail["imageTags"] for detail in images if tag in detail["imageTags"]] == [[tag]]


def test_a_task_that_cannot_start_tells_the_reason_of_aws(deployed: Deployment) -> None:
    image = f"{deployed.outputs.agent_repository_url}:no-such-tag"

    async def run() -> None:
        async with account.opened(account.of(deployed.project)) as aws:
            await agent_task.run(aws, deployed.outputs, image, "X86_64")

    with pytest.raises(SystemFailure, match=r"no exit code: .*CannotPullContainerError"):
        asyncio.run(run())


def test_a_task_that_fails_tells_its_code_and_its_own_words(deployment: Deployed, deployed: Deployment) -> None:
    image = agent_install.push_image(deployed)

    async def run() -> None:
        async with account.opened(account.of(deployed.project)) as aws:
            await _run_with_command(aws, deployed, image, ["dance"])

    with pytest.raises(SystemFailure, match=r"(?s)ended with code 2.*It wrote:\n.*usage: "):
        asyncio.run(run())


async def _run_with_command(aws: Aws, deployed: Deployment, image: str, command: list[str]) -> None:
    definition = agent_task.task_definition(deployed.outputs, image, "X86_64")
    definition["containerDefinitions"][0]["command"] = command
    await agent_task.run_definition(aws, deployed.outputs, definition)


def test_the_task_mounts_the_access_point_writable_with_iam_and_tls(tmp_path: Any) -> None:
    definition = agent_task.task_definition(standing.deployment(tmp_path).outputs, "image:1", "ARM64")
    [volume] = definition["volumes"]
    assert volume["efsVolumeConfiguration"]["transitEncryption"] == "ENABLED"
    assert volume["efsVolumeConfiguration"]["authorizationConfig"]["iam"] == "ENABLED"
    assert definition["taskRoleArn"] == standing.OUTPUTS["agent_installer_role_arn"]
