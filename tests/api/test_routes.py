"""The tables of served and refused operations: together they are the API, and they do not overlap."""

from __future__ import annotations

import json

import pytest

from sockerless.api.routes import ROUTES, Route, resolve
from sockerless.api.unsupported import UNSUPPORTED, Refusal
from tests.api.conftest import Served

API_1_44 = """
POST /auth  GET /info  GET /version  GET /_ping  HEAD /_ping  GET /events  GET /system/df  POST /session
GET /distribution/{name}/json  POST /build  POST /build/prune  POST /commit
GET /containers/json  POST /containers/create  GET /containers/{name}/json  GET /containers/{name}/top
GET /containers/{name}/logs  GET /containers/{name}/changes  GET /containers/{name}/export
GET /containers/{name}/stats  POST /containers/{name}/resize  POST /containers/{name}/start
POST /containers/{name}/stop  POST /containers/{name}/restart  POST /containers/{name}/kill
POST /containers/{name}/update  POST /containers/{name}/rename  POST /containers/{name}/pause
POST /containers/{name}/unpause  POST /containers/{name}/attach  GET /containers/{name}/attach/ws
POST /containers/{name}/wait  DELETE /containers/{name}  HEAD /containers/{name}/archive
GET /containers/{name}/archive  PUT /containers/{name}/archive  POST /containers/prune
POST /containers/{name}/exec  POST /exec/{name}/start  POST /exec/{name}/resize  GET /exec/{name}/json
GET /images/json  POST /images/create  GET /images/{name}/json  GET /images/{name}/history  POST /images/{name}/push
POST /images/{name}/tag  DELETE /images/{name}  GET /images/search  POST /images/prune  GET /images/{name}/get
GET /images/get  POST /images/load
GET /volumes  POST /volumes/create  GET /volumes/{name}  PUT /volumes/{name}  DELETE /volumes/{name}
POST /volumes/prune
GET /networks  GET /networks/{name}  DELETE /networks/{name}  POST /networks/create  POST /networks/{name}/connect
POST /networks/{name}/disconnect  POST /networks/prune
GET /plugins  GET /plugins/privileges  POST /plugins/pull  GET /plugins/{name}/json  DELETE /plugins/{name}
POST /plugins/{name}/enable  POST /plugins/{name}/disable  POST /plugins/{name}/upgrade  POST /plugins/create
POST /plugins/{name}/push  POST /plugins/{name}/set
GET /nodes  GET /nodes/{name}  DELETE /nodes/{name}  POST /nodes/{name}/update
GET /swarm  POST /swarm/init  POST /swarm/join  POST /swarm/leave  POST /swarm/update  GET /swarm/unlockkey
POST /swarm/unlock
GET /services  POST /services/create  GET /services/{name}  DELETE /services/{name}  POST /services/{name}/update
GET /services/{name}/logs  GET /tasks  GET /tasks/{name}  GET /tasks/{name}/logs
GET /secrets  POST /secrets/create  GET /secrets/{name}  DELETE /secrets/{name}  POST /secrets/{name}/update
GET /configs  POST /configs/create  GET /configs/{name}  DELETE /configs/{name}  POST /configs/{name}/update
"""
"""Every operation of Engine API 1.44's document."""
NOT_IN_THE_DOCUMENT = {"POST /grpc"}


def operations() -> set[str]:
    """The operations of API_1_44."""
    words = API_1_44.split()
    return {f"{method} {path}" for method, path in zip(words[::2], words[1::2], strict=True)}


def test_every_operation_is_served_or_refused_and_none_is_both() -> None:
    served = [f"{route.method} {route.path}" for route in ROUTES]
    refused = [f"{refusal.method} {refusal.path}" for refusal in UNSUPPORTED]
    assert len(set(served + refused)) == len(served + refused)
    assert set(served + refused) == operations() | NOT_IN_THE_DOCUMENT


@pytest.mark.parametrize("operation", sorted(operations()))
def test_every_operation_is_found_by_its_path(operation: str) -> None:
    method, _, path = operation.partition(" ")
    match = resolve(method, path.replace("{name}", "quay.io/org/x:1"))
    assert match is not None
    assert match.target.path == path
    assert match.name == ("quay.io/org/x:1" if "{name}" in path else "")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/containers"),
        ("PUT", "/containers/json"),
        ("GET", "/containers/x/start"),
        ("OPTIONS", "/info"),
    ],
)
def test_an_unknown_path_or_method_is_not_found(method: str, path: str) -> None:
    assert resolve(method, path) is None


@pytest.mark.parametrize("refusal", UNSUPPORTED, ids=lambda refusal: f"{refusal.method} {refusal.path}")
async def test_a_refused_operation_says_its_reason_and_remedy(served: Served, refusal: Refusal) -> None:
    assert refusal.reason.endswith(".")
    assert refusal.remedy.endswith(".")
    status, headers, body = await served.request(refusal.method, "/v1.44" + refusal.path.replace("{name}", "x"))
    assert status == refusal.status
    assert headers["api-version"] == "1.44"
    if refusal.method != "HEAD":
        assert json.loads(body) == {"message": refusal.message}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_says_what_it_means_on_fargate(route: Route) -> None:
    assert route.fargate
    assert route.handler.__doc__


async def test_the_cli_shows_a_refusal(served: Served) -> None:
    code, _, err = await served.docker("network", "create", "x")
    assert code == 1
    assert b"Networks are not available in this version of sockerless." in err
