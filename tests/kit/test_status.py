"""status tells what is provisioned, what is up and what runs, also when nothing is."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from sockerless.errors import DataLoss
from sockerless.kit import project as settings
from sockerless.kit import status
from sockerless.kit.project import Project
from tests.conftest import Deployed, free_port
from tests.kit.answering import answering
from tests.kit.standing import document


def make_project(directory: Path) -> Project:
    url = f"http://127.0.0.1:{free_port()}"
    return settings.from_mapping(directory, {"target": "simulator", "endpoint_url": url})


def test_a_directory_where_nothing_was_done_is_told_so(tmp_path: Path) -> None:
    told = status.lines(status.gather(make_project(tmp_path)))
    assert "provisioned  nothing; `sockerless-kit apply`" in told
    assert any(line.startswith("simulator    down at") and "sockerless-kit up" in line for line in told)
    assert any(line.startswith("daemon       down at unix://") and "sockerless-kit serve" in line for line in told)


def test_resources_are_counted_by_module_without_data_sources(tmp_path: Path) -> None:
    resources = [
        {"module": "module.vpc", "mode": "managed", "instances": [{}, {}]},
        {"module": "module.vpc.module.inner", "mode": "managed", "instances": [{}]},
        {"module": "module.vpc", "mode": "data", "instances": [{}]},
        {"mode": "managed", "instances": [{}]},
    ]
    (tmp_path / "terraform.tfstate").write_text(json.dumps({"resources": resources, "outputs": document()}))
    found = status.gather(make_project(tmp_path))
    assert found.resources == {"vpc": 3, "root": 1}


def test_an_aws_that_does_not_answer_is_told_not_taken_for_no_tasks(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text(json.dumps({"resources": [], "outputs": document()}))
    found = status.gather(make_project(tmp_path))
    assert (found.containers, found.tasks) == (None, None)
    assert found.tasks_problem.startswith("ecs:ListTasks failed: Could not connect")
    assert f"tasks        unknown: {found.tasks_problem}" in status.lines(found)


def test_where_nothing_is_provisioned_nobody_is_asked(tmp_path: Path) -> None:
    found = status.gather(make_project(tmp_path))
    assert (found.containers, found.tasks, found.problem, found.tasks_problem) == (None, None, "", "")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ((500, b'{"message":"ecs:DescribeTasks failed: no"}'), "ecs:DescribeTasks failed: no (HTTP 500)"),
        ((502, b"<html>"), "HTTP 502"),
        ((404, b"[]"), "HTTP 404"),
    ],
)
def test_a_daemon_in_trouble_is_told_not_taken_for_no_containers(
    tmp_path: Path, answer: tuple[int, bytes], words: str
) -> None:
    (tmp_path / ".sockerless").mkdir()
    answers = {"/_ping": (200, b"OK"), status.CONTAINERS_PATH: answer}
    with answering(tmp_path / ".sockerless" / "docker.sock", answers):
        found = status.gather(make_project(tmp_path))
    assert (found.containers, found.tasks) == (None, None)
    assert found.problem.endswith(f"does not list its containers: {words}")
    assert f"running      unknown: {found.problem}" in status.lines(found)


def test_a_daemon_without_containers_says_so(tmp_path: Path) -> None:
    (tmp_path / ".sockerless").mkdir()
    answers = {"/_ping": (200, b"OK"), status.CONTAINERS_PATH: (200, b"[]")}
    with answering(tmp_path / ".sockerless" / "docker.sock", answers):
        found = status.gather(make_project(tmp_path))
    assert (found.containers, found.problem) == ((), "")
    assert "running      0 containers" in status.lines(found)


@pytest.mark.parametrize(
    ("tasks", "lingering", "line"),
    [
        (None, None, None),
        (1, None, "tasks        1 task on the cluster (no daemon tells their names)"),
        (2, 0, "tasks        2 tasks on the cluster"),
        (
            2,
            1,
            "tasks        2 tasks on the cluster, of which 1 lingers after its process for `docker start` and "
            "`docker cp`",
        ),
        (
            3,
            2,
            "tasks        3 tasks on the cluster, of which 2 linger after their processes for `docker start` and "
            "`docker cp`",
        ),
    ],
)
def test_tasks_are_told_beside_the_containers(
    tmp_path: Path, tasks: int | None, lingering: int | None, line: str | None
) -> None:
    containers = None if lingering is None else ()
    found = status.gather(make_project(tmp_path))
    told = status.lines(dataclasses.replace(found, containers=containers, tasks=tasks, lingering=lingering))
    assert [one for one in told if one.startswith("tasks")] == ([line] if line else [])


def test_a_damaged_state_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text("{")
    with pytest.raises(DataLoss, match="is damaged"):
        status.gather(make_project(tmp_path))


@pytest.mark.engine
@pytest.mark.terraform
def test_a_deployment_that_is_up_shows_what_runs(deployment: Deployed, image: str) -> None:
    started = deployment.docker("run", "--detach", "--name", "seen-by-status", image, "sleep", "600")
    assert started.returncode == 0, started.stderr
    try:
        told = json.loads(deployment.kit("status", "--json").stdout)
        for_people = deployment.kit("status").stdout.decode()
    finally:
        deployment.docker("rm", "--force", "seen-by-status")
    assert told["simulator"]["up"]
    assert [process["up"] for process in told["daemon"]] == [True]
    assert set(told["resources"]) == {"vpc", "cluster", "iam", "cloudwatch", "efs", "ecr", "kms", "events"}
    assert [one["image"] for one in told["containers"] if one["name"] == "seen-by-status"] == [image]
    assert "seen-by-status" in for_people


@pytest.mark.engine
@pytest.mark.terraform
def test_a_task_that_lingers_is_counted_as_cost_counts_it(deployment: Deployed, image: str) -> None:
    before = json.loads(deployment.kit("status", "--json").stdout)
    done = deployment.docker("run", "--name", "lingering", image, "true")
    assert done.returncode == 0, done.stderr
    try:
        told = json.loads(deployment.kit("status", "--json").stdout)
        paid = json.loads(deployment.kit("cost", "--json").stdout)["tasks"]
    finally:
        deployment.docker("rm", "lingering")
    assert told["containers"] == before["containers"]
    assert (told["tasks"], told["lingering"]) == (before["tasks"] + 1, before["lingering"] + 1)
    assert (len(paid), told["tasks_problem"]) == (told["tasks"], "")
    assert "lingering" in [one["name"] for one in paid]
