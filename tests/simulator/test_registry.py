"""The ECR data plane over HTTP, and what ECR's own actions say of what was pushed."""

from __future__ import annotations

import hashlib
import http.client
import json
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest

from sockerless.simulator.engine import Engine
from sockerless.simulator.server import Simulator

from .conftest import Account, push, registry_password

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"


@dataclass
class Answer:
    """A response, read."""

    status: int
    headers: http.client.HTTPMessage
    body: bytes

    @property
    def code(self) -> str:
        """The distribution error's code."""
        return str(json.loads(self.body)["errors"][0]["code"])


@dataclass
class Registry:
    """The registry as a client that logged in."""

    host: str
    authorization: str

    def ask(
        self, method: str, path: str, body: bytes | Iterator[bytes] = b"", headers: dict[str, str] | None = None
    ) -> Answer:
        """One request; an iterator body is sent chunked."""
        connection = http.client.HTTPConnection(self.host)
        given = {"Authorization": self.authorization, **(headers or {})}
        connection.request(method, path, body or None, given, encode_chunked=isinstance(body, Iterator))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())

    def upload(self, repository: str, content: bytes) -> str:
        """Uploads a blob in one request; its digest."""
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        answer = self.ask("POST", f"/v2/{repository}/blobs/uploads/?digest={quote(digest)}", content)
        assert answer.status == 201
        return digest

    def push(self, repository: str, tag: str, content: bytes) -> str:
        """Pushes an image of one layer; its manifest's digest."""
        entries = [
            {"mediaType": media_type, "digest": self.upload(repository, blob), "size": len(blob)}
            for media_type, blob in (
                ("application/vnd.oci.image.config.v1+json", b"{}"),
                ("application/vnd.oci.image.layer.v1.tar", content),
            )
        ]
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": entries[0], "layers": entries[1:]}
        answer = self.put_manifest(repository, tag, manifest, MANIFEST_TYPE)
        assert answer.status == 201, answer.body
        return answer.headers["Docker-Content-Digest"]

    def put_manifest(self, repository: str, reference: str, manifest: Any, media_type: str) -> Answer:
        """PUTs a manifest document."""
        body = json.dumps(manifest).encode()
        return self.ask("PUT", f"/v2/{repository}/manifests/{reference}", body, {"Content-Type": media_type})


@pytest.fixture(scope="module")
def registry(simulator: Simulator, account: Account) -> Registry:
    """The registry, logged in, with repositories one and two."""
    for name in ("registry/one", "registry/two"):
        account.client("ecr").create_repository(repositoryName=name)
    credentials = b64encode(f"AWS:{registry_password(account)}".encode()).decode()
    return Registry(simulator.registry, f"Basic {credentials}")


@pytest.mark.parametrize("authorization", ["", "Basic " + b64encode(b"AWS:wrong").decode(), "Bearer x"])
def test_without_ecrs_token_nothing_is_served(registry: Registry, authorization: str) -> None:
    answer = Registry(registry.host, authorization).ask("GET", "/v2/")
    assert answer.status == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic realm=")


def test_the_token_works_for_the_user_aws_only(registry: Registry, account: Account) -> None:
    other = b64encode(f"root:{registry_password(account)}".encode()).decode()
    assert Registry(registry.host, f"Basic {other}").ask("GET", "/v2/").status == 401
    assert registry.ask("GET", "/v2/").status == 200


def test_repository_addresses_are_the_data_planes(registry: Registry, account: Account) -> None:
    repository = account.client("ecr").describe_repositories(repositoryNames=["registry/one"])["repositories"][0]
    assert repository["repositoryUri"] == f"{registry.host}/registry/one"
    token = account.client("ecr").get_authorization_token()["authorizationData"][0]
    assert token["proxyEndpoint"] == f"http://{registry.host}"


def test_a_pushed_image_is_in_ecr_and_comes_back_byte_for_byte(registry: Registry, account: Account) -> None:
    digest = registry.push("registry/one", "v1", b"layer" * 1000)
    for reference in ("v1", digest):
        answer = registry.ask("GET", f"/v2/registry/one/manifests/{reference}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, MANIFEST_TYPE)
        assert f"sha256:{hashlib.sha256(answer.body).hexdigest()}" == digest
    ecr = account.client("ecr")
    detail = ecr.describe_images(repositoryName="registry/one", imageIds=[{"imageTag": "v1"}])["imageDetails"][0]
    assert (detail["imageDigest"], detail["imageSizeInBytes"]) == (digest, 5002)
    image = ecr.batch_get_image(repositoryName="registry/one", imageIds=[{"imageDigest": digest}])["images"][0]
    layer = json.loads(image["imageManifest"])["layers"][0]["digest"]
    assert registry.ask("GET", f"/v2/registry/one/blobs/{layer}").body == b"layer" * 1000
    head = registry.ask("HEAD", f"/v2/registry/one/blobs/{layer}")
    assert (head.status, head.headers["Content-Length"], head.body) == (200, "5000", b"")
    available = ecr.batch_check_layer_availability(repositoryName="registry/one", layerDigests=[layer])
    assert available["layers"][0]["layerAvailability"] == "AVAILABLE"


def test_a_blob_is_uploaded_in_chunks_of_any_transfer(registry: Registry) -> None:
    location = registry.ask("POST", "/v2/registry/one/blobs/uploads/").headers["Location"]
    first = registry.ask("PATCH", location, iter([b"ab", b"cd"]))
    assert (first.status, first.headers["Range"]) == (202, "0-3")
    gap = registry.ask("PATCH", location, b"zz", {"Content-Range": "9-10"})
    assert (gap.status, gap.headers["Range"]) == (416, "0-3")
    assert registry.ask("PATCH", location, b"ef", {"Content-Range": "4-5"}).headers["Range"] == "0-5"
    assert registry.ask("GET", location).headers["Range"] == "0-5"
    digest = f"sha256:{hashlib.sha256(b'abcdefgh').hexdigest()}"
    assert registry.ask("PUT", f"{location}?digest={digest}", b"gh").status == 201
    assert registry.ask("GET", f"/v2/registry/one/blobs/{digest}").body == b"abcdefgh"


def test_content_that_is_not_its_digest_is_refused(registry: Registry) -> None:
    location = registry.ask("POST", "/v2/registry/one/blobs/uploads/").headers["Location"]
    answer = registry.ask("PUT", f"{location}?digest=sha256:{'0' * 64}", b"other")
    assert (answer.status, answer.code) == (400, "DIGEST_INVALID")
    assert registry.ask("HEAD", f"/v2/registry/one/blobs/sha256:{'0' * 64}").status == 404


def test_a_blob_belongs_to_the_repository_it_was_pushed_to_until_mounted(registry: Registry) -> None:
    digest = registry.upload("registry/one", b"mounted")
    assert registry.ask("HEAD", f"/v2/registry/two/blobs/{digest}").status == 404
    query = f"mount={quote(digest)}&from=registry/one"
    assert registry.ask("POST", f"/v2/registry/two/blobs/uploads/?{query}").status == 201
    assert registry.ask("GET", f"/v2/registry/two/blobs/{digest}").body == b"mounted"
    unknown = f"mount=sha256:{'1' * 64}&from=registry/one"
    assert registry.ask("POST", f"/v2/registry/two/blobs/uploads/?{unknown}").status == 202


def test_a_manifest_may_only_name_what_is_there(registry: Registry) -> None:
    entry = {"mediaType": "x", "digest": f"sha256:{'2' * 64}", "size": 1}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": entry, "layers": []}
    answer = registry.put_manifest("registry/one", "bad", manifest, MANIFEST_TYPE)
    assert (answer.status, answer.code) == (404, "MANIFEST_BLOB_UNKNOWN")
    index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [entry]}
    assert registry.put_manifest("registry/one", "bad", index, INDEX_TYPE).status == 404
    digest = registry.push("registry/one", "member", b"member")
    named = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": 1}
    assert registry.put_manifest("registry/one", "many", index | {"manifests": [named]}, INDEX_TYPE).status == 201


def test_a_mutable_tag_moves_and_an_immutable_one_does_not(registry: Registry, account: Account) -> None:
    first = registry.push("registry/one", "moves", b"first")
    second = registry.push("registry/one", "moves", b"second")
    assert registry.ask("HEAD", "/v2/registry/one/manifests/moves").headers["Docker-Content-Digest"] == second
    assert registry.ask("HEAD", f"/v2/registry/one/manifests/{first}").status == 200
    account.client("ecr").create_repository(repositoryName="registry/fixed", imageTagMutability="IMMUTABLE")
    registry.push("registry/fixed", "stays", b"first")
    entries = [
        {"mediaType": "x", "digest": registry.upload("registry/fixed", blob), "size": 2} for blob in (b"{}", b"z")
    ]
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": entries[0], "layers": entries[1:]}
    answer = registry.put_manifest("registry/fixed", "stays", manifest, MANIFEST_TYPE)
    assert (answer.status, answer.code) == (400, "TAG_INVALID")
    assert b"cannot be overwritten because the tag is immutable" in answer.body


def test_scanning_is_put_on_and_off_by_leaving_it_out(account: Account) -> None:
    ecr = account.client("ecr")
    ecr.create_repository(repositoryName="house/scanned")
    for asked, scanned in (({"scanOnPush": True}, True), ({}, False)):
        ecr.put_image_scanning_configuration(repositoryName="house/scanned", imageScanningConfiguration=asked)
        (found,) = ecr.describe_repositories(repositoryNames=["house/scanned"])["repositories"]
        assert found["imageScanningConfiguration"] == {"scanOnPush": scanned}


def test_tags_are_listed_in_pages_and_deleted(registry: Registry) -> None:
    for tag in ("a", "b", "c"):
        registry.push("registry/two", tag, b"tagged")
    page = registry.ask("GET", "/v2/registry/two/tags/list?n=2")
    assert json.loads(page.body) == {"name": "registry/two", "tags": ["a", "b"]}
    following = page.headers["Link"].partition(">")[0].lstrip("<")
    assert json.loads(registry.ask("GET", following).body)["tags"] == ["c"]
    assert registry.ask("DELETE", "/v2/registry/two/manifests/b").status == 202
    assert json.loads(registry.ask("GET", "/v2/registry/two/tags/list").body)["tags"] == ["a", "c"]


def test_unknown_things_are_named_by_their_codes(registry: Registry) -> None:
    assert registry.ask("GET", "/v2/registry/nosuch/tags/list").code == "NAME_UNKNOWN"
    assert registry.ask("GET", "/v2/registry/one/manifests/nosuch").code == "MANIFEST_UNKNOWN"
    assert registry.ask("GET", f"/v2/registry/one/blobs/sha256:{'3' * 64}").code == "BLOB_UNKNOWN"
    assert registry.ask("PATCH", f"/v2/registry/one/blobs/uploads/{'0' * 36}", b"x").code == "BLOB_UPLOAD_UNKNOWN"
    assert registry.ask("POST", "/v2/registry/one/manifests/x").status == 405


def test_a_layer_uploaded_through_ecrs_own_actions_is_served(registry: Registry, account: Account) -> None:
    ecr, content = account.client("ecr"), b"through the api"
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    upload = {"repositoryName": "registry/one"}
    upload["uploadId"] = ecr.initiate_layer_upload(**upload)["uploadId"]
    ecr.upload_layer_part(**upload, partFirstByte=0, partLastByte=len(content) - 1, layerPartBlob=content)
    assert ecr.complete_layer_upload(**upload, layerDigests=[digest])["layerDigest"] == digest
    assert registry.ask("GET", f"/v2/registry/one/blobs/{digest}").body == content


@pytest.mark.engine
def test_a_real_engine_pulls_what_it_pushed(
    registry: Registry, account: Account, engine_address: str, engine_image: str
) -> None:
    account.client("ecr").create_repository(repositoryName="registry/engine")
    engine = Engine(engine_address)
    repository = f"{registry.host}/registry/engine"
    push(engine, account, engine_image, repository, "latest")
    local = engine.image(engine_image)
    credentials = {"username": "AWS", "password": registry_password(account), "serveraddress": registry.host}
    engine.pull(repository, "latest", b64encode(json.dumps(credentials).encode()).decode())
    pulled = engine.image(f"{repository}:latest")
    engine.call("DELETE", f"/images/{repository}:latest")
    assert local is not None
    assert pulled is not None
    assert pulled["Id"] == local["Id"]
