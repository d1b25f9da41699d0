"""A plan that takes away what tasks stand on is refused while they run, and only then."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sockerless.errors import Conflict
from sockerless.kit import in_use, state
from sockerless.kit import project as settings
from sockerless.kit.events import PlannedChange
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project
from tests.kit import standing

CLUSTER = "module.cluster.aws_ecs_cluster.this"


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


def plan(*changes: tuple[str, str]) -> Plan:
    found = tuple(PlannedChange(address, "", action) for address, action in changes)  # type: ignore[arg-type]
    return Plan(Path("plan"), found)


def test_a_cluster_is_not_taken_away_from_under_its_tasks(project: Project, tasks: list[str]) -> None:
    tasks += ["arn:1", "arn:2"]
    with pytest.raises(Conflict, match=rf"takes away {CLUSTER}, and 2 tasks run on it: remove the containers"):
        in_use.refuse(project, plan((CLUSTER, "replace"), ("module.ecr.aws_ecr_repository.images", "replace")))


@pytest.mark.parametrize(
    ("address", "action"),
    [
        (CLUSTER, "update"),
        ("module.cluster.aws_ecs_cluster_capacity_providers.this", "replace"),
        ("module.ecr.aws_ecr_repository.images", "delete"),
        ('module.vpc.aws_route_table.private["us-east-1a"]', "delete"),
    ],
)
def test_what_no_task_holds_may_be_changed(project: Project, tasks: list[str], address: str, action: str) -> None:
    tasks.append("arn:1")
    in_use.refuse(project, plan((address, action)))


def test_without_tasks_everything_may_go(project: Project, tasks: list[str]) -> None:
    in_use.refuse(project, plan((CLUSTER, "replace")))
