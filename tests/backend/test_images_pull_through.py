"""Images of registries that ECR caches are taken through it: names stay the users', tasks pull from ECR."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sockerless.backend.images_find import find
from sockerless.errors import InvalidParameter, NotFound, SystemFailure
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.client import Registry
from sockerless.registry.endpoint import Mirror, parse_pull_through
from sockerless.registry.manifest import DOCKER_MANIFEST, OCI_INDEX, of_bytes
from sockerless.registry.reference import parse
from tests.backend.images_rig import images, statuses
from tests.backend.test_images_pull import NO_HUB, push
from tests.registry.conftest import client, docker_registry, guarded_registry, token_registry
from tests.registry.images import digest, index, small_image
from tests.registry.registries import DockerRegistry, TokenRegistry

__all__ = ["client", "docker_registry", "guarded_registry", "token_registry"]


async def test_the_task_pulls_from_ecr_and_the_name_stays_dockers(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    pushed = await push(client, f"{docker_registry.host}/mine/hub/library/cached:v1", small_image(b"cached"))
    cache = f"{guarded_registry.host}/mine/hub"
    async with images(tmp_path, pull_through=f"docker.io={cache}") as verbs:
        lines = statuses(await verbs.pull("cached", "v1"))
        assert lines[0] == "Pulling from library/cached"
        assert lines[1].endswith(f"stays in {cache}/library/cached; tasks pull it from there")
        assert lines[-1] == "Status: Downloaded newer image for cached:v1"
        found = find(verbs.context, "cached:v1")
        assert found.pull_reference == f"{cache}/library/cached@{pushed}"
        assert (found.repo_tags, found.repo_digests) == (("cached:v1",), (f"cached@{pushed}",))
        await verbs.pull(f"cached@{pushed}")
        assert len(verbs.asked) == 1, "ECR's credentials are asked for, and kept"


async def test_each_registry_has_its_own_cache_and_others_have_none(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    pushed = await push(client, f"{docker_registry.host}/q/team/app:v1", small_image(b"quay"))
    await push(client, f"{docker_registry.host}/team/app:v1", small_image(b"itself"))
    pull_through = f"quay.io={guarded_registry.host}/q,docker.io={guarded_registry.host}/hub"
    async with images(tmp_path, pull_through=pull_through) as verbs:
        await verbs.pull("quay.io/team/app", "v1")
        found = find(verbs.context, "quay.io/team/app:v1")
        assert found.pull_reference == f"{guarded_registry.host}/q/team/app@{pushed}"
        await verbs.pull(f"{docker_registry.host}/team/app", "v1")
        itself = find(verbs.context, f"{docker_registry.host}/team/app:v1")
        assert itself.pull_reference.startswith(f"{docker_registry.host}/team/app@")


async def test_mirrors_come_before_the_cache_and_the_registry_itself_after_it(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    for place in ("mirror", "cache"):
        await push(client, f"{docker_registry.host}/{place}/library/both:v1", small_image(place.encode()))
    await push(client, f"{docker_registry.host}/cache/library/one:v1", small_image(b"one"))
    mirrors, pull_through = f"http://{docker_registry.host}/mirror", f"docker.io={guarded_registry.host}/cache"
    async with images(tmp_path, mirrors=mirrors, pull_through=pull_through) as verbs:
        await verbs.pull("both", "v1")
        assert "/mirror/library/both@" in find(verbs.context, "both:v1").pull_reference
        await verbs.pull("one", "v1")
        assert "/cache/library/one@" in find(verbs.context, "one:v1").pull_reference
        with pytest.raises(SystemFailure) as failed:
            await verbs.pull("nosuch", "v1")
    assert str(failed.value).startswith(NO_HUB)
    assert f"(ECR cache {guarded_registry.host}: manifest unknown" in str(failed.value)


async def test_an_image_that_the_cache_does_not_have_comes_from_its_registry_and_the_client_is_told_why(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    home = docker_registry.host
    pushed = await push(client, f"{home}/team/elsewhere:v1", small_image(b"elsewhere"))
    async with images(tmp_path, pull_through=f"{home}={guarded_registry.host}/empty") as verbs:
        lines = statuses(await verbs.pull(f"{home}/team/elsewhere", "v1"))
        assert lines[1].startswith("ECR does not pull this image through: manifest unknown")
        assert find(verbs.context, f"{home}/team/elsewhere:v1").pull_reference == f"{home}/team/elsewhere@{pushed}"


async def test_a_list_whose_images_are_still_being_fetched_is_waited_for(
    token_registry: TokenRegistry, tmp_path: Path
) -> None:
    image = small_image(b"slow")
    body = index((image, {"os": "linux", "architecture": "amd64"}))
    cached = "public/hub/library/slow"
    token_registry.add_image(cached, "v1", body, OCI_INDEX)
    async with images(tmp_path, pull_through=f"docker.io={token_registry.host}/public/hub") as verbs:
        pulling = asyncio.create_task(verbs.pull("slow", "v1"))
        while not any("/manifests/sha256:" in path for path, _ in token_registry.requests):
            await asyncio.sleep(0.01)
        token_registry.add_image(cached, "unused", image.manifest, DOCKER_MANIFEST, image.config)
        assert statuses(await pulling)[-1] == "Status: Downloaded newer image for slow:v1"
        assert find(verbs.context, "slow:v1").manifest_digest == digest(image.manifest)


async def test_a_private_image_is_copied_with_the_users_credentials_which_the_cache_never_sees(
    token_registry: TokenRegistry, guarded_registry: DockerRegistry, client: Registry, tmp_path: Path
) -> None:
    image, home = small_image(b"not for the cache"), token_registry.host
    token_registry.add_image("private/app", "v1", image.manifest, DOCKER_MANIFEST, image.config, image.layer)
    cache = TokenRegistry()
    await cache.start()
    repository = f"{guarded_registry.host}/deployment/images"
    async with images(tmp_path, repository, pull_through=f"{home}={cache.host}/public/cache") as verbs:
        with pytest.raises(NotFound, match="pull access denied"):
            await verbs.pull(f"{home}/private/app", "v1")
        theirs = RegistryAuth(identity_token=token_registry.refresh_token)
        await verbs.pull(f"{home}/private/app", "v1", theirs)
        found = find(verbs.context, f"{home}/private/app:v1")
        assert found.pull_reference == f"{repository}@{digest(image.manifest)}"
    await cache.stop()
    assert cache.asked, "the cache was asked first"
    assert not any("refresh_token" in asked for asked in cache.asked)


@pytest.mark.parametrize(
    ("domain", "uri", "mirror"),
    [
        ("docker.io", "1.example/mine/docker-hub", Mirror("1.example", "mine/docker-hub/", caches=True)),
        ("quay.io", "127.0.0.1:4566/quay", Mirror("127.0.0.1:4566", "quay/", caches=True)),
        ("quay.io", "1.example", Mirror("1.example", "", caches=True)),
    ],
)
def test_a_cache_is_a_registry_and_a_prefix(domain: str, uri: str, mirror: Mirror) -> None:
    assert parse_pull_through(((domain, uri),)) == {domain: mirror}
    assert str(mirror.reference(parse(f"{domain}/a/b:c"))) == f"{uri}/a/b:c"


@pytest.mark.parametrize(
    ("domain", "uri"),
    [("docker.io", "hub"), ("docker.io", "mine/hub"), ("index.docker.io", "1.example/x"), ("a b", "1.example/x"),
     ("quay", "1.example/x"), ("quay.io", "https://1.example/x"), ("quay.io", "1.example/X")],
)  # fmt: skip
async def test_what_names_no_cache_is_refused_at_the_start(domain: str, uri: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter, match="SOCKERLESS_ECR_PULL_THROUGH"):
        async with images(tmp_path, pull_through=f"{domain}={uri}"):
            pass


async def test_the_platform_asked_for_is_taken_from_the_cache(
    client: Registry, docker_registry: DockerRegistry, guarded_registry: DockerRegistry, tmp_path: Path
) -> None:
    name, amd64, arm64 = (
        f"{docker_registry.host}/hub/library/multi",
        small_image(b"1"),
        small_image(b"2", architecture="arm64"),
    )
    for image in (amd64, arm64):
        await push(client, name, image)
        await client.put_manifest(parse(name), of_bytes(image.manifest, ""))
    body = index((amd64, {"os": "linux", "architecture": "amd64"}), (arm64, {"os": "linux", "architecture": "arm64"}))
    await client.put_manifest(parse(f"{name}:v1"), of_bytes(body, ""))
    async with images(tmp_path, pull_through=f"docker.io={guarded_registry.host}/hub") as verbs:
        await verbs.pull("multi", "v1", platform="linux/arm64")
        assert find(verbs.context, "multi:v1").id == arm64.id
