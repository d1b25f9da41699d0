"""The command line: flags, prompts, exit codes, sentences."""

from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner, Result

from sockerless.kit import project
from sockerless.kit.cli import cli


def run(*arguments: str, answers: str = "") -> Result:
    return CliRunner().invoke(cli, list(arguments), input=answers)


def test_init_takes_every_answer_as_a_flag(tmp_path: Path) -> None:
    done = run(
        *("init", str(tmp_path), "--yes", "--name", "ci", "--environment", "prod", "--simulator"),
        *("--endpoint-url", "http://127.0.0.1:5000", "--region", "eu-central-1", "--zones", "3"),
        *("--network-cidr", "10.8.0.0/20", "--daemon-cidr", "10.9.0.0/16", "--log-retention-days", "365"),
        *("--keep-images", "--tag", "team=platform"),
    )
    assert done.exit_code == 0, done.output
    made = project.load(tmp_path)
    assert project.to_mapping(made) == {
        "name": "ci",
        "environment": "prod",
        "target": "simulator",
        "endpoint_url": "http://127.0.0.1:5000",
        "region": "eu-central-1",
        "zones": 3,
        "network_cidr": "10.8.0.0/20",
        "daemon_cidrs": ("10.9.0.0/16",),
        "log_retention_days": 365,
        "force_delete_images": False,
        "tags": (("team", "platform"),),
    }
    assert f"next: cd {tmp_path} && sockerless-kit apply" in done.output


def test_init_asks_for_what_matters_and_again_after_a_wrong_answer(tmp_path: Path) -> None:
    done = run("init", str(tmp_path), answers="Bad Name\nmine\nsimulator\neu-west-1\n9\n3\n\n")
    assert done.exit_code == 0, done.output
    assert "name: 'Bad Name' is not valid" in done.output
    assert "zones: 9 is not valid" in done.output
    made = project.load(tmp_path)
    assert (made.name, made.target, made.region, made.zones) == ("mine", "simulator", "eu-west-1", 3)
    assert made.network_cidr == "10.0.0.0/16"


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


def test_settings_that_are_not_valid_end_with_2(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text('nmae = "x"\n')
    done = run("plan", "--dir", str(tmp_path))
    assert done.exit_code == 2
    assert "did you mean name?" in done.stderr


def test_outputs_before_apply_name_apply(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes")
    done = run("outputs", "--dir", str(tmp_path), "--env")
    assert done.exit_code == 1
    assert "sockerless-kit apply" in done.stderr


def test_outputs_takes_one_format() -> None:
    assert run("outputs", "--json", "--env").exit_code == 2


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


@pytest.mark.parametrize("name", ["init", "plan", "apply", "outputs", "destroy"])
def test_every_command_has_an_example(name: str) -> None:
    help_text = cli.commands[name].help
    assert help_text
    assert f"Example: sockerless-kit {name}" in help_text


def test_every_option_is_explained() -> None:
    for command in cli.commands.values():
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"{command.name} {parameter.name}"


def test_the_version_is_printed() -> None:
    assert run("--version").output.startswith("sockerless-kit, version ")
