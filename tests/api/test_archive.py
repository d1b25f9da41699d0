"""docker cp, export and diff over HTTP: headers, statuses, bodies on their way through, broken ones broken."""

from __future__ import annotations

import asyncio
import base64
import json
import tarfile
from pathlib import Path

import pytest

from sockerless.errors import InvalidParameter
from sockerless.types import Change
from sockerless.wire.agent_files import PathStat
from tests.agent.files import archive, content, member, members, names
from tests.api.conftest import Served

STAT = PathStat("f", 12, 0o644, 1_795_441_870_945_823_114, "")
LINK = PathStat("sh", 12, 1 << 27 | 0o777, 0, "/bin/busybox")
CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.fixture
async def container(served: Served) -> str:
    """A container of the fake engine that has /d/f and /bin/sh."""
    served.engine.paths["/d/f"] = (STAT, [archive(member("f", b"twelve bytes"))])
    served.engine.paths["/bin/sh"] = (LINK, [archive(member("sh", type=tarfile.SYMTYPE, linkname="busybox"))])
    served.engine.paths["/"] = (STAT, [b"a" * 1000, b"b" * 1000])
    body = {"Image": "busybox:test", "Cmd": ["sleep", "60"]}
    _, _, answer = await served.request("POST", "/containers/create?name=box", body)
    return str(json.loads(answer)["Id"])


@pytest.mark.parametrize("method", ["HEAD", "GET"])
async def test_a_path_s_description_is_base64_of_go_s_json(served: Served, container: str, method: str) -> None:
    status, headers, body = await served.request(method, f"/v1.44/containers/{container}/archive?path=/bin/sh")
    assert status == 200
    assert json.loads(base64.b64decode(headers["x-docker-container-path-stat"])) == {
        "name": "sh",
        "size": 12,
        "mode": 134218239,
        "mtime": "1970-01-01T00:00:00Z",
        "linkTarget": "/bin/busybox",
    }
    assert bool(body) == (method == "GET")


async def test_an_archive_comes_as_tar(served: Served, container: str) -> None:
    status, headers, body = await served.request("GET", f"/containers/{container}/archive?path=/d/f")
    assert (status, headers["content-type"]) == (200, "application/x-tar")
    assert content(body, "f") == b"twelve bytes"


@pytest.mark.parametrize(
    ("target", "status", "message"),
    [
        ("/containers/{}/archive?path=/nope", 404, "Could not find the file /nope in container {}"),
        ("/containers/{}/archive?path=", 400, "bad parameter: pathcannot be empty"),
        ("/containers/{}/archive", 400, "bad parameter: pathcannot be empty"),
        ("/containers/nosuch/archive?path=/d", 404, "No such container: nosuch"),
        ("/containers/nosuch/export", 404, "No such container: nosuch"),
        ("/containers/nosuch/changes", 404, "No such container: nosuch"),
    ],
)
async def test_what_cannot_be_got_is_told_in_dockers_words(
    served: Served, container: str, target: str, status: int, message: str
) -> None:
    answered, _, body = await served.request("GET", target.format(container))
    assert (answered, json.loads(body)) == (status, {"message": message.format(container)})


async def test_a_failure_on_the_way_breaks_the_body(served: Served, container: str) -> None:
    served.engine.breaks_after = 1
    target = f"GET /containers/{container}/export HTTP/1.1\r\nHost: x\r\n\r\n"
    answer = await served.exchange(target.encode())
    assert b"200 OK" in answer
    assert b"a" * 1000 in answer
    assert not answer.endswith(b"0\r\n\r\n")


async def test_a_client_that_takes_nothing_holds_the_archive_up(served: Served, container: str) -> None:
    served.engine.paths["/"] = (STAT, [b"x" * (1 << 20)] * 64)
    reader, writer = await asyncio.open_unix_connection(str(served.path))
    writer.write(f"GET /containers/{container}/export HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    before = -1
    while served.engine.pieces_read != before:  # until it moves no more
        before = served.engine.pieces_read
        await asyncio.sleep(0.2)
    assert served.engine.pieces_read < 16
    writer.close()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", (False, False)),
        ("&noOverwriteDirNonDir=true&copyUIDGID=1", (True, True)),
        ("&noOverwriteDirNonDir=false&copyUIDGID=0", (False, False)),
    ],
)
async def test_what_is_put_reaches_the_verb_with_its_options(
    served: Served, container: str, query: str, expected: tuple[bool, bool]
) -> None:
    packed = archive(member("f", b"x" * 5000))
    status, headers, body = await served.request(
        "PUT", f"/containers/{container}/archive?path=/d{query}", packed, {"Content-Type": "application/x-tar"}
    )
    assert (status, body) == (200, b"")
    assert "content-type" not in headers
    assert served.engine.put == [("/d", packed, *expected)]


async def test_a_chunked_body_without_a_length_or_type_is_taken(served: Served, container: str) -> None:
    packed = archive(member("f", b"x"))
    head = f"PUT /containers/{container}/archive?path=/d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n".encode()
    chunk = b"%x\r\n" % len(packed) + packed + b"\r\n0\r\n\r\n"
    answer = await served.exchange(head + CHUNKED + b"\r\n" + chunk)
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert served.engine.put[0][1] == packed


async def test_a_refusal_comes_before_the_body_was_read(served: Served, container: str) -> None:
    served.engine.refusal = InvalidParameter("extraction point is not a directory")
    status, _, body = await served.request("PUT", f"/containers/{container}/archive?path=/d/f", b"x" * (4 << 20))
    assert (status, json.loads(body)) == (400, {"message": "extraction point is not a directory"})


async def test_changes_are_a_list_or_null(served: Served, container: str) -> None:
    assert (await served.request("GET", f"/containers/{container}/changes"))[2] == b"null\n"
    served.engine.changed = [Change("/etc", 0), Change("/etc/new", 1), Change("/gone", 2)]
    _, _, body = await served.request("GET", f"/containers/{container}/changes")
    assert json.loads(body) == [
        {"Path": "/etc", "Kind": 0},
        {"Path": "/etc/new", "Kind": 1},
        {"Path": "/gone", "Kind": 2},
    ]


async def test_the_docker_cli_copies_exports_and_compares(served: Served, container: str, tmp_path: Path) -> None:
    served.engine.changed = [Change("/etc/new", 1)]
    code, _, error = await served.docker("cp", f"{container}:/d/f", str(tmp_path / "f"))
    assert code == 0, error
    assert (tmp_path / "f").read_bytes() == b"twelve bytes"
    assert await served.docker("diff", container) == (0, b"A /etc/new\n", b"")
    code, exported, _ = await served.docker("export", container)
    assert (code, exported) == (0, b"a" * 1000 + b"b" * 1000)
    served.engine.paths["/d"] = (PathStat("d", 0, 1 << 31 | 0o755, 0), [])
    code, _, error = await served.docker("cp", "-", f"{container}:/d", stdin=archive(member("g", b"in")))
    assert code == 0, error
    path, received, keep_kinds, _ = served.engine.put[0]
    assert (path, keep_kinds) == ("/d", True)
    assert names(members(received)) == ["g"]
