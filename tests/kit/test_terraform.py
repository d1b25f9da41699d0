"""Running terraform: its log, its failures, Ctrl-C, and the kit's own sudden death. The executable is a stand-in."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sockerless.errors import NotFound, NotSupported, SystemFailure
from sockerless.kit import project, terraform, terraform_launch
from sockerless.kit.events import Event, Finished
from sockerless.kit.project import Project

from . import fake_terraform

FINISHED = (
    '{"@timestamp":"2026-01-02T03:04:05.500000Z","hook":{"resource":{"addr":"aws_vpc.this"},"action":"create"},'
    '"type":"apply_complete"}'
)
DENIED = (
    '{"diagnostic":{"severity":"error","summary":"creating VPC: api error UnauthorizedOperation: no",'
    '"address":"aws_vpc.this"},"type":"diagnostic"}'
)
TRAPPING = """
interrupts=0
trap 'interrupts=$((interrupts+1)); echo "{\\"type\\":\\"log\\",\\"@message\\":\\"Interrupt received\\"}"' INT
echo started
while [ ! -e finish ]; do sleep 0.05; done
echo "interrupts: $interrupts" > ended
exit 1
"""
"""Goes on until the file `finish` appears, then says how often it was interrupted."""
APPLY = """
import sys
from pathlib import Path
from sockerless.kit import project, terraform
here = project.from_mapping(Path(sys.argv[1]), {})
terraform.apply(here, terraform.plan_path(here))
"""


@pytest.fixture
def here(tmp_path: Path) -> Project:
    made = project.from_mapping(tmp_path, {})
    terraform.start_log(made)
    terraform.plan_path(made).touch()
    return made


@pytest.fixture
def pretend(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """A function that puts a stand-in with this body first in PATH."""

    def install(body: str, version: str = fake_terraform.VERSION) -> None:
        folder = fake_terraform.install(tmp_path, body, version)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")

    return install


def until(holds: Callable[[], bool], timeout_s: float = 20) -> None:
    """Waits until it holds."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, "it did not happen in time"
        os.sched_yield()


def test_the_version_is_read(pretend: Callable[..., None]) -> None:
    pretend("")
    assert terraform.version() == (1, 11, 4)


def test_a_missing_terraform_names_where_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NotFound, match=r"terraform is not on PATH; install 1\.5 or newer: https://"):
        terraform.version()


@pytest.mark.parametrize("old", ["1.4.9", "0.15.5"])
def test_an_old_terraform_is_refused(pretend: Callable[..., None], old: str) -> None:
    pretend("", version=f'echo \'{{"terraform_version":"{old}"}}\'; exit 0\n')
    with pytest.raises(NotSupported, match=f"terraform {old} is too old"):
        terraform.version()


def test_a_pre_release_counts_as_its_release(pretend: Callable[..., None]) -> None:
    pretend("", version='echo \'{"terraform_version":"1.12.0-rc1"}\'; exit 0\n')
    assert terraform.version() == (1, 12, 0)


def test_something_else_called_terraform_is_refused(pretend: Callable[..., None]) -> None:
    pretend("", version="echo hello; exit 3\n")
    with pytest.raises(SystemFailure, match=r"exit code 3"):
        terraform.version()


def test_events_reach_the_listener_and_everything_the_log(here: Project, pretend: Callable[..., None]) -> None:
    pretend(f"echo '{FINISHED}'\necho oops >&2")
    heard: list[Event] = []
    terraform.apply(here, terraform.plan_path(here), heard.append)
    assert [(type(event), event.address) for event in heard if isinstance(event, Finished)] == [
        (Finished, "aws_vpc.this")
    ]
    log = terraform.log_path(here).read_text()
    assert "== terraform apply\n" in log
    assert FINISHED in log
    assert "oops" in log
    assert stat.S_IMODE(terraform.log_path(here).stat().st_mode) == 0o600


def test_a_plan_is_used_up_by_apply(here: Project, pretend: Callable[..., None]) -> None:
    pretend("exit 0")
    terraform.apply(here, terraform.plan_path(here))
    assert not terraform.plan_path(here).exists()


def test_a_plan_is_only_its_owner_s_and_a_failed_one_is_not_left(here: Project, pretend: Callable[..., None]) -> None:
    pretend("echo planned > .sockerless/plan.tfplan")
    assert stat.S_IMODE(terraform.plan(here, lambda _: None).stat().st_mode) == 0o600
    pretend(f"echo '{DENIED}'; exit 1")
    with pytest.raises(Exception, match="terraform plan failed"):
        terraform.plan(here, lambda _: None)
    assert not terraform.plan_path(here).exists()


def test_a_failure_names_the_resource_and_the_log(here: Project, pretend: Callable[..., None]) -> None:
    pretend(f"echo '{DENIED}'; exit 1")
    with pytest.raises(Exception, match=r"at aws_vpc.this: creating VPC: UnauthorizedOperation: no; .*terraform\.log"):
        terraform.apply(here, terraform.plan_path(here))


def test_ctrl_c_reaches_terraform_once_and_is_waited_for(here: Project, pretend: Callable[..., None]) -> None:
    pretend(TRAPPING)
    kit = subprocess.Popen([sys.executable, "-c", APPLY, str(here.directory)], start_new_session=True)
    log = terraform.log_path(here)
    until(lambda: "started" in log.read_text())
    os.killpg(kit.pid, signal.SIGINT)  # as a terminal does: to the whole foreground group
    until(lambda: "Interrupt received" in log.read_text())
    os.killpg(kit.pid, signal.SIGINT)
    assert kit.poll() is None
    (here.directory / "finish").touch()
    assert kit.wait(20) != 0
    assert (here.directory / "ended").read_text() == "interrupts: 1\n"


def test_terraform_outlives_a_killed_kit(here: Project, pretend: Callable[..., None]) -> None:
    pretend(TRAPPING)
    kit = subprocess.Popen([sys.executable, "-c", APPLY, str(here.directory)])
    until(lambda: "started" in terraform.log_path(here).read_text())
    kit.kill()
    kit.wait(20)
    (here.directory / "finish").touch()
    ended = here.directory / "ended"
    until(lambda: ended.exists() and ended.read_text() == "interrupts: 0\n")


ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


@pytest.mark.parametrize(
    ("given", "hermetic", "passed"),
    [
        ({"TF_CLI_CONFIG_FILE": "/nowhere/rc", "HOME": "/h"}, False, {"HOME": "/h"}),
        ({"TF_CLI_CONFIG_FILE": __file__}, False, {"TF_CLI_CONFIG_FILE": __file__}),
        ({"AWS_PROFILE": "prod", "HOME": "/h"}, False, {"AWS_PROFILE": "prod", "HOME": "/h"}),
        ({"AWS_PROFILE": "prod", "AWS_ENDPOINT_URL": "x", "HOME": "/h"}, True, {"HOME": "/h"} | ROOT),
        ({"AWS_ACCESS_KEY_ID": "mine", "AWS_SESSION_TOKEN": "t"}, True, ROOT),
        (
            {"SOCKERLESS_SIMULATOR_CREDENTIALS": "AKIA0:s:t"},
            True,
            {
                "SOCKERLESS_SIMULATOR_CREDENTIALS": "AKIA0:s:t",
                "AWS_ACCESS_KEY_ID": "AKIA0",
                "AWS_SECRET_ACCESS_KEY": "s",
                "AWS_SESSION_TOKEN": "t",
            },
        ),
    ],
)
def test_terraform_s_environment(given: dict[str, str], hermetic: bool, passed: dict[str, str]) -> None:
    got = terraform_launch.environment_for(given, hermetic)
    ours = {"TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}
    assert got == passed | ours
