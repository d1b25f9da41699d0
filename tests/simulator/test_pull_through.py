"""Pulls through ECR from registries on this machine: Debian's docker-registry, and one behind bearer tokens."""

from __future__ import annotations

import asyncio
import base64
import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sockerless.errors import NotFound, Unavailable
from sockerless.simulator.engine import Engine
from sockerless.simulator.server import Simulator
from sockerless.simulator.upstream import Login, Upstreams
from tests.registry.images import SmallImage, digest, index, small_image
from tests.registry.registries import PASSWORD, USER, DockerRegistry, TokenRegistry

from .conftest import TRUST, Account, registry_password

IMAGE_TYPE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
ACCEPTED = {"Accept": f"{IMAGE_TYPE}, {INDEX_TYPE}"}


@dataclass
class Http:
    """Requests to a registry at host:port with Basic authentication."""

    host: str
    user: str = ""
    password: str = ""

    def call(self, method: str, path: str, body: bytes | None = None, **headers: str) -> tuple[int, Any, bytes]:
        """Status, headers and body."""
        url = path if path.startswith("http") else f"http://{self.host}{path}"
        request = urllib.request.Request(url, body, {**headers}, method=method)  # noqa: S310 - a loopback http URL
        if self.user:
            given = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
            request.add_header("Authorization", f"Basic {given}")
        try:
            with urllib.request.urlopen(request) as answer:  # noqa: S310
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.headers, error.read()

    def push(self, name: str, tag: str, manifest: bytes, media_type: str, *blobs: bytes) -> None:
        """Stores an image."""
        for blob in blobs:
            _, headers, _ = self.call("POST", f"/v2/{name}/blobs/uploads/")
            location = headers["Location"]
            joined = f"{location}{'&' if '?' in location else '?'}digest={digest(blob)}"
            assert self.call("PUT", joined, blob, **{"Content-Type": "application/octet-stream"})[0] == 201
        status, _, answer = self.call("PUT", f"/v2/{name}/manifests/{tag}", manifest, **{"Content-Type": media_type})
        assert status == 201, answer

    def push_image(self, name: str, tag: str, image: SmallImage) -> None:
        """Stores an image of one layer."""
        self.push(name, tag, image.manifest, IMAGE_TYPE, image.config, image.layer)


@pytest.fixture(scope="module")
def upstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """A docker-registry that asks for USER and PASSWORD."""
    registry = DockerRegistry(tmp_path_factory.mktemp("upstream"), guarded=True)
    yield registry
    registry.stop()


@pytest.fixture(scope="module")
def hub(upstream: DockerRegistry) -> Http:
    """What stands for Docker Hub."""
    return Http(upstream.host, USER, PASSWORD)


@pytest.fixture(scope="module")
def ecr(simulator: Simulator, account: Account, upstream: DockerRegistry) -> Http:
    """The simulated ECR, with a rule for Docker Hub at house/docker-hub and its template."""
    place = json.dumps({"registry-1.docker.io": f"http://{upstream.host}"}).encode()
    admin = Http(simulator.registry)
    assert admin.call("PUT", "/_sockerless/upstreams", place)[0] == 204
    assert json.loads(admin.call("GET", "/_sockerless/upstreams")[2]) == json.loads(place)
    secret = account.client("secretsmanager").create_secret(
        Name="ecr-pullthroughcache/hub", SecretString=json.dumps({"username": USER, "accessToken": PASSWORD})
    )["ARN"]
    client = account.client("ecr")
    client.create_pull_through_cache_rule(
        ecrRepositoryPrefix="house/docker-hub", upstreamRegistryUrl="registry-1.docker.io", credentialArn=secret
    )
    role = account.client("iam").create_role(RoleName="creator", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    rule = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 9}
    policy = {"rules": [{"rulePriority": 1, "selection": rule, "action": {"type": "expire"}}]}
    client.create_repository_creation_template(
        prefix="house/docker-hub",
        appliedFor=["PULL_THROUGH_CACHE"],
        resourceTags=[{"Key": "team", "Value": "house"}],
        lifecyclePolicy=json.dumps(policy),
        customRoleArn=role,
    )
    return Http(simulator.registry, "AWS", registry_password(account))


def manifest(ecr: Http, name: str, reference: str, method: str = "GET") -> tuple[int, bytes]:
    """Status and content of a manifest in the cache."""
    status, _, content = ecr.call(method, f"/v2/house/docker-hub/{name}/manifests/{reference}", None, **ACCEPTED)
    return status, content


def test_a_first_pull_makes_the_repository_and_fills_it(account: Account, ecr: Http, hub: Http) -> None:
    image = small_image(b"first")
    hub.push_image("library/first", "1", image)
    assert manifest(ecr, "library/first", "1") == (200, image.manifest)
    path = "/v2/house/docker-hub/library/first/blobs"
    assert ecr.call("GET", f"{path}/{digest(image.config)}")[2] == image.config
    assert ecr.call("GET", f"{path}/{digest(image.layer)}")[2] == image.layer
    client, name = account.client("ecr"), "house/docker-hub/library/first"
    (described,) = client.describe_images(repositoryName=name)["imageDetails"]
    assert (described["imageDigest"], described["imageTags"]) == (digest(image.manifest), ["1"])
    (repository,) = client.describe_repositories(repositoryNames=[name])["repositories"]
    tags = client.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
    assert tags == [{"Key": "team", "Value": "house"}]
    assert '"countNumber": 9' in client.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]


def test_what_is_cached_needs_its_registry_no_more(ecr: Http, hub: Http, simulator: Simulator) -> None:
    image = small_image(b"kept")
    hub.push_image("library/kept", "1", image)
    assert manifest(ecr, "library/kept", "1", "HEAD")[0] == 200
    admin = Http(simulator.registry)
    admin.call("PUT", "/_sockerless/upstreams", b'{"registry-1.docker.io": "http://127.0.0.1:1"}')
    try:
        assert manifest(ecr, "library/kept", "1") == (200, image.manifest)
        status, content = manifest(ecr, "library/kept", "2")
        assert (status, json.loads(content)["errors"][0]["code"]) == (500, "UNKNOWN")
        assert b"UnableToGetUpstreamImage" in content
    finally:
        place = json.dumps({"registry-1.docker.io": f"http://{hub.host}"}).encode()
        admin.call("PUT", "/_sockerless/upstreams", place)


def test_an_index_is_cached_with_the_images_that_are_pulled(account: Account, ecr: Http, hub: Http) -> None:
    here, there = small_image(b"here"), small_image(b"there", architecture="arm64")
    hub.push_image("team/both", "amd64", here)
    hub.push_image("team/both", "arm64", there)
    both = index((here, {"os": "linux", "architecture": "amd64"}), (there, {"os": "linux", "architecture": "arm64"}))
    hub.push("team/both", "1", both, INDEX_TYPE)
    assert manifest(ecr, "team/both", "1") == (200, both)
    assert manifest(ecr, "team/both", digest(there.manifest)) == (200, there.manifest)
    held = account.client("ecr").describe_images(repositoryName="house/docker-hub/team/both")["imageDetails"]
    assert {image["imageDigest"] for image in held} == {digest(both), digest(there.manifest)}


def test_what_upstream_does_not_have_is_not_found_and_makes_no_repository(account: Account, ecr: Http) -> None:
    status, content = manifest(ecr, "library/nothing", "1")
    assert (status, json.loads(content)["errors"][0]["code"]) == (404, "NAME_UNKNOWN")
    names = [found["repositoryName"] for found in account.client("ecr").describe_repositories()["repositories"]]
    assert "house/docker-hub/library/nothing" not in names


def test_repositories_outside_the_rule_are_not_filled(ecr: Http, hub: Http) -> None:
    hub.push_image("library/outside", "1", small_image(b"outside"))
    assert ecr.call("GET", "/v2/house/library/outside/manifests/1")[0] == 404
    assert ecr.call("GET", "/v2/house/docker-hubs/library/outside/manifests/1")[0] == 404


def test_a_wrong_secret_says_so(account: Account, ecr: Http, hub: Http) -> None:
    hub.push_image("library/secret", "1", small_image(b"secret"))
    secrets = account.client("secretsmanager")
    secrets.put_secret_value(SecretId="ecr-pullthroughcache/hub", SecretString='{"user": "x"}')
    try:
        status, content = manifest(ecr, "library/secret", "1")
        assert status == 500
        assert b"holds no username and accessToken" in content
    finally:
        good = json.dumps({"username": USER, "accessToken": PASSWORD})
        secrets.put_secret_value(SecretId="ecr-pullthroughcache/hub", SecretString=good)


@pytest.mark.engine
def test_a_task_runs_an_image_that_is_pulled_through(
    account: Account, ecr: Http, hub: Http, engine_address: str, engine_image: str, simulator: Simulator
) -> None:
    engine = Engine(engine_address)
    engine.call("POST", f"/images/{engine_image}/tag", {"repo": f"{hub.host}/library/busybox", "tag": "1"})
    credentials = {"username": USER, "password": PASSWORD, "serveraddress": hub.host}
    headers = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()}
    with engine.stream("POST", f"/images/{hub.host}/library/busybox/push", {"tag": "1"}, headers=headers) as response:
        assert b'"error"' not in response.read()
    engine.call("DELETE", f"/images/{hub.host}/library/busybox:1")
    reference = f"{simulator.registry}/house/docker-hub/library/busybox:1"
    container = {"name": "main", "image": reference, "entryPoint": ["sh", "-c"], "command": ["exit 7"]}
    account.register("cached", container)
    task = account.stopped(account.run("cached")["taskArn"])
    assert task["containers"][0].get("exitCode") == 7, task


async def test_a_registry_behind_bearer_tokens_is_read_with_and_without_an_account() -> None:
    registry = TokenRegistry()
    await registry.start()
    image = small_image(b"token")
    for name in ("public/open", "library/closed"):
        registry.add_image(name, "1", image.manifest, IMAGE_TYPE, image.config, image.layer)
    upstreams = Upstreams({"registry-1.docker.io": f"http://{registry.host}"})

    def read(path: str, login: Login | None) -> bytes:
        return upstreams.manifest("registry-1.docker.io", path, "1", login).content

    try:
        assert await asyncio.to_thread(read, "public/open", None) == image.manifest
        assert await asyncio.to_thread(read, "library/closed", Login(USER, PASSWORD)) == image.manifest
        with pytest.raises(NotFound, match="401"):
            await asyncio.to_thread(read, "library/closed", None)
        with pytest.raises(Unavailable, match="token"):
            await asyncio.to_thread(read, "library/closed", Login(USER, "wrong"))
    finally:
        await registry.stop()
