"""A new version of the kit shows what it changes before it writes it, and keeps what somebody edited."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sockerless.errors import Conflict
from sockerless.kit import init, plan, project, rendered
from sockerless.kit.cli import cli
from sockerless.kit.rendered import Manifest, digest

MAIN = "modules/vpc/main.tf"
OLD = "# as 0.0.1 rendered it\n"


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A deployment as version 0.0.1 rendered it: one file was different then, one is rendered no more."""
    init.run(tmp_path, {})
    rewrite(tmp_path, {MAIN: OLD, "modules/vpc/gone.tf": OLD})
    return tmp_path


def rewrite(directory: Path, texts: dict[str, str], version: str = "0.0.1") -> None:
    """Lets an earlier version have rendered these texts."""
    digests = dict(rendered.read(directory / ".sockerless").digests)
    for name, text in texts.items():
        (directory / name).write_text(text)
        digests[name] = digest(text)
    rendered.write(directory / ".sockerless", Manifest(version, digests))


def upgrade(directory: Path, *arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(cli, ["upgrade", "--dir", str(directory), *arguments], input=answers)


def recorded(directory: Path) -> str:
    return rendered.read(directory / ".sockerless").kit_version


def test_a_rendering_records_the_kit_s_version(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    assert recorded(tmp_path) == rendered.KIT_VERSION


def test_a_plan_renders_nothing_over_another_version_s_files_unseen(old: Path) -> None:
    with pytest.raises(Conflict, match=r"rendered by sockerless-kit 0\.0\.1, .*`sockerless-kit upgrade`"):
        plan.prepare(project.load(old))
    assert (old / MAIN).read_text() == OLD


def test_files_of_another_version_that_are_the_same_need_no_upgrade(tmp_path: Path) -> None:
    init.run(tmp_path, {})
    rewrite(tmp_path, {})
    plan.prepare(project.load(tmp_path))
    assert recorded(tmp_path) == rendered.KIT_VERSION


def test_the_diff_is_shown_first_and_a_no_writes_nothing(old: Path) -> None:
    asked = upgrade(old, answers="n\n")
    assert asked.exit_code == 1
    assert asked.output.startswith(f"from 0.0.1 to {rendered.KIT_VERSION}\n")
    assert f"change: {MAIN}\n--- {MAIN} (yours)\n+++ {MAIN} (rendered)\n" in asked.output
    assert "-# as 0.0.1 rendered it\n" in asked.output
    assert "remove: modules/vpc/gone.tf\n" in asked.output
    assert (old / MAIN).read_text() == OLD
    assert recorded(old) == "0.0.1"


def test_a_yes_writes_it_and_names_the_next_step(old: Path) -> None:
    done = upgrade(old, answers="y\n")
    assert done.exit_code == 0
    assert f"wrote {MAIN}\nremoved modules/vpc/gone.tf\n" in done.output
    assert done.output.endswith(f"next: cd {old} && sockerless-kit plan\n")
    assert not (old / "modules/vpc/gone.tf").exists()
    assert 'resource "aws_vpc" "this"' in (old / MAIN).read_text()
    assert recorded(old) == rendered.KIT_VERSION
    assert "every file is what this version renders" in upgrade(old, "--yes").output


def test_a_dry_run_asks_and_writes_nothing(old: Path) -> None:
    done = upgrade(old, "--dry-run")
    assert done.exit_code == 0
    assert "Write this?" not in done.output
    assert ((old / MAIN).read_text(), recorded(old)) == (OLD, "0.0.1")


def test_an_edit_is_shown_and_kept_unless_forced(old: Path) -> None:
    (old / MAIN).write_text("# mine\n")
    kept = upgrade(old, "--yes")
    assert kept.exit_code == 0
    assert f"keep your edit: {MAIN}\n" in kept.output
    assert "-# mine\n" in kept.output
    assert f"kept your edit of {MAIN}" in kept.stderr
    assert (old / MAIN).read_text() == "# mine\n"
    forced = upgrade(old, "--yes", "--force")
    assert f"overwrite your edit: {MAIN}\n" in forced.output
    assert "# mine" not in (old / MAIN).read_text()


def test_machines_get_each_change_with_its_diff(old: Path) -> None:
    told: list[dict[str, Any]] = [json.loads(line) for line in upgrade(old, "--dry-run", "--json").stdout.splitlines()]
    assert told[0] == {"type": "upgrade", "before": "0.0.1", "after": rendered.KIT_VERSION}
    changes = {one["file"]: one for one in told if one["type"] == "change"}
    kinds = {name: one["change"] for name, one in changes.items()}
    assert kinds == {MAIN: "changed", "modules/vpc/gone.tf": "obsolete"}
    assert "-# as 0.0.1 rendered it\n" in changes[MAIN]["diff"]
    assert upgrade(old, "--json").exit_code == 2


def test_a_manifest_from_before_versions_were_recorded_is_still_read(old: Path) -> None:
    manifest = old / ".sockerless" / "rendered.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text())["files"]))
    shown = upgrade(old, "--dry-run").output
    assert shown.startswith("from a version that is not recorded to ")
    assert f"change: {MAIN}\n" in shown
