"""status tells what is provisioned, what is up and what runs, also when nothing is."""

from __future__ import annotations

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
    assert found.problem.startswith("ecs:ListTasks failed: Could not connect")
    assert f"running      unknown: {found.problem}" in status.lines(found)


def test_where_nothing_is_provisioned_nobody_is_asked(tmp_path: Path) -> None:
    found = status.gather(make_project(tmp_path))
    assert (found.containers, found.tasks, found.problem) == (None, None, "")


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
