"""What destroy refuses, its order and its proof. AWS is simulated in this process, terraform is a stand-in."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sockerless.errors import Conflict
from sockerless.kit import destroy, processes, provider, serving
from sockerless.kit.project import Project

from . import fake_terraform, standing
from .conftest import Simulated

GROUP = "module.cloudwatch.aws_cloudwatch_log_group.this"
PLANNED = {
    "type": "planned_change",
    "change": {"resource": {"addr": GROUP, "module": "module.cloudwatch"}, "action": "delete"},
}
TERRAFORM = f"""
case "$1" in
plan) echo '{json.dumps(PLANNED)}' ;;
show) echo '{{"resource_changes": []}}' ;;
apply) echo '{{"version": 4, "resources": []}}' > terraform.tfstate ;;
esac
"""
"""Plans to delete the log group; its apply forgets it from the state and leaves AWS as it is."""


@pytest.fixture
def project(in_simulator: Callable[..., Project], simulated: Simulated) -> Project:
    """A deployment whose one resource is a log group."""
    made = in_simulator(name="ending")
    processes.ensure_simulator(made)
    logs = simulated.client("logs")
    if not logs.describe_log_groups(logGroupNamePrefix="/ending")["logGroups"]:
        logs.create_log_group(logGroupName="/ending", tags={"sockerless:project": "ending"})
    simulated.client("ecs").create_cluster(clusterName="ending")
    arn = "arn:aws:logs:us-east-1:123456789012:log-group:/ending"
    resource = {
        "module": "module.cloudwatch",
        "mode": "managed",
        "type": "aws_cloudwatch_log_group",
        "name": "this",
        "instances": [{"attributes": {"id": "/ending", "arn": arn}}],
    }
    outputs = {**standing.document(), "cluster_name": {"value": "ending"}}
    state = {"version": 4, "resources": [resource], "outputs": outputs}
    (made.directory / "terraform.tfstate").write_text(json.dumps(state))
    return made


@pytest.fixture
def pretend(project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The stand-in first in PATH; a mirror that seems to hold the provider."""
    folder = fake_terraform.install(tmp_path_factory.mktemp("terraform"), TERRAFORM)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    mirror = tmp_path_factory.mktemp("mirror")
    binary = mirror / provider.HOST / "hashicorp/aws/99.0.0" / provider.platform_name() / "terraform-provider-aws_v99"
    binary.parent.mkdir(parents=True)
    binary.touch()
    return mirror


def log_groups(simulated: Simulated) -> list[Any]:
    found: list[Any] = simulated.client("logs").describe_log_groups(logGroupNamePrefix="/ending")["logGroups"]
    return found


def test_what_is_protected_is_named_and_nothing_is_touched(
    project: Project, in_simulator: Callable[..., Project]
) -> None:
    protected = in_simulator(name="ending", deletion_protection=True)
    with pytest.raises(Conflict) as refused:
        destroy.run(protected, None, yes=True)
    assert f"protects {GROUP} (/ending); to lift it, set it to false there" in refused.value.message
    assert not (project.directory / "main.tf").exists()


def test_protection_without_anything_to_protect_refuses_nothing(in_simulator: Callable[..., Project]) -> None:
    destroy.refuse_protected(in_simulator(deletion_protection=True), {})


def test_a_daemon_in_the_foreground_is_to_be_ended_first(project: Project) -> None:
    serving.remember(project.directory, [])  # as a daemon does: this process
    with pytest.raises(Conflict, match=rf"process {os.getpid()} serves this deployment in the foreground; end it"):
        destroy.run(project, None, yes=True)
    assert not (project.directory / "main.tf").exists()


def test_what_still_stands_in_the_end_is_told_and_proven_gone_by_the_next_run(
    project: Project, pretend: Path, simulated: Simulated, capsys: pytest.CaptureFixture[str], patient: None
) -> None:
    with pytest.raises(Conflict, match="1 resource with this deployment's name still stand: arn:aws:logs:"):
        destroy.run(project, pretend, yes=True)
    said = capsys.readouterr().out
    assert "stopped 0 tasks, 0 network interfaces gone" in said
    assert "removed what was made at run time: 0 task definitions" in said
    assert log_groups(simulated)
    assert (project.state_directory / destroy.MARKER_FILE).exists()
    simulated.client("logs").delete_log_group(logGroupName="/ending")
    simulated.client("ecs").delete_cluster(cluster="ending")
    destroy.run(project, pretend, yes=True)
    assert "nothing is left: " in capsys.readouterr().out
    assert not (project.state_directory / destroy.MARKER_FILE).exists()


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What stands is believed at once."""
    monkeypatch.setattr("sockerless.kit.destroy.PATIENCE_S", 0.0)
