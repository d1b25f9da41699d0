"""What is told of images: pull by its reference, everything else by the image's id, as dockerd does."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sockerless.backend.images_remove import remove
from sockerless.backend.images_tag import tag
from sockerless.registry.client import Registry
from sockerless.registry.manifest import DOCKER_LAYER_GZIP
from sockerless.registry.push import bytes_blob, config_blob, push_image
from sockerless.registry.reference import parse
from tests.backend.images_rig import Images, images
from tests.registry.conftest import client, docker_registry
from tests.registry.images import small_image
from tests.registry.registries import DockerRegistry

__all__ = ["client", "docker_registry"]


@pytest.fixture
async def verbs(tmp_path: Path) -> AsyncIterator[Images]:
    async with images(tmp_path) as opened:
        yield opened


async def test_pull_tag_untag_and_delete_are_told(
    verbs: Images, client: Registry, docker_registry: DockerRegistry
) -> None:
    name, image = f"{docker_registry.host}/told/app", small_image(b"told")
    layers = [bytes_blob(DOCKER_LAYER_GZIP, image.layer)]
    await push_image(client, parse(f"{name}:v1"), config_blob(image.config, oci=False), layers)
    await verbs.pull(name, "v1")
    tag(verbs.context, f"{name}:v1", "other", "v2")
    remove(verbs.context, "other:v2", force=False, prune=True, in_use=lambda _: [])
    remove(verbs.context, image.id, force=False, prune=True, in_use=lambda _: [])
    told = [(event.action, event.actor_id, event.attributes["name"]) for event in verbs.context.events.read(0)]
    assert told == [
        ("pull", f"{name}:v1", name),
        ("tag", image.id, "other:v2"),
        ("untag", image.id, image.id),
        ("untag", image.id, image.id),
        ("untag", image.id, image.id),
        ("delete", image.id, image.id),
    ]
    assert {event.type for event in verbs.context.events.read(0)} == {"image"}
