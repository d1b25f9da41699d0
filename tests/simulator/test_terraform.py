"""Terraform itself, with the real provider: apply, an empty second plan, a destroy that leaves nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from sockerless.kit import provider
from sockerless.simulator.server import Simulator

from .conftest import Account
from .remains import remains

DEPLOYMENT = Path(__file__).parent / "deployment" / "main.tf"

Terraform = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = pytest.mark.terraform


@pytest.fixture
def terraform(tmp_path: Path, simulator: Simulator) -> Terraform:
    """Runs terraform in a directory that holds the deployment, initialised."""
    shutil.copy(DEPLOYMENT, tmp_path)
    environment = {**os.environ, "TF_VAR_endpoint_url": simulator.endpoint_url, "CHECKPOINT_DISABLE": "1"}

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = ["terraform", *arguments, "-no-color", "-input=false"]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)

    mirror = provider.find(tmp_path).plugin_dir
    initialised = run("init", *(["-plugin-dir", str(mirror)] if mirror else []))
    assert initialised.returncode == 0, initialised.stderr
    return run


def test_a_deployment_is_applied_planned_empty_and_destroyed_without_a_rest(
    terraform: Terraform, simulator: Simulator
) -> None:
    account = Account(simulator.endpoint_url)
    before = remains(account)
    applied = terraform("apply", "-auto-approve")
    assert applied.returncode == 0, applied.stderr
    assert remains(account) != before
    planned = terraform("plan", "-detailed-exitcode")
    assert planned.returncode == 0, planned.stdout + planned.stderr
    destroyed = terraform("destroy", "-auto-approve")
    assert destroyed.returncode == 0, destroyed.stderr
    assert remains(account) == before
