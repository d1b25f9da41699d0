"""The distribution protocol, spoken with a real docker-registry."""

from __future__ import annotations

from collections.abc import AsyncIterator

import docker
import pytest

from sockerless.errors import DataLoss, NotFound, SystemFailure, Unauthorized
from sockerless.registry import manifest
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.registry.failures import ManifestUnknown
from sockerless.registry.manifest import DOCKER_LAYER_GZIP, Descriptor, Manifest
from sockerless.registry.push import Blob, bytes_blob, config_blob, push_blob, push_image
from sockerless.registry.reference import Reference, parse
from sockerless.registry.resolve import resolve
from tests.registry.images import SmallImage, digest, index, small_image
from tests.registry.registries import PASSWORD, USER, DockerRegistry

KNOWN = RegistryAuth(USER, PASSWORD)


def _layer(image: SmallImage) -> Blob:
    return bytes_blob(DOCKER_LAYER_GZIP, image.layer)


async def _push(
    client: Registry, reference: Reference, image: SmallImage, auth: RegistryAuth | None = None
) -> Manifest:
    return await push_image(client, reference, config_blob(image.config, oci=False), [_layer(image)], auth)


@pytest.mark.engine
async def test_what_the_engine_pushed_is_resolved(
    client: Registry, docker_registry: DockerRegistry, engine: docker.APIClient, engine_image: str
) -> None:
    name = f"{docker_registry.host}/pushed"
    engine.tag(engine_image, name, "v1")
    pushed = list(engine.push(name, "v1", stream=True, decode=True))
    expected = next(line["aux"] for line in pushed if "aux" in line)
    try:
        found = await resolve(client, parse(f"{name}:v1"), manifest.RUNNABLE)
        assert found.shown_digest == found.manifest.digest == expected["Digest"]
        assert found.image_id == engine.inspect_image(engine_image)["Id"]
        layers = [layer async for layer in client.stream_blob(found.reference, found.image.layers[0])]
        assert digest(b"".join(layers)) == found.image.layers[0].digest
    finally:
        engine.remove_image(f"{name}:v1")


@pytest.mark.engine
async def test_what_is_pushed_the_engine_pulls_by_digest(
    client: Registry, docker_registry: DockerRegistry, engine: docker.APIClient
) -> None:
    image = small_image(b"by digest")
    pushed = await _push(client, parse(f"{docker_registry.host}/ours:v1"), image)
    name = f"{docker_registry.host}/ours@{pushed.digest}"
    engine.pull(name)
    try:
        assert engine.inspect_image(name)["Id"] == image.id
    finally:
        engine.remove_image(name)


async def test_blobs_and_manifests_that_are_there_are_not_sent_again(
    client: Registry, docker_registry: DockerRegistry
) -> None:
    reference, image = parse(f"{docker_registry.host}/twice:v1"), small_image(b"twice")
    first = await _push(client, reference, image)
    assert not await push_blob(client, reference, _layer(image))
    assert await _push(client, reference, image) == first
    sent = [line for line in docker_registry.log().splitlines() if "PATCH /v2/twice/" in line]
    assert len(sent) == 2, "one layer and one config"


async def test_a_manifest_without_tag_is_stored_by_its_digest(
    client: Registry, docker_registry: DockerRegistry
) -> None:
    reference = parse(f"{docker_registry.host}/untagged")
    pushed = await _push(client, reference, small_image(b"untagged"))
    assert await client.head_manifest(reference.with_digest(pushed.digest))
    assert not await client.head_manifest(reference.with_tag("latest"))


async def test_a_platform_is_chosen_from_an_index(client: Registry, docker_registry: DockerRegistry) -> None:
    reference = parse(f"{docker_registry.host}/multi:v1")
    amd64, arm64 = small_image(b"x"), small_image(b"y", architecture="arm64")
    for image in (arm64, amd64):
        await _push(client, reference.repository, image)
    body = index(
        (arm64, {"os": "linux", "architecture": "arm64", "variant": "v8"}),
        (amd64, {"os": "linux", "architecture": "amd64"}),
    )
    for image in (arm64, amd64):
        await client.put_manifest(reference.repository, manifest.of_bytes(image.manifest, ""))
    await client.put_manifest(reference, manifest.of_bytes(body, ""))
    for text, image in (("", amd64), ("linux/amd64", amd64), ("linux/arm64", arm64), ("linux/arm64/v8", arm64)):
        found = await resolve(client, reference, manifest.wanted_platforms(text))
        assert (found.image_id, found.shown_digest) == (image.id, digest(body))
        assert str(found.by_digest) == f"{docker_registry.host}/multi@{digest(image.manifest)}"


async def test_an_image_of_another_platform_is_not_found(client: Registry, docker_registry: DockerRegistry) -> None:
    reference = parse(f"{docker_registry.host}/arm:v1")
    await _push(client, reference, small_image(b"arm", architecture="arm64"))
    assert (await resolve(client, reference, manifest.RUNNABLE)).config["architecture"] == "arm64"
    with pytest.raises(
        NotFound, match=r"does not match the specified platform: wanted linux/amd64, actual: linux/arm64"
    ):
        await resolve(client, reference, manifest.wanted_platforms("linux/amd64"))


async def test_all_tags_are_listed_page_after_page(client: Registry, docker_registry: DockerRegistry) -> None:
    reference = parse(f"{docker_registry.host}/tags")
    pushed = await _push(client, reference, small_image(b"tags"))
    tags = [f"t{number:03}" for number in range(120)]
    for tag in tags:
        await client.put_manifest(reference.with_tag(tag), pushed)
    assert sorted(await client.list_tags(reference)) == tags


async def test_a_missing_manifest_or_blob_is_not_found(client: Registry, docker_registry: DockerRegistry) -> None:
    reference = parse(f"{docker_registry.host}/nosuch:v1")
    with pytest.raises(ManifestUnknown, match=r"^manifest unknown: manifest unknown$"):
        await client.get_manifest(reference)
    assert not await client.head_blob(reference, digest(b"nothing"))
    with pytest.raises(NotFound):
        await client.get_blob(reference, Descriptor("x", digest(b"nothing"), 7))


async def test_an_upload_that_is_not_what_its_digest_says_is_refused(
    client: Registry, docker_registry: DockerRegistry
) -> None:
    async def read() -> AsyncIterator[bytes]:
        yield b"other"

    reference = parse(f"{docker_registry.host}/wrong")
    with pytest.raises(DataLoss):
        await client.upload(reference, Descriptor("x", digest(b"thing"), 5), read)


async def test_a_large_blob_goes_up_and_comes_down_in_pieces(client: Registry, docker_registry: DockerRegistry) -> None:
    piece, pieces = bytes(range(256)) * 1024, 80
    expected = Descriptor("x", digest(piece * pieces), len(piece) * pieces)
    largest = 0

    async def read() -> AsyncIterator[bytes]:
        for _ in range(pieces):
            yield piece

    reference = parse(f"{docker_registry.host}/large")
    await client.upload(reference, expected, read)
    async for received in client.stream_blob(reference, expected):
        largest = max(largest, len(received))
    assert 0 < largest <= 1 << 18


async def test_a_basic_registry_opens_with_the_right_password_only(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry
) -> None:
    guarded = parse(f"{guarded_registry.host}/guarded:v1")
    pushed = await _push(client, guarded, small_image(b"guarded"), KNOWN)
    assert (await client.get_manifest(guarded, KNOWN)).digest == pushed.digest
    with pytest.raises(Unauthorized, match="no basic auth credentials"):
        await client.get_manifest(guarded)
    with pytest.raises(Unauthorized, match=r"^unauthorized: authentication required$"):
        await client.get_manifest(guarded, RegistryAuth(USER, "wrong"))
    assert await client.head_manifest(parse(f"{docker_registry.host}/guarded:v1"))


async def test_an_unreachable_registry_is_told_as_dockerd_tells_it(client: Registry) -> None:
    with pytest.raises(SystemFailure) as refused:
        await client.get_manifest(parse("127.0.0.1:1/x:y"))
    assert str(refused.value) == 'Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection refused'
    with pytest.raises(
        SystemFailure, match=r'Get "https://nosuch.invalid/v2/": dial tcp: lookup nosuch.invalid: no such'
    ):
        await client.get_manifest(parse("nosuch.invalid/x:y"))
