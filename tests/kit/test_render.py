"""Rendering: idempotent, never over somebody's edit, harmless whatever the text."""

from __future__ import annotations

import re
import stat
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.kit import init, project, render
from sockerless.kit.project import Project

MAIN = "modules/vpc/main.tf"


def settings(directory: Path, **values: object) -> Project:
    return project.from_mapping(directory, values)


def test_every_module_and_the_settings_are_written(tmp_path: Path) -> None:
    _, rendering = init.run(tmp_path / "new", {})
    names = set(rendering.written)
    assert {f"modules/{module}/main.tf" for module in ("vpc", "cluster", "iam", "cloudwatch", "efs", "ecr")} <= names
    assert {"sockerless.toml", "main.tf", "providers.tf", "terraform.tfvars"} <= names


def test_settings_are_readable_by_all_and_the_kit_s_own_folder_by_its_owner_only(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    assert stat.S_IMODE((tmp_path / "sockerless.toml").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / ".sockerless").stat().st_mode) == 0o700


def test_a_second_run_writes_nothing(tmp_path: Path) -> None:
    init.run(tmp_path, {"zones": 3})
    _, again = init.run(tmp_path, {})
    assert again == render.Rendering((), (), ())


def test_the_settings_file_says_what_was_answered(tmp_path: Path) -> None:
    answers = {"name": "ci-runners", "target": "simulator", "zones": 3, "tags": {"cost center": "42", "team": "x"}}
    made, _ = init.run(tmp_path, answers)
    assert project.load(tmp_path) == made
    assert made.name == "ci-runners"
    assert dict(made.tags) == {"cost center": "42", "team": "x"}


def test_an_edited_file_is_shown_and_kept(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    path = tmp_path / MAIN
    edited = path.read_text().replace("enable_dns_support   = true", "enable_dns_support   = false")
    path.write_text(edited)
    _, rendering = init.run(tmp_path, {})
    assert [name for name, _ in rendering.kept] == [MAIN]
    assert "-  enable_dns_support   = false\n+  enable_dns_support   = true\n" in rendering.kept[0][1]
    assert path.read_text() == edited


def test_force_overwrites_an_edit_once(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    (tmp_path / MAIN).write_text("# mine\n")
    _, rendering = init.run(tmp_path, {}, force=True)
    assert rendering.written == (MAIN,)
    assert init.run(tmp_path, {})[1] == render.Rendering((), (), ())


def test_an_edit_stays_an_edit_however_often_rendering_runs(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    (tmp_path / MAIN).write_text("# mine\n")
    for _ in range(3):
        assert len(init.run(tmp_path, {})[1].kept) == 1
    assert (tmp_path / MAIN).read_text() == "# mine\n"


def test_an_edit_of_the_settings_reaches_the_unedited_files_only(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    toml = tmp_path / "sockerless.toml"
    mine = toml.read_text().replace("zones = 2", "zones = 3  # more")
    toml.write_text(mine)
    _, rendering = init.run(tmp_path, {})
    assert rendering.written == ("terraform.tfvars",)
    assert "zones                 = 3" in (tmp_path / "terraform.tfvars").read_text()
    assert toml.read_text() == mine


def test_a_flag_changes_settings_that_nobody_edited_and_no_others(tmp_path: Path) -> None:
    init.run(tmp_path, {"name": "first"})
    init.run(tmp_path, {"zones": 3})
    assert (project.load(tmp_path).name, project.load(tmp_path).zones) == ("first", 3)
    toml = tmp_path / "sockerless.toml"
    toml.write_text(toml.read_text() + "# mine\n")
    _, rendering = init.run(tmp_path, {"zones": 4})
    assert [name for name, _ in rendering.kept] == ["sockerless.toml"]


def test_a_file_that_was_there_before_is_kept(tmp_path: Path) -> None:
    (tmp_path / "main.tf").write_text('resource "aws_vpc" "theirs" {}\n')
    _, rendering = init.run(tmp_path, {})
    assert [name for name, _ in rendering.kept] == ["main.tf"]


def test_a_damaged_manifest_loses_no_edit(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    (tmp_path / ".sockerless" / "rendered.json").write_text("{")
    (tmp_path / MAIN).write_text("# mine\n")
    _, rendering = init.run(tmp_path, {})
    assert [name for name, _ in rendering.kept] == [MAIN]
    assert rendering.written == ()


def test_what_is_no_longer_rendered_goes_unless_it_was_edited(tmp_path: Path) -> None:
    here = settings(tmp_path)
    render.write(here, {"old.tf": "one\n", "edited.tf": "two\n"})
    (tmp_path / "edited.tf").write_text("mine\n")
    rendering = render.write(here, {"new.tf": "three\n"})
    assert rendering.removed == ("old.tf",)
    assert not (tmp_path / "old.tf").exists()
    assert (tmp_path / "edited.tf").read_text() == "mine\n"


def test_only_the_simulator_s_provider_names_an_endpoint(tmp_path: Path) -> None:
    aws = render.render_terraform(settings(tmp_path))["providers.tf"]
    simulated = render.render_terraform(settings(tmp_path, target="simulator"))["providers.tf"]
    for word in ("endpoints", "skip_", "s3_use_path_style"):
        assert word not in aws
        assert word in simulated
    assert re.search(r'\becs +=\s"http://127\.0\.0\.1:4566"', simulated)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_the_same_text_in_toml(text: str) -> None:
    assert tomllib.loads(f"x = {render.toml(text)}")["x"] == text


@pytest.mark.parametrize("value", [True, False, 0, 7, (), ("a", 'b"'), [1, 2]])
def test_other_values_are_the_same_values_in_toml(value: object) -> None:
    read = tomllib.loads(f"x = {render.toml(value)}")["x"]
    assert read == (list(value) if isinstance(value, tuple) else value)


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("plain", '"plain"'),
        ('a"b\\c', '"a\\"b\\\\c"'),
        ("${x}", '"$${x}"'),
        ("%{x}", '"%%{x}"'),
        ("a\nb\tc\r", '"a\\nb\\tc\\r"'),
        ("\x07\x7f", '"\\u0007\\u007f"'),
        ("🐳", '"🐳"'),
    ],
)
def test_text_in_hcl_is_a_literal_and_no_template(text: str, literal: str) -> None:
    assert render.hcl(text) == literal
