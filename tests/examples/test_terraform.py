"""examples/terraform, by plain terraform as its README says: the modules alone, without the kit."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import hcl2
import pytest

from scripts.lib import modules
from sockerless.config import VARIABLES
from sockerless.kit import provider
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator
from tests.conftest import ROOT
from tests.simulator.conftest import Account
from tests.simulator.remains import remains

EXAMPLE = Path("examples/terraform")
MOST_LINES = 13
Terraform = Callable[..., str]


@pytest.fixture
def terraform(tmp_path: Path) -> Terraform:
    """Runs terraform in a copy of the example, beside a copy of the modules; initialised."""
    leftovers = shutil.ignore_patterns(".terraform*", "*.tfstate*")
    shutil.copytree(ROOT / EXAMPLE, tmp_path / EXAMPLE, ignore=leftovers)
    shutil.copytree(ROOT / "terraform/modules", tmp_path / "terraform/modules", ignore=leftovers)

    def run(*arguments: str, **variables: str) -> str:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "AWS_"))}
        done = subprocess.run(
            ["terraform", *arguments, "-no-color"],
            cwd=tmp_path / EXAMPLE,
            env=environment | variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    mirror = provider.find(tmp_path).plugin_dir
    run("init", *(["-plugin-dir", str(mirror)] if mirror else []))
    return run


@pytest.mark.terraform
def test_it_is_formatted_and_valid(terraform: Terraform) -> None:
    terraform("fmt", "-check", "-diff")
    terraform("validate")


@pytest.mark.terraform
@pytest.mark.slow
def test_it_is_applied_planned_empty_and_destroyed_without_a_rest(terraform: Terraform, tmp_path: Path) -> None:
    simulator = Simulator(port=0, state_dir=tmp_path / "simulator", options=SimulatorOptions(throttle=False))
    simulator.start()
    account = Account(simulator.endpoint_url)
    before = remains(account)
    aws = {"AWS_ENDPOINT_URL": simulator.endpoint_url, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
    terraform("apply", "-auto-approve", "-input=false", **aws)
    terraform("plan", "-detailed-exitcode", "-input=false", **aws)
    terraform("destroy", "-auto-approve", "-input=false", **aws)
    assert remains(account) == before
    simulator.stop()


def test_it_uses_every_module_in_a_few_lines() -> None:
    text = (ROOT / EXAMPLE / "main.tf").read_text()
    sources = {block["source"] for each in hcl2.loads(text)["module"] for block in each.values()}
    assert sources == {f'"../../terraform/modules/{path.name}"' for path in modules.MODULES.iterdir()}
    for block in text.split("\nmodule ")[1:]:
        assert len(block.split("\n}")[0].splitlines()) < MOST_LINES, block


def test_what_it_tells_the_daemon_is_what_the_daemon_reads() -> None:
    outputs = hcl2.loads((ROOT / EXAMPLE / "outputs.tf").read_text())["output"]
    (told,) = [block["value"] for each in outputs for name, block in each.items() if name == '"daemon_environment"']
    known = {variable.name for variable in VARIABLES if variable.determined}
    assert {name for name in told if name.isupper()} <= known


def test_its_readme_is_in_step_with_the_modules() -> None:
    assert modules.main(["--check"]) == 0, "run scripts/docs"
    page = modules.PAGE.read_text()
    for name, kind in (("network_cidr", "variable"), ("task_subnet_ids", "output")):
        assert f"| `{name}` |" in page, kind
