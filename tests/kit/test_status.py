"""status tells what is provisioned, what is up and what runs, also when nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sockerless.errors import NotFound
from sockerless.kit import project as settings
from sockerless.kit import status
from sockerless.kit.project import Project
from tests.conftest import Deployed, free_port
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
    assert found.tasks is None  # provisioned, and the simulated AWS does not answer: not "no tasks"


def test_a_damaged_state_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text("{")
    with pytest.raises(NotFound, match="is damaged"):
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
    assert set(told["resources"]) == {"vpc", "cluster", "iam", "cloudwatch", "efs", "ecr"}
    assert [one["image"] for one in told["containers"] if one["name"] == "seen-by-status"] == [image]
    assert "seen-by-status" in for_people
