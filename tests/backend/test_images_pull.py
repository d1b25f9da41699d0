"""docker pull against real registries: open, mirrored, guarded, behind tokens."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import docker
import pytest

from sockerless.backend.images_context import EcrAccess
from sockerless.backend.images_find import find
from sockerless.errors import InvalidParameter, NotFound, NotSupported, SystemFailure
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.registry.manifest import DOCKER_LAYER_GZIP, DOCKER_MANIFEST, of_bytes
from sockerless.registry.push import bytes_blob, config_blob, push_image
from sockerless.registry.reference import parse
from tests.backend.images_rig import Images, images, statuses
from tests.registry.conftest import client, docker_registry, engine, guarded_registry, token_registry
from tests.registry.images import SmallImage, digest, index, small_image
from tests.registry.registries import PASSWORD, USER, DockerRegistry, TokenRegistry

__all__ = ["client", "docker_registry", "engine", "guarded_registry", "token_registry"]
KNOWN = RegistryAuth(USER, PASSWORD)
NO_HUB = 'Get "https://registry-1.docker.io/v2/": dial tcp'


@pytest.fixture
async def verbs(tmp_path: Path, guarded_registry: DockerRegistry) -> AsyncIterator[Images]:
    """The verbs; the guarded registry is the deployment's ECR."""
    async with images(tmp_path / "state", f"{guarded_registry.host}/deployment/images") as opened:
        yield opened


async def push(client: Registry, name: str, image: SmallImage) -> str:
    layers = [bytes_blob(DOCKER_LAYER_GZIP, image.layer)]
    return (await push_image(client, parse(name), config_blob(image.config, oci=False), layers)).digest


async def test_a_pull_records_the_image_and_says_only_what_happened(
    verbs: Images, client: Registry, docker_registry: DockerRegistry
) -> None:
    name, image = f"{docker_registry.host}/pull/app", small_image(b"pull")
    pushed = await push(client, f"{name}:v1", image)
    lines = await verbs.pull(name, "v1")
    assert lines[0] == {"status": "Pulling from pull/app", "id": "v1"}
    assert statuses(lines)[1:] == [
        f"1 layer (0.0 MB) stays in {name}; tasks pull it from there",
        f"Digest: {pushed}",
        f"Status: Downloaded newer image for {name}:v1",
    ]
    assert statuses(await verbs.pull(name, "v1"))[-1] == f"Status: Image is up to date for {name}:v1"
    found = find(verbs.context, f"{name}:v1")
    assert (found.id, found.manifest_digest, found.pull_reference) == (image.id, pushed, f"{name}@{pushed}")
    assert (found.repo_tags, found.repo_digests) == ((f"{name}:v1",), (f"{name}@{pushed}",))
    assert found.size_bytes == len(image.layer)
    assert verbs.asked == [], "no AWS call for a registry that is not ECR"


@pytest.mark.engine
async def test_the_engine_prints_the_same_first_and_last_lines(
    verbs: Images, client: Registry, docker_registry: DockerRegistry, engine: docker.APIClient
) -> None:
    name = f"{docker_registry.host}/same/lines"
    await push(client, f"{name}:v1", small_image(b"same lines"))
    for _ in range(2):
        theirs = list(engine.pull(name, "v1", stream=True, decode=True))
        ours = await verbs.pull(name, "v1")
        assert ours[0] == theirs[0]
        assert ours[-2:] == theirs[-2:]
    engine.remove_image(f"{name}:v1")


async def test_a_tag_that_moved_is_newer_and_leaves_the_old_image_without_it(
    verbs: Images, client: Registry, docker_registry: DockerRegistry
) -> None:
    name = f"{docker_registry.host}/moving"
    old, new = small_image(b"old"), small_image(b"new")
    await push(client, f"{name}:v1", old)
    await verbs.pull(name, "v1")
    await push(client, f"{name}:v1", new)
    assert statuses(await verbs.pull(name, "v1"))[-1] == f"Status: Downloaded newer image for {name}:v1"
    assert find(verbs.context, f"{name}:v1").id == new.id
    assert find(verbs.context, old.id).repo_tags == ()


async def test_a_list_is_shown_and_the_platforms_manifest_is_what_tasks_pull(
    verbs: Images, client: Registry, docker_registry: DockerRegistry
) -> None:
    name, amd64, arm64 = f"{docker_registry.host}/multi", small_image(b"1"), small_image(b"2", architecture="arm64")
    for image in (amd64, arm64):
        await push(client, name, image)
        await client.put_manifest(parse(name), of_bytes(image.manifest, ""))
    body = index((amd64, {"os": "linux", "architecture": "amd64"}), (arm64, {"os": "linux", "architecture": "arm64"}))
    await client.put_manifest(parse(f"{name}:v1"), of_bytes(body, ""))
    assert f"Digest: {digest(body)}" in statuses(await verbs.pull(name, "v1", platform="linux/arm64"))
    found = find(verbs.context, f"{name}:v1")
    assert (found.id, found.manifest_digest) == (arm64.id, digest(arm64.manifest))
    assert found.pull_reference == f"{name}@{digest(arm64.manifest)}"
    assert found.repo_digests == (f"{name}@{digest(body)}",)
    await verbs.pull(name, digest(body))
    assert find(verbs.context, f"{name}@{digest(body)}").id == amd64.id
    with pytest.raises(NotSupported, match="linux/amd64 or linux/arm64"):
        await verbs.pull(name, "v1", platform="windows/amd64")


async def test_without_a_tag_every_tag_is_pulled(
    verbs: Images, client: Registry, docker_registry: DockerRegistry
) -> None:
    name = f"{docker_registry.host}/all"
    for tag in ("a", "b"):
        await push(client, f"{name}:{tag}", small_image(tag.encode()))
    await verbs.pull(name)
    assert {find(verbs.context, f"{name}:{tag}").id for tag in ("a", "b")} == {
        small_image(tag.encode()).id for tag in ("a", "b")
    }


async def test_a_mirror_is_asked_first_and_tasks_pull_from_it(
    client: Registry, docker_registry: DockerRegistry, tmp_path: Path
) -> None:
    pushed = await push(client, f"{docker_registry.host}/library/mirrored:v1", small_image(b"mirrored"))
    nested = await push(client, f"{docker_registry.host}/hub/library/nested:v1", small_image(b"nested"))
    mirrors = f"http://127.0.0.1:1,http://{docker_registry.host},http://{docker_registry.host}/hub"
    async with images(tmp_path, mirrors=mirrors) as verbs:
        lines = await verbs.pull("mirrored", "v1")
        assert lines[0] == {"status": "Pulling from library/mirrored", "id": "v1"}
        assert statuses(lines)[-1] == "Status: Downloaded newer image for mirrored:v1"
        found = find(verbs.context, "mirrored:v1")
        assert found.pull_reference == f"{docker_registry.host}/library/mirrored@{pushed}"
        assert found.repo_digests == (f"mirrored@{pushed}",)
        await verbs.pull("docker.io/library/nested", "v1")
        assert find(verbs.context, "nested:v1").pull_reference.endswith(f"/hub/library/nested@{nested}")


async def test_what_no_mirror_has_is_asked_of_docker_hub(docker_registry: DockerRegistry, tmp_path: Path) -> None:
    async with images(tmp_path, mirrors=f"http://{docker_registry.host}") as verbs:
        with pytest.raises(SystemFailure) as failed:
            await verbs.pull("nosuch", "v1")
    assert str(failed.value).startswith(NO_HUB)
    assert f"mirror {docker_registry.host}: manifest unknown" in str(failed.value)


@pytest.mark.parametrize("url", ["http://mirror.example", "ftp://x.example", "mirror.example", "https://plain/x?y=z"])
async def test_a_mirror_that_tasks_could_not_use_is_refused_at_the_start(url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="SOCKERLESS_REGISTRY_MIRRORS"):
        async with images(tmp_path, mirrors=url):
            pass


async def test_failures_come_before_the_first_line_in_dockers_words(
    verbs: Images, docker_registry: DockerRegistry
) -> None:
    name = f"{docker_registry.host}/nosuch"
    with pytest.raises(NotFound) as missing:
        await verbs.pull(name, "v1")
    assert str(missing.value) == f"manifest for {name}:v1 not found: manifest unknown: manifest unknown"
    with pytest.raises(NotFound) as missing:
        await verbs.pull(name)
    assert str(missing.value) == f"repository {name} not found: name unknown: repository name not known to registry"
    with pytest.raises(
        SystemFailure, match=r'^Get "http://127.0.0.1:1/v2/": dial tcp 127.0.0.1:1: connect: connection'
    ):
        await verbs.pull("127.0.0.1:1/x", "v1")
    with pytest.raises(InvalidParameter, match=r"^invalid reference format$"):
        await verbs.pull("a b", "v1")
    assert verbs.context.store.images() == []


@pytest.mark.engine
async def test_the_engine_fails_in_the_same_words(
    verbs: Images, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, engine: docker.APIClient
) -> None:
    verbs = verbs.without_ecr()
    wrong = RegistryAuth(USER, "wrong")
    for name, auth in (
        (f"{docker_registry.host}/nosuch", None),
        ("127.0.0.1:1/x", None),
        (f"{guarded_registry.host}/nosuch", wrong),
    ):
        config = {"username": auth.username, "password": auth.password} if auth else None
        with pytest.raises(docker.errors.APIError) as theirs:
            engine.pull(name, "v1", auth_config=config)
        with pytest.raises((NotFound, SystemFailure)) as ours:
            await verbs.pull(name, "v1", auth)
        assert str(ours.value) == theirs.value.explanation
        assert theirs.value.status_code == (404 if isinstance(ours.value, NotFound) else 500)


async def test_an_ecr_image_opens_with_the_deployments_credentials_asked_for_once(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, verbs: Images
) -> None:
    await push(client, f"{docker_registry.host}/team/app:v1", small_image(b"in ecr"))
    name = f"{guarded_registry.host}/team/app"
    for auth in (None, RegistryAuth("another", "user")):
        await verbs.pull(name, "v1", auth)
    assert find(verbs.context, f"{name}:v1").pull_reference.startswith(f"{name}@sha256:")
    assert len(verbs.asked) == 1


async def test_ecr_credentials_are_asked_for_again_after_their_time(verbs: Images) -> None:
    credentials = EcrAccess(verbs.context.ecr.ask, kept_s=0.0)
    assert await credentials.auth() == await credentials.auth() == KNOWN
    assert len(verbs.asked) == 2


@pytest.fixture
def private(token_registry: TokenRegistry) -> tuple[str, SmallImage]:
    """A repository that only USER's token opens."""
    image = small_image(b"private")
    token_registry.add_image("private/app", "v1", image.manifest, DOCKER_MANIFEST, image.config, image.layer)
    return f"{token_registry.host}/private/app", image


async def test_a_private_image_is_denied_without_credentials(verbs: Images, private: tuple[str, SmallImage]) -> None:
    name, _ = private
    with pytest.raises(NotFound) as denied:
        await verbs.pull(name, "v1")
    assert str(denied.value) == (
        f"pull access denied for {name}, repository does not exist or may require 'docker login': "
        "denied: requested access to the resource is denied"
    )


async def test_a_private_image_is_copied_to_ecr_where_tasks_can_pull_it(
    verbs: Images, private: tuple[str, SmallImage], client: Registry, docker_registry: DockerRegistry
) -> None:
    name, image = private
    lines = await verbs.pull(name, "v1", KNOWN)
    assert "Pushed" in statuses(lines)
    assert statuses(lines)[-1] == f"Status: Downloaded newer image for {name}:v1"
    found = find(verbs.context, f"{name}:v1")
    assert found.repo_digests == (f"{name}@{digest(image.manifest)}",)
    assert found.pull_reference.endswith(f"/deployment/images@{digest(image.manifest)}")
    copied = parse(f"{docker_registry.host}/deployment/images:id-{image.id.removeprefix('sha256:')}")
    assert (await client.get_manifest(copied)).body == image.manifest
    again = statuses(await verbs.pull(name, "v1", KNOWN))
    assert "Pushed" not in again
    assert again[-1] == f"Status: Image is up to date for {name}:v1"


async def test_a_private_image_is_refused_with_the_remedy_when_there_is_no_ecr(
    verbs: Images, private: tuple[str, SmallImage]
) -> None:
    with pytest.raises(NotSupported, match=r"SOCKERLESS_ECR_REPOSITORY is not set; run `sockerless-kit apply`"):
        await verbs.without_ecr().pull(private[0], "v1", KNOWN)
    assert verbs.context.store.images() == []


async def test_a_public_image_is_not_copied_though_credentials_came(
    verbs: Images, token_registry: TokenRegistry
) -> None:
    image = small_image(b"public")
    token_registry.add_image("public/app", "v1", image.manifest, DOCKER_MANIFEST, image.config)
    await verbs.pull(f"{token_registry.host}/public/app", "v1", KNOWN)
    found = find(verbs.context, f"{token_registry.host}/public/app:v1")
    assert found.pull_reference == f"{token_registry.host}/public/app@{digest(image.manifest)}"
