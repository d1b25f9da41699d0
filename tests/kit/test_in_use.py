"""A plan that takes away what tasks stand on is refused while they run, and only then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sockerless.errors import Conflict
from sockerless.kit import in_use, state
from sockerless.kit import project as settings
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project
from tests.kit import standing

CLUSTER = "module.cluster.aws_ecs_cluster.this"
ARN = standing.OUTPUTS["cluster_arn"]


@pytest.fixture
def tasks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ARNs that ECS lists."""
    listed: list[str] = []

    async def list_tasks(*_: object) -> list[str]:
        return listed

    monkeypatch.setattr("sockerless.aws.ecs.list_tasks", list_tasks)
    return listed


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """One whose terraform state tells of a deployment."""
    here = settings.from_mapping(tmp_path, {})
    document = {"version": 4, "outputs": standing.document(), "resources": []}
    path = state.path_of(here)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return here


def plan(*changes: tuple[str, str, str]) -> Plan:
    """A plan that does this: address, id, and what becomes of it."""
    actions = {"replace": ["delete", "create"], "delete": ["delete"], "update": ["update"]}
    planned = [
        {"address": address, "change": {"actions": actions[action], "before": {"id": id_}}}
        for address, id_, action in changes
    ]
    return Plan(Path("plan"), (), (), {"resource_changes": planned})


def test_a_cluster_is_not_taken_away_from_under_its_tasks(project: Project, tasks: list[str]) -> None:
    tasks += ["arn:1", "arn:2"]
    with pytest.raises(Conflict, match=rf"takes away {CLUSTER}, and 2 tasks run on it: remove the containers"):
        in_use.refuse(project, plan((CLUSTER, ARN, "replace"), ("aws_ecr_repository.images", "test/images", "replace")))


@pytest.mark.parametrize("id_", ["fs-0a", "fsap-0a", "vpc-0a", "subnet-0d", "sg-0a"])
def test_nor_is_what_they_mount_and_where_their_interfaces_are(project: Project, tasks: list[str], id_: str) -> None:
    tasks.append("arn:1")
    with pytest.raises(Conflict, match=r"takes away some\.thing, and 1 task runs on it"):
        in_use.refuse(project, plan(("some.thing", id_, "delete")))


@pytest.mark.parametrize(
    ("id_", "action"),
    [(ARN, "update"), ("test/images", "delete"), ("subnet-0a", "delete"), ("sg-0b", "replace")],
)
def test_what_no_task_holds_may_be_changed(project: Project, tasks: list[str], id_: str, action: str) -> None:
    tasks.append("arn:1")
    in_use.refuse(project, plan(("some.thing", id_, action)))


def test_without_tasks_everything_may_go(project: Project, tasks: list[str]) -> None:
    in_use.refuse(project, plan((CLUSTER, ARN, "replace")))


def test_before_anything_stands_nothing_is_asked(tmp_path: Path) -> None:
    created = {"address": CLUSTER, "change": {"actions": ["create"], "before": None}}
    in_use.refuse(settings.from_mapping(tmp_path, {}), Plan(Path("plan"), (), (), {"resource_changes": [created]}))
