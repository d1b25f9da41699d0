"""The option matrix as text: formatted, valid, nothing that checkov objects to.

What the options become is asserted by terraform/tests (test_reference.py runs them), what they do in AWS by
test_matrix_applied.py.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import venv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import project, provider, render
from tests.machine import withhold
from tests.templates.matrix import MATRIX, settings_of

CHECKOV = "checkov>=3.2,<4"
MOST_SKIPS = 8
SKIP = re.compile(r"#\s*checkov:skip=(?P<check>[A-Z0-9_]+)(?::(?P<reason>.+))?")


@pytest.fixture(scope="module")
def matrix(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with every rendering in a directory of its name."""
    top = tmp_path_factory.mktemp("matrix")
    for case in MATRIX:
        here = project.from_mapping(top / case, settings_of(case))
        render.write(here, render.render_terraform(here))
    return top


def run(directory: Path, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_")} | variables
    return subprocess.run(command, cwd=directory, env=environment, capture_output=True, text=True, check=False)


def configuration(texts: Mapping[str, str]) -> str:
    """What `terraform validate` looks at: all but the variables' values."""
    return json.dumps({name: text for name, text in texts.items() if name.endswith(".tf")}, sort_keys=True)


def test_networks_encryptions_and_capacity_are_one_configuration_with_other_values(tmp_path: Path) -> None:
    settings = {case: {**settings_of(case), "name": "one"} for case in MATRIX}
    texts = {case: render.render_terraform(project.from_mapping(tmp_path, settings[case])) for case in MATRIX}
    assert len({configuration(each) for each in texts.values()}) == 2, "state local, and state s3"
    # The architecture is what the daemon asks of each task: Terraform builds nothing by it.
    assert texts["arm"] == texts["nat-customer-local"]
    assert len({each["terraform.tfvars"] for each in texts.values()}) == 4 * 2 + 1


@pytest.mark.terraform
def test_every_rendering_is_formatted(matrix: Path) -> None:
    formatted = run(matrix, "terraform", "fmt", "-check", "-diff", "-recursive")
    assert formatted.returncode == 0, formatted.stdout


@pytest.mark.terraform
@pytest.mark.parametrize("case", ["nat-customer-local", "nat-customer-s3"])
def test_both_configurations_are_valid(matrix: Path, case: str) -> None:
    mirror = provider.find(matrix).plugin_dir
    plugins = ["-plugin-dir", str(mirror)] if mirror else []
    initialised = run(matrix / case, "terraform", "init", "-backend=false", *plugins)
    assert initialised.returncode == 0, initialised.stderr
    validated = run(matrix / case, "terraform", "validate", "-no-color")
    assert validated.returncode == 0, validated.stdout + validated.stderr


def test_what_checkov_is_to_skip_is_little_and_says_why() -> None:
    templates = sorted(render.templates_directory().rglob("*.j2"))
    skips = [found for path in templates for found in SKIP.finditer(path.read_text())]
    assert [skip["check"] for skip in skips if not (skip["reason"] or "").strip()] == []
    assert 0 < len(skips) <= MOST_SKIPS


@pytest.fixture(scope="module")
def checkov(pytestconfig: pytest.Config) -> Path:
    """checkov in a virtual environment of its own in pytest's cache: its requirements exclude ours."""
    home = pytestconfig.cache.mkdir("checkov")
    installed = home / "installed"
    if not installed.exists() or installed.read_text() != CHECKOV:
        venv.create(home, with_pip=True, clear=True)
        done = run(home, home / "bin/python", "-m", "pip", "install", "--quiet", CHECKOV)
        if done.returncode != 0:
            withhold(f"pip could not install {CHECKOV}: {done.stderr.strip()[-300:]}")
        installed.write_text(CHECKOV)
    return home / "bin/checkov"


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_checkov_objects_to_nothing(matrix: Path, checkov: Path) -> None:
    arguments = ("--directory", ".", "--framework", "terraform", "--skip-download", "--compact", "--output", "json")
    checked = run(matrix, checkov, *arguments, LOG_LEVEL="ERROR")
    report: dict[str, Any] = json.loads(checked.stdout)
    failed = {(one["check_id"], one["resource"], one["file_path"]) for one in report["results"]["failed_checks"]}
    assert failed == set()
    assert report["results"]["parsing_errors"] == []
    passed = {one["file_path"].split("/")[1] for one in report["results"]["passed_checks"]}
    assert passed == set(MATRIX)
