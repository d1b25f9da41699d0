"""The image's platform chooses the task's; the agent must be built for it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sockerless.aws.ecr import EcrAuthorization
from sockerless.backend import containers_create, system
from sockerless.backend.event_journal import EventJournal
from sockerless.backend.images_context import open_images
from sockerless.config import Config, load
from sockerless.errors import NotFound, NotSupported
from sockerless.registry.manifest import AMD64, ARM64, Platform, wanted_platforms
from sockerless.store.sqlite import open_store
from sockerless.types import Image
from tests.backend.images_rig import REQUIRED
from tests.backend.rig import IMAGE, Rig


def image_for(architecture: str) -> Image:
    return replace(IMAGE, id="sha256:" + "3" * 64, config=IMAGE.config | {"architecture": architecture},
                   repo_tags=(f"{architecture}:latest",))  # fmt: skip


async def create(rig: Rig, image: str, platform: str = "") -> str:
    return (await containers_create.create(rig.backend, None, {"Image": image}, {}, {}, platform))[0]


@pytest.mark.parametrize(("built_for", "image"), [("X86_64", "amd64"), ("ARM64", "arm64")])
async def test_an_image_for_the_agents_platform_runs_there(rig: Rig, built_for: str, image: str) -> None:
    rig.backend.config = replace(rig.backend.config, agent_architecture=built_for)
    rig.backend.store.save_image(image_for(image))
    await create(rig, image)
    assert rig.ecs.definitions[-1]["runtimePlatform"] == {
        "cpuArchitecture": built_for,
        "operatingSystemFamily": "LINUX",
    }


@pytest.mark.parametrize(("built_for", "image"), [("X86_64", "arm64"), ("ARM64", "amd64")])
async def test_an_image_for_the_other_platform_is_refused_with_the_command_that_builds_its_agent(
    rig: Rig, built_for: str, image: str
) -> None:
    rig.backend.config = replace(rig.backend.config, agent_architecture=built_for)
    rig.backend.store.save_image(image_for(image))
    with pytest.raises(NotSupported, match=f"run `sockerless-kit apply` on a linux/{image} machine"):
        await create(rig, image)
    assert rig.backend.store.containers() == []


async def test_an_image_that_fargate_cannot_run_is_refused(rig: Rig) -> None:
    rig.backend.store.save_image(image_for("riscv64"))
    with pytest.raises(NotSupported, match="Fargate runs linux/amd64 and linux/arm64"):
        await create(rig, "riscv64")


async def test_a_platform_asked_for_that_the_image_is_not_for_is_not_found_in_dockers_words(rig: Rig) -> None:
    expected = (
        "image with reference img was found but does not match the specified platform: "
        "wanted linux/arm64, actual: linux/amd64"
    )
    with pytest.raises(NotFound) as refused:
        await create(rig, "img", "linux/arm64")
    assert refused.value.message == expected
    assert await create(rig, "img", "linux/amd64")


def test_of_an_image_for_several_platforms_the_agents_is_taken() -> None:
    assert wanted_platforms("") == (AMD64, ARM64)
    assert wanted_platforms("", ARM64) == (ARM64, AMD64)
    assert wanted_platforms("linux/amd64", ARM64) == (AMD64,)


def _config(architecture: str, built_for: str) -> Config:
    return load(REQUIRED | {"SOCKERLESS_ARCHITECTURE": architecture, "SOCKERLESS_AGENT_ARCHITECTURE": built_for})


@pytest.mark.parametrize(
    ("architecture", "built_for", "preferred"),
    [("", "X86_64", AMD64), ("", "ARM64", ARM64), ("ARM64", "X86_64", ARM64), ("X86_64", "ARM64", AMD64)],
)
async def test_what_an_image_for_both_runs_on_is_configured_else_the_agents(
    architecture: str, built_for: str, preferred: Platform, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    async with open_images(_config(architecture, built_for), store, EventJournal(store), no_credentials) as context:
        assert context.preferred == preferred
    store.close()


async def no_credentials() -> EcrAuthorization:
    raise AssertionError("nobody asks for ECR's credentials here")


@pytest.mark.parametrize(("architecture", "shown"), [("X86_64", ("x86_64", "amd64")), ("ARM64", ("aarch64", "arm64"))])
async def test_info_and_version_show_the_preferred_architecture_and_the_largest_task(
    rig: Rig, architecture: str, shown: tuple[str, str]
) -> None:
    config = replace(rig.backend.config, architecture=architecture, max_cpu_units=512, max_memory_mib=4096)
    rig.backend.config = config
    info, version = system.info(rig.backend), system.version(rig.backend)
    assert (info["Architecture"], version["Arch"]) == shown
    assert (info["NCPU"], info["MemTotal"]) == (1, 4 << 30)
