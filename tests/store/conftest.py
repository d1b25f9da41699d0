"""Every store there is, and records to put into it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sockerless.store.base import Store
from sockerless.store.sqlite import open_store
from sockerless.types import (
    AgentCredentials,
    Container,
    ContainerState,
    Health,
    HealthProbe,
    Image,
    PublishedPort,
    TaskBinding,
    TaskDefinitionRecord,
    TaskSize,
)

OPENERS: dict[str, Callable[[Path], Store]] = {"sqlite": open_store}
"""A further store joins the conformance suite by one line here."""


@pytest.fixture(params=sorted(OPENERS))
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the store; called again, closes it first: what a new daemon finds."""
    opened: list[Store] = []

    def open_again() -> Store:
        while opened:
            opened.pop().close()
        opened.append(OPENERS[request.param](tmp_path / "state"))
        return opened[-1]

    yield open_again
    while opened:
        opened.pop().close()


@pytest.fixture
def store(reopen: Callable[[], Store]) -> Store:
    return reopen()


def container(number: int, name: str | None = None, **changes: Any) -> Container:
    """A container record with this id, every field filled with something that is not its default."""
    values: dict[str, Any] = {
        "id": f"{number:064x}",
        "name": name or f"name{number}",
        "created_at_ns": 1_767_323_045_678_901_234 + number,
        "image": "alpine",
        "image_id": "sha256:" + "1" * 64,
        "platform": "linux/amd64",
        "config": {"Cmd": ["sh", "-c", "echo 'ü' \x00"], "Labels": {"a.b": "\ud800"}, "Tty": True, "User": None},
        "host_config": {"NanoCpus": 250_000_000, "Binds": None, "Ulimits": []},
        "networking_config": {"EndpointsConfig": {"net": {}}},
        "size": TaskSize(256, 512),
        "task_definition_arn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/app:1",
        "state": ContainerState("exited", 137, "", True, 7, 1, 2),
        "task": TaskBinding("token", AgentCredentials("a", "t", "c", "k"), "arn:task", None, "sockerless/main/1"),
        "log_streams": ("sockerless/main/0", "sockerless/main/1"),
        "last_log_ns": 1_767_323_045_678_901_235,
        "restart_count": 3,
        "ports": (PublishedPort(80, "127.0.0.1", 8080),),
        "stopped_by_user": True,
        "health": Health("healthy", 1, (HealthProbe(1, 2, 1, "no"), HealthProbe(3, 4, 0, "yes\n"))),
    }
    return Container(**{**values, **changes})


def image(number: int, *repo_tags: str) -> Image:
    """An image record with this id and these tags."""
    return Image(
        id=f"sha256:{number:064x}",
        config={"config": {"Env": ["PATH=/bin"]}, "rootfs": {"diff_ids": []}},
        manifest_digest=f"sha256:{number + 1:064x}",
        pull_reference=f"registry.example/app@sha256:{number + 1:064x}",
        size_bytes=12345,
        repo_tags=repo_tags,
        repo_digests=(f"app@sha256:{number + 1:064x}",),
    )


def definition(shape: str, revision: int = 1) -> TaskDefinitionRecord:
    """A definition record of this shape."""
    return TaskDefinitionRecord(shape, f"arn:aws:ecs:r:1:task-definition/app-{shape}:{revision}", 100 + revision)
