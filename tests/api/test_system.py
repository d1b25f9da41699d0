"""Ping, version, info; versions, headers and errors of every reply."""

from __future__ import annotations

import json

import pytest

from tests.api.conftest import Served

API_HEADERS = {"api-version": "1.44", "docker-experimental": "false", "ostype": "linux"}


async def test_ping_is_two_bytes_that_no_cache_keeps(served: Served) -> None:
    status, headers, body = await served.request("GET", "/_ping")
    assert (status, body) == (200, b"OK")
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert headers["cache-control"] == "no-cache, no-store, must-revalidate"
    assert headers["pragma"] == "no-cache"
    assert headers["server"].startswith("Docker/")
    assert "builder-version" not in headers
    assert API_HEADERS.items() <= headers.items()


async def test_head_ping_has_the_headers_and_no_body(served: Served) -> None:
    status, headers, body = await served.request("HEAD", "/v1.41/_ping")
    assert (status, body) == (200, b"")
    assert headers["swarm"] == "inactive"
    assert API_HEADERS.items() <= headers.items()


@pytest.mark.parametrize(
    ("method", "target", "status", "message"),
    [
        ("GET", "/nosuch", 404, "page not found"),
        ("GET", "/v1.44/nosuch", 404, "page not found"),
        ("POST", "/_ping", 404, "page not found"),
        ("DELETE", "/containers/json/", 404, "No such container: json/"),
        (
            "GET",
            "/v1.99/info",
            400,
            "client version 1.99 is too new. Maximum supported API version is 1.44",
        ),
        ("GET", "/v1.x/info", 404, "page not found"),
        ("GET", "/v1/info", 400, "invalid version format: 1"),
        ("GET", "/containers/nope/json", 404, "No such container: nope"),
        ("GET", "/images/nope/json", 404, "no such image: nope: No such image: nope:latest"),
        ("POST", "/images/nope/tag?repo=x", 404, "No such image: nope:latest"),
        ("GET", "/images/json?shared-size=1", 501, "shared-size is not available in this version of sockerless: "),
        ("GET", "/containers/json?size=1", 501, "size (--size) is not available in this version of sockerless: "),
        ("GET", "/containers/json?limit=x", 400, 'strconv.Atoi: parsing "x": invalid syntax'),
        ("GET", "/containers/json?filters=x", 400, "invalid filter"),
        (
            "GET",
            "/swarm",
            503,
            'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to '
            "swarm and try again.",
        ),
        ("POST", "/swarm/init", 501, "Swarm mode is not supported by this daemon."),
        ("GET", "/networks", 501, "Networks are not available in this version of sockerless."),
        ("POST", "/build", 501, "Building images is not available in this version of sockerless."),
        ("POST", "/images/create?fromSrc=-", 501, "Importing a file system as an image (fromSrc) is not available"),
        ("POST", "/images/create", 400, "fromImage must name an image"),
    ],
)
async def test_an_error_is_a_status_and_one_json_message(
    served: Served, method: str, target: str, status: int, message: str
) -> None:
    answered, headers, body = await served.request(method, target)
    assert answered == status
    assert headers["content-type"] == "application/json"
    assert body.endswith(b"\n")
    document = json.loads(body)
    assert list(document) == ["message"]
    assert document["message"].startswith(message)


async def test_an_unrouted_reply_carries_none_of_the_api_headers(served: Served) -> None:
    _, headers, _ = await served.request("GET", "/nosuch")
    assert not {*API_HEADERS, "server"} & headers.keys()


async def test_a_client_from_before_json_errors_is_refused_in_plain_text(served: Served) -> None:
    status, headers, body = await served.request("GET", "/v1.23/info")
    assert status == 400
    assert headers["content-type"] == "text/plain; charset=utf-8"
    assert body == (
        b"client version 1.23 is too old. Minimum supported API version is 1.24, "
        b"please upgrade your client to a newer version\n"
    )


@pytest.mark.parametrize("prefix", ["", "/v1.24", "/v1.44"])
async def test_versioned_and_unversioned_paths_answer_alike(served: Served, prefix: str) -> None:
    status, _, body = await served.request("GET", f"{prefix}/version")
    assert status == 200
    assert json.loads(body)["ApiVersion"] == "1.44"
    assert json.loads(body)["MinAPIVersion"] == "1.24"


async def test_info_says_there_is_no_swarm(served: Served) -> None:
    _, _, body = await served.request("GET", "/info")
    document = json.loads(body)
    assert document["Swarm"]["LocalNodeState"] == "inactive"
    assert document["SecurityOptions"] == []


async def test_a_defect_is_answered_500_without_ending_the_daemon(served: Served) -> None:
    served.engine.failure = ZeroDivisionError("division by zero")
    status, _, body = await served.request("POST", "/containers/create", {"Image": "busybox:test"})
    assert (status, json.loads(body)) == (500, {"message": "internal error: ZeroDivisionError: division by zero"})
    status, _, _ = await served.request("GET", "/_ping")
    assert status == 200


async def test_malformed_http_does_not_end_the_daemon(served: Served) -> None:
    assert (await served.exchange(b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n")).startswith(b"HTTP/1.")
    status, _, _ = await served.request("GET", "/_ping")
    assert status == 200


async def test_json_is_escaped_as_go_escapes_it(served: Served) -> None:
    await served.request("POST", "/containers/create?name=a", {"Image": "busybox:test", "Cmd": ["echo", "<&>\u2028é"]})
    _, _, body = await served.request("GET", "/containers/a/json")
    assert "\\u003c\\u0026\\u003e\\u2028é".encode() in body


async def test_a_client_that_has_closed_its_sending_side_is_answered(served: Served) -> None:
    answer = await served.exchange(b"GET /_ping HTTP/1.1\r\nHost: x\r\n\r\n", half_close=True)
    assert answer.endswith(b"\r\n\r\nOK")


async def test_the_cli_reads_version_and_info(served: Served) -> None:
    code, out, err = await served.docker("version", "--format", "{{.Client.APIVersion}} {{.Server.APIVersion}}")
    assert (code, out) == (0, b"1.44 1.44\n"), err
    code, out, err = await served.docker("info", "--format", "{{.Name}} {{.Swarm.LocalNodeState}}")
    assert (code, out) == (0, b"fake inactive\n"), err
