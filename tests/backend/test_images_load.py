"""docker load: from an archive to the deployment's ECR, and from there into the real engine."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator
from pathlib import Path

import docker
import pytest

from sockerless.backend.images_find import find
from sockerless.backend.images_load import load
from sockerless.errors import InvalidParameter, NotSupported
from tests.backend.images_rig import Images, images, statuses
from tests.registry.conftest import Save, docker_registry, engine, guarded_registry, save
from tests.registry.images import small_image, tar
from tests.registry.registries import PASSWORD, USER, DockerRegistry

__all__ = ["docker_registry", "engine", "guarded_registry", "save"]


@pytest.fixture
async def verbs(tmp_path: Path, guarded_registry: DockerRegistry) -> AsyncIterator[Images]:
    """The verbs; the guarded registry is the deployment's ECR."""
    async with images(tmp_path / "state", f"{guarded_registry.host}/deployment/images") as opened:
        yield opened


def archive_of(directory: Path, *contents: bytes, tags: bool = True) -> Path:
    """A docker-archive with an image for each content, named app0:v1, app1:v1 and so on."""
    files: dict[str, bytes] = {}
    entries = []
    for number, content in enumerate(contents):
        image = small_image(content)
        files |= {f"{number}.json": image.config, f"{number}/layer.tar": image.plain_layer}
        named = [f"app{number}:v1"] if tags else None
        entries.append({"Config": f"{number}.json", "RepoTags": named, "Layers": [f"{number}/layer.tar"]})
    path = directory / "archive.tar"
    path.write_bytes(tar(files | {"manifest.json": json.dumps(entries).encode()}))
    return path


@pytest.mark.engine
async def test_a_saved_image_is_loaded_and_the_engine_runs_what_tasks_will_pull(
    verbs: Images, engine: docker.APIClient, engine_image: str, save: Save, tmp_path: Path
) -> None:
    archive = tmp_path / "saved.tar"
    archive.write_bytes(save(engine_image))
    lines = await verbs.load(archive)
    assert lines[-1] == {"stream": f"Loaded image: {engine_image}\n"}
    found = find(verbs.context, engine_image)
    assert found.id == engine.inspect_image(engine_image)["Id"]
    engine.pull(found.pull_reference, auth_config={"username": USER, "password": PASSWORD})
    assert engine.inspect_image(found.pull_reference)["Id"] == found.id
    container = engine.create_container(found.pull_reference, ["echo", "loaded"])["Id"]
    try:
        engine.start(container)
        assert engine.wait(container)["StatusCode"] == 0
        assert engine.logs(container) == b"loaded\n"
    finally:
        engine.remove_container(container)
        engine.remove_image(found.pull_reference)


async def test_several_images_are_loaded_each_under_a_tag_made_from_its_id(
    verbs: Images, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    lines = await verbs.load(archive_of(tmp_path, b"one", b"two"))
    loaded = [line["stream"] for line in lines if "stream" in line]
    assert loaded == ["Loaded image: app0:v1\n", "Loaded image: app1:v1\n"]
    reference = verbs.context.ecr_repository
    assert reference is not None
    tags = await verbs.context.registry.list_tags(reference, await verbs.context.ecr.auth())
    assert {f"id-{small_image(content).id.removeprefix('sha256:')}" for content in (b"one", b"two")} <= set(tags)
    assert find(verbs.context, "app0:v1").repo_digests == ()
    assert set(os.listdir(tmp_path)) == {"archive.tar", "state"}


async def test_an_untagged_image_is_told_by_its_id(verbs: Images, tmp_path: Path) -> None:
    lines = await verbs.load(archive_of(tmp_path, b"untagged", tags=False))
    assert lines[-1] == {"stream": f"Loaded image ID: {small_image(b'untagged').id}\n"}


async def test_loading_again_sends_nothing_and_keeps_the_names(
    verbs: Images, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    first = await verbs.load(archive_of(tmp_path, b"again"))
    assert statuses(first)[-2:] == ["Pushed", "Loaded image: app0:v1\n"]
    before = guarded_registry.log().count("PATCH /v2/")
    assert await verbs.load(archive_of(tmp_path, b"again")) == [{"stream": "Loaded image: app0:v1\n"}]
    assert guarded_registry.log().count("PATCH /v2/") == before
    assert [image.repo_tags for image in verbs.context.store.images()] == [("app0:v1",)]


async def test_a_quiet_load_says_only_what_was_loaded(verbs: Images, tmp_path: Path) -> None:
    assert await verbs.load(archive_of(tmp_path, b"quiet"), quiet=True) == [{"stream": "Loaded image: app0:v1\n"}]


async def test_without_a_repository_the_refusal_names_the_variable_and_the_command(
    verbs: Images, tmp_path: Path
) -> None:
    with pytest.raises(NotSupported, match=r"SOCKERLESS_ECR_REPOSITORY is not set; run `sockerless-kit apply`"):
        await verbs.without_ecr().load(archive_of(tmp_path, b"x"))


async def test_a_layer_cut_short_is_an_invalid_parameter(verbs: Images, tmp_path: Path) -> None:
    image = small_image(b"cut short")
    entry = {"Config": "c", "RepoTags": ["cut:v1"], "Layers": ["l"]}
    archive = tmp_path / "archive.tar"
    archive.write_bytes(tar({"c": image.config, "l": image.layer[:-9], "manifest.json": json.dumps([entry]).encode()}))
    with pytest.raises(InvalidParameter, match="invalid layer"):
        await verbs.load(archive)


async def test_a_load_whose_client_leaves_ends_and_leaves_no_file(verbs: Images, tmp_path: Path) -> None:
    loading = load(verbs.context, archive_of(tmp_path, os.urandom(4 << 20), b"second"))
    assert (await anext(loading))["status"] == "Pushing"
    await loading.aclose()
    loading = load(verbs.context, tmp_path / "archive.tar")
    reading = asyncio.ensure_future(anext(loading))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    assert set(os.listdir(tmp_path)) == {"archive.tar", "state"}
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert verbs.context.store.images() == []


async def test_a_damaged_archive_records_nothing_and_leaves_no_file(verbs: Images, tmp_path: Path) -> None:
    archive = archive_of(tmp_path, b"damaged")
    archive.write_bytes(archive.read_bytes().replace(b"damaged", b"DAMAGED"))
    with pytest.raises(InvalidParameter, match="invalid diffID for layer"):
        await verbs.load(archive)
    assert verbs.context.store.images() == []
    assert set(os.listdir(tmp_path)) == {"archive.tar", "state"}
