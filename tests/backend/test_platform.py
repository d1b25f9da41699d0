"""The image's platform chooses the task's; the agent must be built for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sockerless.backend import containers_create
from sockerless.errors import NotFound, NotSupported
from sockerless.registry.manifest import AMD64, ARM64, wanted_platforms
from sockerless.types import Image
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
