"""docker ps: which containers are listed."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from sockerless.backend.containers_list import list_containers
from sockerless.backend.context import Backend
from sockerless.errors import InvalidParameter, NotFound
from sockerless.types import Container, ContainerState, TaskSize
from sockerless.wire.filters import Filters
from tests.backend.rig import IMAGE, Rig

STATES = {
    "made": ContainerState(),
    "up": ContainerState("running", started_at_ns=1),
    "still": ContainerState("paused", started_at_ns=1),
    "done": ContainerState("exited", exit_code=0, started_at_ns=1, finished_at_ns=2),
    "failed": ContainerState("exited", exit_code=3, started_at_ns=1, finished_at_ns=2),
}
_numbers = itertools.count(1)


def container(name: str, created_at_ns: int) -> Container:
    """One record; "up" and "still" expose 80/tcp and 53/udp, "done" is of another image."""
    up = name in {"up", "still"}
    return Container(
        id=f"{created_at_ns:x}{next(_numbers):063x}",
        name=name,
        created_at_ns=created_at_ns,
        image="img:latest",
        image_id="sha256:" + "9" * 64 if name == "done" else IMAGE.id,
        platform="linux/amd64",
        config={
            "Labels": {"project": "p", "name": name},
            "ExposedPorts": {"80/tcp": {}, "53/udp": {}} if up else None,
        },
        host_config={},
        networking_config={},
        size=TaskSize(256, 512),
        task_definition_arn="",
        state=STATES[name],
    )


@pytest.fixture
async def five(rig: Rig) -> Backend:
    """A backend with one container of each state, the later in STATES the newer."""
    await asyncio.sleep(0)
    for created_at_ns, name in enumerate(STATES, start=1):
        rig.backend.store.save_container(container(name, created_at_ns))
    return rig.backend


ALL = ["failed", "done", "still", "up", "made"]


@pytest.mark.parametrize(
    ("filters", "everything", "limit", "names"),
    [
        ({}, False, 0, ["still", "up"]),
        ({}, True, 0, ALL),
        ({}, False, -1, ["still", "up"]),
        ({}, False, 3, ALL[:3]),
        ({"status": ("exited",)}, False, 0, ["failed", "done"]),
        ({"status": ("exited", "created")}, False, 0, ["failed", "done", "made"]),
        ({"status": ("dead",)}, False, 0, []),
        ({"name": ("one",)}, True, 0, ["done"]),
        ({"name": ("^/up$",)}, True, 0, ["up"]),
        ({"name": ("^up$", "made")}, True, 0, ["up", "made"]),
        ({"id": ("^1",)}, True, 0, ["made"]),
        ({"label": ("project",)}, True, 0, ALL),
        ({"label": ("project=p", "name=up")}, True, 0, ["up"]),
        ({"label": ("project=q",)}, True, 0, []),
        ({"exited": ("3",)}, True, 0, ["failed"]),
        ({"exited": ("0",)}, True, 0, ["done"]),
        ({"before": ("still",)}, True, 0, ["up", "made"]),
        ({"since": ("still",)}, True, 0, ["failed", "done"]),
        ({"since": ("made",), "before": ("done",)}, True, 0, ["still", "up"]),
        ({"ancestor": ("img",)}, True, 0, ["failed", "still", "up", "made"]),
        ({"ancestor": ("nosuch",)}, True, 0, []),
        ({"expose": ("80",)}, True, 0, ["still", "up"]),
        ({"expose": ("50-60/udp",)}, True, 0, ["still", "up"]),
        ({"expose": ("53",)}, True, 0, []),
        ({"publish": ("80",)}, True, 0, []),
        ({"volume": ("data",)}, True, 0, []),
        ({"network": ("bridge",)}, True, 0, ALL),
        ({"network": ("front",)}, True, 0, []),
        ({"health": ("none",)}, True, 0, ALL),
        ({"health": ("healthy",)}, True, 0, []),
        ({"is-task": ("false",)}, True, 0, ALL),
        ({"is-task": ("true",)}, True, 0, []),
        ({"status": ("running",), "label": ("name=still",)}, True, 0, []),
        ({"label": ()}, True, 0, ALL),
    ],
)
async def test_what_is_listed(five: Backend, filters: Filters, everything: bool, limit: int, names: list[str]) -> None:
    assert [each.name for each in list_containers(five, filters, everything, limit)] == names


@pytest.mark.parametrize(
    ("filters", "message"),
    [
        ({"foo": ("x",)}, "invalid filter 'foo'"),
        ({"status": ("sleeping",)}, "invalid filter 'status=sleeping'"),
        ({"health": ("well",)}, "invalid filter 'health=well'"),
        ({"exited": ("three",)}, "invalid filter 'exited=three'"),
        ({"expose": ("http",)}, "invalid filter 'expose=http'"),
        ({"publish": ("9-1",)}, "invalid filter 'publish=9-1'"),
        ({"is-task": ("maybe",)}, "invalid filter 'is-task="),
    ],
)
async def test_an_unknown_filter_or_value_is_refused(five: Backend, filters: Filters, message: str) -> None:
    with pytest.raises(InvalidParameter) as raised:
        list_containers(five, filters, True, 0)
    assert str(raised.value).startswith(message)


async def test_before_and_since_must_name_a_container(five: Backend) -> None:
    with pytest.raises(NotFound, match="No such container: nosuch"):
        list_containers(five, {"before": ("nosuch",)}, True, 0)
