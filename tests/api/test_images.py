"""Images: shapes, progress streams, uploads in constant memory, the CLI and docker-py."""

from __future__ import annotations

import asyncio
import base64
import json

import docker
import pytest

from sockerless.errors import NotFound, SystemFailure
from sockerless.registry.auth import RegistryAuth
from tests.api.conftest import Served
from tests.api.fake_engine import BUSYBOX


async def test_an_image_as_inspect_shows_it(served: Served) -> None:
    _, _, body = await served.request("GET", "/images/busybox:test/json")
    document = json.loads(body)
    assert document["Id"] == BUSYBOX.id
    assert document["RepoTags"] == ["busybox:test"]
    assert document["RepoDigests"] == []
    assert document["Created"] == "2026-11-24T03:08:47.141094502Z"
    assert (document["Architecture"], document["Os"], document["Size"]) == ("amd64", "linux", 1984210)
    assert document["Config"]["Cmd"] == ["sh"]
    assert document["Config"]["Labels"] is None
    assert document["RootFS"] == {"Type": "layers", "Layers": ["sha256:" + "6" * 64]}
    assert "VirtualSize" not in document


async def test_clients_before_api_1_44_still_read_virtual_size(served: Served) -> None:
    _, _, body = await served.request("GET", "/v1.43/images/busybox:test/json")
    assert json.loads(body)["VirtualSize"] == 1984210
    _, _, body = await served.request("GET", "/v1.43/images/json")
    assert json.loads(body)[0]["VirtualSize"] == 1984210


async def test_the_summary_of_an_image(served: Served) -> None:
    _, _, body = await served.request("GET", "/images/json")
    assert json.loads(body) == [
        {
            "Id": BUSYBOX.id,
            "ParentId": "",
            "RepoTags": ["busybox:test"],
            "RepoDigests": [],
            "Created": 1795489727,
            "Size": 1984210,
            "SharedSize": -1,
            "Labels": {},
            "Containers": -1,
        }
    ]


async def test_a_pull_sends_its_lines_as_they_come(served: Served) -> None:
    served.engine.pull_lines = [{"status": "Pulling from x", "id": "1"}, {"status": "Status: Downloaded"}]
    status, headers, body = await served.request("POST", "/images/create?fromImage=x&tag=1&platform=linux%2Farm64")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert body == b'{"status":"Pulling from x","id":"1"}\r\n{"status":"Status: Downloaded"}\r\n'
    asked = served.engine.calls[-1][1]
    assert (asked.from_image, asked.tag, asked.platform, asked.auth) == ("x", "1", "linux/arm64", None)


async def test_a_pull_that_fails_before_its_first_line_is_a_status(served: Served) -> None:
    served.engine.pull_lines = [NotFound("manifest for x:1 not found: manifest unknown")]
    status, _, body = await served.request("POST", "/images/create?fromImage=x&tag=1")
    assert (status, json.loads(body)) == (404, {"message": "manifest for x:1 not found: manifest unknown"})


async def test_a_pull_that_fails_later_is_a_line(served: Served) -> None:
    served.engine.pull_lines = [{"status": "Pulling"}, SystemFailure("it broke")]
    status, _, body = await served.request("POST", "/images/create?fromImage=x&tag=1")
    assert status == 200
    assert json.loads(body.splitlines()[1]) == {"errorDetail": {"message": "it broke"}, "error": "it broke"}


async def test_registry_credentials_reach_the_verb(served: Served) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"username": "u", "password": "p??>"}).encode()).decode().rstrip("=")
    await served.request("POST", "/images/create?fromImage=x&tag=1", headers={"X-Registry-Auth": header})
    assert served.engine.calls[-1][1].auth == RegistryAuth("u", "p??>")


async def test_a_credentials_header_of_half_a_megabyte_is_read(served: Served) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"username": "u", "password": "p" * 400_000}).encode()).decode()
    await served.request("POST", "/images/create?fromImage=x&tag=1", headers={"X-Registry-Auth": header})
    assert len(served.engine.calls[-1][1].auth.password) == 400_000


async def test_malformed_credentials_are_refused(served: Served) -> None:
    status, _, _ = await served.request("POST", "/images/create?fromImage=x", headers={"X-Registry-Auth": "%%%"})
    assert status == 400


async def test_a_loaded_archive_reaches_the_verb_as_a_file_that_is_gone_afterwards(served: Served) -> None:
    reader, writer = await asyncio.open_unix_connection(str(served.path))
    writer.write(
        b"POST /images/load?quiet=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        b"Content-Type: application/x-tar\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    piece = bytes(1 << 20)
    for _ in range(40):
        writer.write(b"%x\r\n" % len(piece) + piece + b"\r\n")
        await writer.drain()
    writer.write(b"0\r\n\r\n")
    async with asyncio.timeout(20):
        answer = await reader.read()
    assert answer.startswith(b"HTTP/1.1 200 OK")
    assert b'{"stream":"Loaded image: busybox:test\\n"}' in answer
    ((path, size, quiet),) = served.engine.uploaded
    assert (size, quiet) == (40 << 20, True)
    assert not path.exists()
    writer.close()


@pytest.mark.parametrize(
    ("method", "target", "status", "call"),
    [
        ("POST", "/images/busybox:test/tag?repo=x&tag=1", 201, ("tag", "busybox:test", "x", "1")),
        ("DELETE", "/images/busybox:test", 200, ("remove_image", "busybox:test", False, True)),
        ("DELETE", "/images/busybox:test?force=1&noprune=1", 200, ("remove_image", "busybox:test", True, False)),
    ],
)
async def test_image_options_reach_the_verb(
    served: Served, method: str, target: str, status: int, call: tuple[object, ...]
) -> None:
    answered, _, _ = await served.request(method, target)
    assert (answered, served.engine.calls[-1]) == (status, call)


async def test_the_cli_pulls_loads_tags_and_removes(served: Served) -> None:
    served.engine.pull_lines = [
        {"status": "Pulling from library/x", "id": "1"},
        {"status": "Digest: sha256:" + "5" * 64},
        {"status": "Status: Downloaded newer image for x:1"},
    ]
    code, out, err = await served.docker("pull", "x:1")
    assert code == 0, err
    assert b"Status: Downloaded newer image for x:1" in out
    assert await served.docker("load", stdin=b"\0" * 100_000) == (0, b"Loaded image: busybox:test\n", b"")
    assert await served.docker("tag", "busybox:test", "y:2") == (0, b"", b"")
    code, out, _ = await served.docker("images", "--format", "{{.Repository}}:{{.Tag}} {{.ID}} {{.Size}}")
    assert (code, out) == (0, b"busybox:test 777777777777 1.98MB\n")
    assert await served.docker("rmi", "busybox:test") == (0, b"Untagged: busybox:test\n", b"")


async def test_docker_py_reads_and_tags_an_image(served: Served) -> None:
    def session() -> tuple[list[str], bool]:
        client = docker.DockerClient(base_url=served.host)
        try:
            image = client.images.get("busybox:test")
            return image.tags, image.tag("y", "2")
        finally:
            client.close()

    assert await asyncio.to_thread(session) == (["busybox:test"], True)
