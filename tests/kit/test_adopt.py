"""An apply that is killed: what it leaves word of, and how the next one goes on. Terraform is a stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from sockerless.errors import SystemFailure
from sockerless.kit import adopt, apply, background, processes, terraform
from sockerless.kit.events import PlannedChange
from sockerless.kit.plan import Plan
from sockerless.kit.project import Project
from tests.e2e.docker_cli import eventually

from . import fake_terraform
from .conftest import Simulated

CHANGE = PlannedChange("module.vpc.aws_vpc.this", "vpc", "create")
STATE = {"version": 4, "serial": 1, "lineage": "a", "resources": []}
APPLY = """
import sys
from pathlib import Path
from sockerless.kit import project, terraform
here = project.from_mapping(Path(sys.argv[1]), {})
terraform.apply(here, terraform.plan_path(here))
"""
"""The kit's own part of an apply, in a process that can be killed."""


@pytest.fixture
def project(in_simulator: Callable[..., Project]) -> Project:
    made = in_simulator(name="killed")
    processes.ensure_simulator(made)
    terraform.start_log(made)
    terraform.plan_path(made).touch()
    return made


@pytest.fixture
def pretend(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """A function that puts a stand-in with this body first in PATH."""

    def install(body: str) -> None:
        folder = fake_terraform.install(tmp_path_factory.mktemp("terraform"), body)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return install


def planned(project: Project) -> Plan:
    return Plan(terraform.plan_path(project), (CHANGE,))


def marker(project: Project) -> Path:
    return project.state_directory / adopt.MARKER_FILE


def test_word_is_left_only_while_terraform_applies(project: Project) -> None:
    with adopt.marked(project, planned(project)):
        assert adopt.broken_off(project) == frozenset()
    assert adopt.broken_off(project) is None


def test_what_carried_the_name_before_is_noted(project: Project, simulated: Simulated) -> None:
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "sockerless:project", "Value": "killed"}]}]
    vpc = simulated.client("ec2").create_vpc(CidrBlock="10.0.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    with adopt.marked(project, planned(project)):
        assert vpc in (adopt.broken_off(project) or ())
    simulated.client("ec2").delete_vpc(VpcId=vpc)


def test_a_failure_of_terraform_leaves_none_for_its_state_is_whole(
    project: Project, pretend: Callable[[str], None]
) -> None:
    pretend("exit 1")
    with pytest.raises(SystemFailure, match="ended without a reason"), adopt.marked(project, planned(project)):
        terraform.apply(project, terraform.plan_path(project))
    assert adopt.broken_off(project) is None


def test_a_terraform_that_is_killed_leaves_it(project: Project, pretend: Callable[[str], None]) -> None:
    pretend("kill -9 $$")
    killed = pytest.raises(terraform.Killed, match=r"was killed \(signal 9\); run the same command again")
    with killed, adopt.marked(project, planned(project)):
        terraform.apply(project, terraform.plan_path(project))
    assert adopt.broken_off(project) is not None


def test_the_word_of_the_first_of_two_killed_applies_is_kept(project: Project) -> None:
    marker(project).write_text(json.dumps({"stood": ["vpc-before"]}))
    with pytest.raises(terraform.Killed), adopt.marked(project, planned(project)):
        raise terraform.Killed("killed again")
    assert adopt.broken_off(project) == {"vpc-before"}


def test_a_damaged_word_counts_as_one(project: Project) -> None:
    marker(project).write_text("{")
    assert adopt.broken_off(project) == frozenset()


@pytest.mark.parametrize("left", ["", '{"version": 4, "resou'])
@pytest.mark.parametrize("copied", [True, False])
def test_a_state_that_is_half_written_gives_way_to_its_copy(project: Project, left: str, copied: bool) -> None:
    state, copy = project.directory / "terraform.tfstate", project.directory / "terraform.tfstate.backup"
    state.write_text(left)
    if copied:
        copy.write_text(json.dumps(STATE))
    adopt.mend(project)
    assert state.read_text() == left  # nobody was killed here
    marker(project).write_text(json.dumps({"stood": []}))
    adopt.mend(project)
    assert (json.loads(state.read_text()) == STATE) if copied else not state.exists()
    assert (project.directory / "terraform.tfstate.damaged").read_text() == left


def test_a_state_that_is_whole_is_left_alone(project: Project) -> None:
    (project.directory / "terraform.tfstate").write_text(json.dumps(STATE))
    marker(project).write_text(json.dumps({"stood": []}))
    adopt.mend(project)
    assert not (project.directory / "terraform.tfstate.damaged").exists()


def test_a_terraform_that_outlives_a_killed_kit_is_waited_for(
    project: Project, pretend: Callable[[str], None], capsys: pytest.CaptureFixture[str]
) -> None:
    pretend("while [ ! -e finish ]; do sleep 0.05; done; touch finished")
    kit = subprocess.Popen([sys.executable, "-c", APPLY, str(project.directory)])
    eventually(lambda: terraform.earlier(project) is not None)
    kit.send_signal(signal.SIGKILL)
    kit.wait(20)
    survivor = terraform.earlier(project)
    assert survivor is not None
    (project.directory / "finish").touch()
    apply._await_earlier(project)
    assert (project.directory / "finished").exists()
    assert terraform.earlier(project) is None
    assert f"terraform (process {survivor.pid}) still finishes an earlier command here" in capsys.readouterr().out


def test_none_is_waited_for_where_none_works(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    assert background.find(background.Place("terraform", project.state_directory)) is None
    apply._await_earlier(project)
    assert capsys.readouterr().out == ""
