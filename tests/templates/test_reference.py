"""The templates, with terraform itself as the judge; terraform/ in step with them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from sockerless.kit import project, provider, reference, render, terraform
from sockerless.kit.project import Project

ROOT = Path(__file__).resolve().parents[2]
MODES = {
    "aws": {},
    "simulator": {"target": "simulator", "endpoint_url": "http://127.0.0.1:4999"},
    "everything": {
        "name": "a-name-of-thirty-two-characters1",
        "zones": 6,
        "network_cidr": "10.0.0.0/24",
        "daemon_cidrs": ["192.168.0.0/24", "192.168.1.0/24"],
        "log_retention_days": 365,
        "deletion_protection": True,
        "tags": {"a": "short", "cost center": "42/x=y@z"},
    },
}


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TF_CLI")}
    return subprocess.run(
        ["terraform", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False
    )


def rendered(directory: Path, mode: str) -> Project:
    here = project.from_mapping(directory, MODES[mode])
    render.write(here, render.render_terraform(here))
    return here


def initialised(here: Project) -> None:
    terraform.start_log(here)
    terraform.init(here, provider.find(ROOT).plugin_dir)


def test_the_reference_is_what_the_defaults_render() -> None:
    top = ROOT / reference.DIRECTORY
    standing = {
        path.relative_to(top).as_posix(): path.read_text()
        for path in top.rglob("*.tf*")
        if not {".terraform", "tests"} & set(path.relative_to(top).parts) and "tfstate" not in path.name
    }
    standing.pop(".terraform.lock.hcl", None)
    assert standing == reference.files(), "run: python -m sockerless.kit.reference"


def test_every_variable_is_typed_and_described_and_every_output_described() -> None:
    for name, text in reference.files().items():
        for block in text.split("\nvariable ")[1:] + text.removeprefix("variable ").split("\nvariable ")[:1]:
            if name.endswith("variables.tf"):
                assert "  description = " in block, name
                assert "  type        = " in block, name
        for block in text.split("output ")[1:]:
            if name.endswith("outputs.tf"):
                assert "  description = " in block, name


def test_every_name_starts_with_the_project_s(tmp_path: Path) -> None:
    for name, text in reference.files().items():
        for line in text.splitlines():
            key, _, value = line.strip().partition("=")
            if name.endswith("main.tf") and name.startswith("modules/") and key.strip() == "Name":
                assert "var.name" in value, f"{name}: {line}"


@pytest.mark.terraform
@pytest.mark.parametrize("mode", MODES)
def test_the_rendering_is_formatted_and_valid(tmp_path: Path, mode: str) -> None:
    here = rendered(tmp_path, mode)
    formatted = run(tmp_path, "fmt", "-check", "-diff", "-recursive")
    assert formatted.returncode == 0, formatted.stdout
    initialised(here)
    terraform.validate(here)


@pytest.mark.terraform
def test_terraform_s_own_tests_pass(tmp_path: Path) -> None:
    directory = tmp_path / "terraform"
    shutil.copytree(ROOT / reference.DIRECTORY, directory, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    initialised(project.from_mapping(directory, {}))
    tested = run(directory, "test", "-no-color")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    assert " 0 failed" in tested.stdout


@pytest.mark.terraform
def test_terraform_refuses_what_the_kit_refuses(tmp_path: Path) -> None:
    initialised(rendered(tmp_path, "simulator"))
    wrong = {
        "name": "Bad Name",
        "region": "moon",
        "zones": "7",
        "network_cidr": "10.0.0.0/8",
        "daemon_cidrs": '["0.0.0.0/0"]',
        "log_retention_days": "31",
    }
    planned = run(
        tmp_path, "plan", "-no-color", "-input=false", *(f"-var={name}={value}" for name, value in wrong.items())
    )
    assert planned.returncode == 1
    for name in wrong:
        assert f"{name} must be" in " ".join(planned.stderr.split()), planned.stderr


@pytest.mark.terraform
def test_any_text_is_the_same_text_in_terraform(tmp_path: Path) -> None:
    texts = ['"', "\\", "${x}", "$${x}", "$$", "%{ if true }", "%%{", "a\nb\tc\r", "\x07\x1b\x7f\x85", "näme", "🐳", ""]
    outputs = [f'output "t{index}" {{\n  value = {render.hcl(text)}\n}}\n' for index, text in enumerate(texts)]
    (tmp_path / "main.tf").write_text("".join(outputs))
    assert run(tmp_path, "init").returncode == 0
    applied = run(tmp_path, "apply", "-auto-approve", "-no-color")
    assert applied.returncode == 0, applied.stderr
    read = json.loads(run(tmp_path, "output", "-json").stdout)
    assert [read[f"t{index}"]["value"] for index in range(len(texts))] == texts
