"""GET /events: the objects' exact shape, the query's errors, the real client."""

from __future__ import annotations

import json

import pytest

from sockerless.types import Event
from tests.api.conftest import Served

STARTED = Event(
    "container", "start", "c1", {"image": "alpine:3.10", "name": "web", "team": "x"}, 1_795_441_870_945_823_114
)
TAGGED = Event("image", "tag", "sha256:1", {"name": "app:1"}, 1_795_441_871_000_000_001)


async def test_events_have_the_exact_shape_of_dockers(served: Served) -> None:
    served.engine.told = [STARTED, TAGGED]
    status, headers, body = await served.request("GET", "/v1.44/events?until=5")
    assert (status, headers["content-type"]) == (200, "application/json")
    assert body.splitlines()[0] == (
        b'{"status":"start","id":"c1","from":"alpine:3.10","Type":"container","Action":"start",'
        b'"Actor":{"ID":"c1","Attributes":{"image":"alpine:3.10","name":"web","team":"x"}},'
        b'"scope":"local","time":1795441870,"timeNano":1795441870945823114}'
    )
    assert json.loads(body.splitlines()[1]) == {
        "status": "tag", "id": "sha256:1", "Type": "image", "Action": "tag",
        "Actor": {"ID": "sha256:1", "Attributes": {"name": "app:1"}},
        "scope": "local", "time": 1795441871, "timeNano": 1795441871000000001,
    }  # fmt: skip


async def test_moments_and_filters_reach_the_verb(served: Served) -> None:
    await served.request("GET", '/events?since=1.5&until=2&filters={"type":["container"]}')
    assert served.engine.calls == [("events", {"type": ("container",)}, 1_500_000_000, 2_000_000_000)]


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("since=foo", 'strconv.ParseInt: parsing "foo": invalid syntax'),
        ("until=1m", 'strconv.ParseInt: parsing "1m": invalid syntax'),
        ("since=10&until=5", "`since` time (10) cannot be after `until` time (5)"),
    ],
)
async def test_a_moment_that_makes_no_sense_is_refused(served: Served, query: str, message: str) -> None:
    status, _, body = await served.request("GET", f"/events?{query}")
    assert (status, json.loads(body)["message"]) == (400, message)


async def test_the_cli_prints_events_and_ends_with_until(served: Served) -> None:
    served.engine.told = [STARTED]
    code, out, err = await served.docker(
        "events", "--until", "2026-11-23T12:00:00", "--format", "{{.Action}} {{.Actor.ID}}"
    )
    assert (code, out, err) == (0, b"start c1\n", b"")
