"""The command line: flags, prompts, exit codes, sentences."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from sockerless import errors
from sockerless.kit import drift, project, settings
from sockerless.kit.cli import Kit, cli
from tests.conftest import ROOT
from tests.e2e.docker_cli import eventually
from tests.kit import fake_terraform

SECRET = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=answers)


ANSWERS: dict[str, tuple[tuple[str, ...], Any]] = {
    "name": (("--name", "ci"), "ci"),
    "environment": (("--environment", "prod"), "prod"),
    "target": (("--simulator",), "simulator"),
    "endpoint_url": (("--endpoint-url", "http://127.0.0.1:5000"), "http://127.0.0.1:5000"),
    "region": (("--region", "eu-central-1"), "eu-central-1"),
    "zones": (("--zones", "3"), 3),
    "permissions_boundary": (
        ("--permissions-boundary", "arn:aws:iam::123456789012:policy/edge"),
        "arn:aws:iam::123456789012:policy/edge",
    ),
    "network": (("--network", "existing"), "existing"),
    "nat_gateways": (("--nat-gateways", "zone"), "zone"),
    "network_cidr": (("--network-cidr", "10.8.0.0/20"), "10.8.0.0/20"),
    "daemon_cidrs": (("--daemon-cidr", "10.9.0.0/16"), ("10.9.0.0/16",)),
    "vpc_id": (("--vpc-id", "vpc-01234567"), "vpc-01234567"),
    "subnet_ids": (
        ("--subnet-id", "subnet-01234567", "--subnet-id", "subnet-89abcdef"),
        ("subnet-01234567", "subnet-89abcdef"),
    ),
    "security_group_ids": (("--security-group-id", "sg-01234567"), ("sg-01234567",)),
    "assign_public_ip": (("--assign-public-ip",), True),
    "encryption": (("--encryption", "aws"), "aws"),
    "efs_backups": (("--no-efs-backups",), False),
    "deletion_protection": (("--deletion-protection",), True),
    "repository_prefix": (("--repository-prefix", "team"), "team"),
    "image_tags": (("--image-tags", "immutable"), "immutable"),
    "scan_on_push": (("--no-scan-on-push",), False),
    "untagged_image_days": (("--untagged-image-days", "7"), 7),
    "pull_through": (("--pull-through", "docker-hub", "--pull-through", "quay"), ("docker-hub", "quay")),
    "docker_hub_secret_arn": (("--docker-hub-secret-arn", SECRET), SECRET),
    "log_retention_days": (("--log-retention-days", "30"), 30),
    "container_insights": (("--container-insights", "disabled"), "disabled"),
    "flow_logs": (("--flow-logs", "off"), "off"),
    "task_events": (("--no-task-events",), False),
    "dashboard": (("--no-dashboard",), False),
    "alarms": (("--no-alarms",), False),
    "alarm_topic_arn": (
        ("--alarm-topic-arn", "arn:aws:sns:eu-central-1:123456789012:night"),
        "arn:aws:sns:eu-central-1:123456789012:night",
    ),
    "task_quota": (("--task-quota", "20"), 20),
    "state": (("--state", "s3"), "s3"),
    "state_bucket": (("--state-bucket", "states"), "states"),
    "fargate_weight": (("--fargate-weight", "0"), 0),
    "spot_weight": (("--spot-weight", "3"), 3),
    "architecture": (("--architecture", "ARM64"), "ARM64"),
    "default_cpu_units": (("--default-cpu-units", "512"), 512),
    "default_memory_mib": (("--default-memory-mib", "1024"), 1024),
    "max_cpu_units": (("--max-cpu-units", "4096"), 4096),
    "max_memory_mib": (("--max-memory-mib", "8192"), 8192),
    "tags": (("--tag", "team=platform"), (("team", "platform"),)),
}
"""For each key the flag that sets it, and what sockerless.toml says then."""


def test_init_takes_every_answer_as_a_flag(tmp_path: Path) -> None:
    flags = [flag for given, _ in ANSWERS.values() for flag in given]
    done = run("init", str(tmp_path), "--yes", *flags)
    assert done.exit_code == 0, done.output
    made = project.to_mapping(project.load(tmp_path))
    assert made == {key: value for key, (_, value) in ANSWERS.items()}
    assert all(value != settings.BY_NAME[key].default for key, value in made.items())
    assert f"next: cd {tmp_path} && sockerless-kit apply" in done.output


def test_init_asks_for_what_matters_and_again_after_a_wrong_answer(tmp_path: Path) -> None:
    done = run("init", str(tmp_path), answers="Bad Name\nmine\nsimulator\neu-west-1\n9\n3\n\n\n")
    assert done.exit_code == 0, done.output
    assert "name: 'Bad Name' is not valid" in done.output
    assert "zones: 9 is not valid" in done.output
    made = project.load(tmp_path)
    assert (made.name, made.target, made.region, made.zones) == ("mine", "simulator", "eu-west-1", 3)
    assert made.network_cidr == "10.0.0.0/16"


@pytest.mark.parametrize("answers", ["", "mine\n", "mine\nsimulator\neu-west-1"])
def test_init_whose_input_ends_says_so_and_writes_nothing(tmp_path: Path, answers: str) -> None:
    done = run("init", str(tmp_path / "new"), answers=answers)
    assert done.exit_code == 1
    assert done.stderr == (
        "Error: standard input ended before this question was answered; answer it at a terminal, or beforehand by the "
        "options that --help lists (--yes agrees, and takes the defaults)\n"
    )
    assert not (tmp_path / "new").exists()


def test_ctrl_c_at_a_question_ends_with_130_and_writes_nothing(tmp_path: Path) -> None:
    asking = subprocess.Popen(
        [sys.executable, "-m", "sockerless.kit", "init", tmp_path / "new"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert asking.stdout is not None
    assert asking.stdout.read(4) == "Name"
    stat = Path(f"/proc/{asking.pid}/stat")
    eventually(lambda: stat.read_text().rpartition(") ")[2].startswith("S"))  # in the read: earlier, it would miss that
    asking.send_signal(signal.SIGINT)
    _, said = asking.communicate(timeout=60)
    assert asking.returncode == 130
    assert said == "Error: interrupted; what was done so far is kept, run the same command again\n"
    assert not (tmp_path / "new").exists()


def test_init_asks_nothing_where_settings_are(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes", "--name", "mine")
    done = run("init", str(tmp_path))
    assert done.exit_code == 0
    assert "every file is in step" in done.output


def test_init_shows_an_edit_and_ends_with_1(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes")
    (tmp_path / "outputs.tf").write_text("# mine\n")
    done = run("init", str(tmp_path))
    assert done.exit_code == 1
    assert "--- outputs.tf (yours)\n+++ outputs.tf (rendered)\n" in done.stdout
    assert "kept what was edited: outputs.tf; --force" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--name", "a${b}"), "name: 'a${b}' is not valid"),
        (("--zones", "7"), "zones: 7 is not valid"),
        (("--network-cidr", "10.0.0.0/8"), "network_cidr: '10.0.0.0/8' is not valid"),
        (("--tag", "team"), "tags: 'team' is not valid: expected KEY=VALUE"),
        (("--zones", "two"), "--zones"),
        (("--nonsense",), "--nonsense"),
    ],
)
def test_wrong_use_ends_with_2_and_writes_nothing(tmp_path: Path, arguments: tuple[str, ...], words: str) -> None:
    done = run("init", str(tmp_path / "new"), "--yes", *arguments)
    assert done.exit_code == 2
    assert words in done.stderr
    assert not (tmp_path / "new").exists()


@pytest.mark.parametrize("command", ["plan", "apply", "outputs", "destroy"])
def test_a_directory_without_settings_is_a_sentence_and_1(tmp_path: Path, command: str) -> None:
    done = run(command, "--dir", str(tmp_path))
    assert done.exit_code == 1
    assert done.stderr.startswith("Error: there is no sockerless.toml in ")
    assert "sockerless-kit init" in done.stderr


@pytest.mark.parametrize(
    ("failure", "exit_code"),
    [
        (errors.InvalidParameter("zones: 9 is not valid"), 2),
        (errors.InvalidParameter("ec2:CreateSubnet failed", refused_by="AWS"), 1),
        (errors.InvalidParameter("terraform plan failed", refused_by="Terraform"), 1),
        (errors.Unauthorized("renew them", refused_by="AWS"), 1),
        (errors.Conflict("taken"), 1),
        (errors.NotFound("run init first"), 1),
        (errors.SystemFailure("no"), 1),
        (PermissionError(13, "Permission denied", "/srv"), 1),
        (OSError(28, "No space left on device", "/srv"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_a_failure_has_its_exit_code_and_one_sentence(failure: BaseException, exit_code: int) -> None:
    group = Kit()

    @group.command("fail")
    def fail() -> None:
        raise failure

    done = CliRunner().invoke(group, ["fail"])
    assert done.exit_code == exit_code
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1


def test_every_exit_code_is_in_the_documentation() -> None:
    table = (ROOT / "docs" / "how-to" / "scripting.md").read_text()
    assert re.findall(r"^\| (\d+) \|", table, re.MULTILINE) == ["0", "1", "2", str(drift.EXIT_CODE), "130"]


def test_what_terraform_refuses_ends_with_1(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", str(tmp_path), "--yes")
    folder = fake_terraform.install(tmp_path, "echo 'Error: invalid AWS Region: xx-nowhere-1' >&2; exit 1")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    done = run("plan", "--dir", str(tmp_path))
    assert done.exit_code == 1
    assert "invalid AWS Region: xx-nowhere-1; name a region in sockerless.toml" in done.stderr


def test_settings_that_are_not_valid_end_with_2(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text('nmae = "x"\n')
    done = run("plan", "--dir", str(tmp_path))
    assert done.exit_code == 2
    assert "did you mean name?" in done.stderr


def test_outputs_before_apply_name_apply(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes")
    done = run("outputs", "--dir", str(tmp_path), "--daemon-env")
    assert done.exit_code == 1
    assert "sockerless-kit apply" in done.stderr


def test_outputs_takes_one_format() -> None:
    assert run("outputs", "--json", "--daemon-env").exit_code == 2


def test_a_plan_without_terraform_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", str(tmp_path), "--yes")
    monkeypatch.setenv("PATH", str(tmp_path))
    done = run("plan", "--dir", str(tmp_path))
    assert done.exit_code == 1
    assert "terraform is not on PATH; install 1.5 or newer" in done.stderr


def test_a_plan_with_a_mirror_that_is_none_says_so(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes")
    done = run("plan", "--dir", str(tmp_path), "--plugin-dir", str(tmp_path))
    assert done.exit_code == 1
    assert "holds no hashicorp/aws provider" in done.stderr


def leaves(group: click.Group, path: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from leaves(command, f"{path}{name} ")
        else:
            yield f"{path}{name}", command


COMMANDS = dict(leaves(cli))
FOR_PEOPLE_ALONE = {"serve", "simulator", "completion"}
"""The daemon and the simulator print nothing until they end; completion prints a script."""


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    told = run(*name.split(), "--help").output
    assert "Example: " in told
    assert f"sockerless-kit {name}" in told.partition("Example: ")[2]


def test_every_option_is_explained() -> None:
    for name, command in COMMANDS.items():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{name} {parameter.name}"


def test_every_command_that_prints_for_people_prints_for_machines() -> None:
    without = {name for name, command in COMMANDS.items() if not any("--json" in one.opts for one in command.params)}
    assert without == FOR_PEOPLE_ALONE


def test_for_machines_a_failure_is_the_last_line_and_a_sentence_on_standard_error(tmp_path: Path) -> None:
    done = run("plan", "--json", "--dir", str(tmp_path))
    assert done.exit_code == 1
    told = json.loads(done.stdout.splitlines()[-1])
    assert (told["type"], told["error"]) == ("error", "NotFound")
    assert done.stderr == f"Error: {told['message']}\n"


def test_for_machines_an_interruption_is_a_line_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run("init", str(tmp_path), "--yes")
    folder = fake_terraform.install(tmp_path, 'kill -INT "$PPID"', version="")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    done = subprocess.run(
        [sys.executable, "-m", "sockerless.kit", "plan", "--json", "--dir", tmp_path],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 130
    assert json.loads(done.stdout.splitlines()[-1])["error"] == "Interrupted"


@pytest.mark.parametrize("command", ["apply", "destroy", "up", "init"])
def test_for_machines_nothing_is_asked(tmp_path: Path, command: str) -> None:
    arguments = (str(tmp_path / "new"),) if command == "init" else ("--dir", str(tmp_path / "new"))
    done = run(command, "--json", *arguments, answers="y\n")
    assert done.exit_code == 2
    assert "--json asks nothing: add --yes" in done.stderr
    assert not (tmp_path / "new").exists()


def test_init_tells_machines_each_file(tmp_path: Path) -> None:
    first = run("init", str(tmp_path), "--yes", "--json")
    told = [json.loads(line) for line in first.stdout.splitlines()]
    assert {one["file"] for one in told if one["type"] == "wrote"} >= {"sockerless.toml", "main.tf", "terraform.tfvars"}
    assert told[-1] == {"type": "next", "command": f"cd {tmp_path} && sockerless-kit apply"}
    (tmp_path / "outputs.tf").write_text("# mine\n")
    again = run("init", str(tmp_path), "--json")
    kept, error = (json.loads(line) for line in again.stdout.splitlines())
    assert (kept["type"], kept["file"]) == ("kept", "outputs.tf")
    assert "-# mine\n" in kept["diff"]
    assert (again.exit_code, error["type"], error["error"]) == (1, "error", "Conflict")


def test_the_version_is_printed() -> None:
    assert run("--version").output.startswith("sockerless-kit, version ")
