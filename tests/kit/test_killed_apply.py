"""`apply` is killed with -9 at ten moments and run again: it ends well, with everything there once and in the state."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from . import live
from .live import Live

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.slow]
REGION = "us-east-1"
SMALL = (
    *("--zones", "1", "--network", "public", "--encryption", "aws", "--flow-logs", "off"),
    *("--no-alarms", "--no-dashboard", "--no-task-events"),
)
BOTH, KIT, TERRAFORM = "the kit and terraform", "the kit", "terraform"
MOMENTS = [
    (BOTH, "planning ", 1),
    (TERRAFORM, "planning ", 1),
    (BOTH, "created ", 1),
    (KIT, "created ", 2),
    (TERRAFORM, "created ", 5),
    (BOTH, "created ", 8),
    (BOTH, "created ", 14),
    (TERRAFORM, "created ", 20),
    (KIT, "created ", 26),
    (KIT, "bringing the agent", 1),
]
"""Who is killed, and after how many lines that begin so."""


@pytest.fixture(scope="module")
def endpoint_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A simulated AWS that is up, so that no apply here is the one that starts it."""
    first = live.init(tmp_path_factory.mktemp("first"), *SMALL, region=REGION)
    try:
        first.done("plan")
        yield first.endpoint_url
    finally:
        first.kit("down")


@pytest.mark.parametrize(("victim", "begins", "times"), MOMENTS, ids=[f"moment-{n}" for n in range(1, 11)])
def test_an_apply_that_was_killed_ends_well_when_it_is_run_again(
    endpoint_url: str, tmp_path: Path, victim: str, begins: str, times: int
) -> None:
    name = f"killed-{MOMENTS.index((victim, begins, times)) + 1}"
    here = Live(tmp_path, endpoint_url, REGION)
    here.done(
        "init", "--yes", "--simulator", "--endpoint-url", endpoint_url, "--region", REGION, "--name", name, *SMALL
    )
    kill_in_the_middle(here, victim, begins, times)

    again = here.done("apply", "--yes")

    assert again.endswith("next: sockerless-kit serve\n")
    assert "Nothing to change" in here.done("plan")
    assert tagged(here, name) <= in_state(here)
    vpcs = here.client("ec2").describe_vpcs(Filters=[{"Name": "tag:sockerless:project", "Values": [name]}])["Vpcs"]
    assert len(vpcs) == 1
    assert here.variables()["SOCKERLESS_ECS_CLUSTER"] == name


def kill_in_the_middle(here: Live, victim: str, begins: str, times: int) -> None:
    """Runs `apply` and kills the victim after that many lines that begin so."""
    process = subprocess.Popen(
        live.argv("apply", "--yes"), cwd=here.directory, env=live.environment(), stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, start_new_session=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        lines, left = [], times
        while left and (line := process.stdout.readline()):
            lines.append(line)
            left -= line.startswith(begins)
        assert not left, f"apply ended before its moment came: {''.join(lines)}"
        terraform = wait_for_terraform(process.pid) if victim != KIT else []
        if victim != TERRAFORM:
            process.kill()
        for pid in terraform:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        assert process.wait(timeout=300) != 0


def wait_for_terraform(kit: int) -> list[int]:
    """The terraform below the kit and its providers, once it runs."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if found := [pid for pid in descendants(kit) if "terraform" in Path(argument(pid)).name]:
            return found
    pytest.fail("no terraform runs")


def descendants(pid: int) -> list[int]:
    """The processes below one, parents first."""
    children: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            children.extend(int(child) for child in thread.read_text().split())
    return [each for child in children for each in (child, *descendants(child))]


def argument(pid: int) -> str:
    """A process's argv[0]; "" once it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode()
    except FileNotFoundError:
        return ""


def tagged(here: Live, name: str) -> set[str]:
    """The ARNs of what carries the deployment's name."""
    pages = here.client("resourcegroupstaggingapi").get_paginator("get_resources")
    wanted = [
        {"Key": "sockerless:project", "Values": [name]},
        {"Key": "sockerless:managed-by", "Values": ["terraform"]},
    ]
    return {one["ResourceARN"] for page in pages.paginate(TagFilters=wanted) for one in page["ResourceTagMappingList"]}


def in_state(here: Live) -> set[str]:
    """The ARNs that terraform's state knows."""
    state: dict[str, Any] = json.loads((here.directory / "terraform.tfstate").read_text())
    return {
        str(instance["attributes"]["arn"])
        for resource in state["resources"]
        for instance in resource["instances"]
        if "arn" in instance["attributes"]
    }
