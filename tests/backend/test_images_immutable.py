"""Where ECR's tags may not move, loading, copying and tagging work as where they may. Against the simulated ECR."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from sockerless.aws.ecr import EcrAuthorization
from sockerless.backend import images_ecr, images_tag
from sockerless.backend.images_context import EcrAccess
from sockerless.backend.images_find import find
from sockerless.registry.failures import TagTaken
from sockerless.registry.manifest import DOCKER_MANIFEST, of_bytes
from sockerless.registry.push import bytes_blob, config_blob, push_blob
from sockerless.simulator.server import Simulator
from tests.backend.images_rig import Images, images, statuses
from tests.backend.test_images_load import archive_of
from tests.backend.test_images_pull import KNOWN
from tests.registry.conftest import token_registry
from tests.registry.images import SmallImage, small_image
from tests.registry.registries import TokenRegistry
from tests.simulator.conftest import Account, simulator

__all__ = ["simulator", "token_registry"]


@pytest.fixture
async def verbs(simulator: Simulator, tmp_path: Path) -> AsyncIterator[Images]:
    """The verbs over an ECR repository of its own whose tags are immutable."""
    ecr = Account(simulator.endpoint_url).client("ecr")
    name = f"images-{tmp_path.name}".lower().replace("_", "-").rstrip("-")
    ecr.create_repository(repositoryName=name, imageTagMutability="IMMUTABLE")

    async def credentials() -> EcrAuthorization:
        data = ecr.get_authorization_token()["authorizationData"][0]
        username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
        return EcrAuthorization(username, password, data["proxyEndpoint"], data["expiresAt"])

    async with images(tmp_path / "state", f"{simulator.registry}/{name}") as opened:
        yield Images(replace(opened.context, ecr=EcrAccess(credentials)), opened.asked)


async def test_a_name_moves_from_one_loaded_image_to_another(verbs: Images, tmp_path: Path) -> None:
    for content in (b"old", b"new", b"old"):
        await verbs.load(archive_of(tmp_path, content))
        assert find(verbs.context, "app0:v1").id == small_image(content).id
    images_tag.tag(verbs.context, small_image(b"new").id, "app0", "v1")
    assert find(verbs.context, "app0:v1").id == small_image(b"new").id


async def test_an_image_that_was_loaded_is_found_when_it_is_pulled_with_credentials(
    verbs: Images, token_registry: TokenRegistry, tmp_path: Path
) -> None:
    image = small_image(b"twice")
    token_registry.add_image("private/app", "v1", image.manifest, DOCKER_MANIFEST, image.config, image.layer)
    await verbs.load(archive_of(tmp_path, b"twice"))
    loaded = find(verbs.context, "app0:v1")
    name = f"{token_registry.host}/private/app"
    assert "Pushed" not in statuses(await verbs.pull(name, "v1", KNOWN))
    pulled = find(verbs.context, f"{name}:v1")
    assert (pulled.id, pulled.pull_reference) == (image.id, loaded.pull_reference)


async def test_of_two_loads_of_one_image_at_once_both_succeed(verbs: Images, tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
    archives = [archive_of(tmp_path / str(number), b"at once") for number in (1, 2)]
    await asyncio.gather(*(verbs.load(archive) for archive in archives))
    assert find(verbs.context, "app0:v1").id == small_image(b"at once").id


def other_manifest(image: SmallImage) -> bytes:
    """A manifest of the same image that is written otherwise."""
    return image.manifest + b"\n"


async def test_the_manifest_that_came_first_stands_and_a_foreign_one_is_told(verbs: Images) -> None:
    image, auth = small_image(b"raced"), await verbs.context.ecr.auth()
    target = images_ecr.place(verbs.context, image.id, "")
    layer = bytes_blob(DOCKER_MANIFEST, image.layer)
    for blob in (layer, config_blob(image.config, oci=False)):
        await push_blob(verbs.context.registry, target, blob, auth)
    first, second = of_bytes(image.manifest, ""), of_bytes(other_manifest(image), "")
    assert await images_ecr.put(verbs.context, target, first, image.id) == first
    assert (await images_ecr.put(verbs.context, target, second, image.id)).digest == first.digest
    with pytest.raises(TagTaken, match="cannot be overwritten"):
        await images_ecr.put(verbs.context, target, second, "sha256:" + "0" * 64)
