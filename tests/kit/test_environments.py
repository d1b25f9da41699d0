"""Named environments: tables of one sockerless.toml, each a deployment of its own in a directory of its own."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from sockerless.errors import InvalidParameter
from sockerless.kit import project
from sockerless.kit.cli import cli

SETTINGS = """
name = "ci"
zones = 3
tags = { team = "platform", cost = "42" }

[environments.prod]
region = "eu-central-1"
tags = { team = "site" }

[environments.dev]
name = "playground"
environment = "sandbox"
target = "simulator"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "sockerless.toml").write_text(SETTINGS)
    return tmp_path


def run(*arguments: str, env: dict[str, str] | None = None) -> Result:
    return CliRunner().invoke(cli, list(arguments), env=env)


def test_a_table_overrides_the_keys_above_it_one_by_one(home: Path) -> None:
    made = project.load(home, "prod")
    assert (made.zones, made.region, made.tags) == (3, "eu-central-1", (("team", "site"),))


def test_an_environment_is_called_by_its_name_unless_its_table_says_otherwise(home: Path) -> None:
    assert (project.load(home, "prod").name, project.load(home, "prod").environment) == ("ci-prod", "prod")
    assert (project.load(home, "dev").name, project.load(home, "dev").environment) == ("playground", "sandbox")
    assert (project.load(home).name, project.load(home).environment) == ("ci", "dev")


def test_each_lives_in_a_directory_of_its_own(home: Path) -> None:
    assert project.load(home).directory == home
    assert project.load(home, "prod").directory == home / "environments" / "prod"
    assert project.load(home, "prod").settings_path == home / "sockerless.toml"


@pytest.mark.parametrize("command", ["plan", "apply", "destroy", "status", "outputs", "down", "up", "serve", "doctor"])
def test_an_unknown_one_is_refused_with_the_known_ones(home: Path, command: str) -> None:
    done = run(command, "--dir", str(home), "--env", "prd")
    assert done.exit_code == 2
    assert "there is no environment 'prd'; there is prod, dev; did you mean prod?" in done.stderr
    assert not (home / "environments").exists()


def test_where_there_is_none_the_error_says_how_to_make_it(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text("")
    done = run("status", "--dir", str(tmp_path), "--env", "prod")
    assert "there is no environment 'prod', nor any other; `sockerless-kit init --env prod` makes it" in done.stderr


def test_the_variable_names_it_and_the_option_wins(home: Path) -> None:
    told = run("status", "--json", "--dir", str(home), env={"SOCKERLESS_ENV": "dev"})
    assert json.loads(told.stdout)["name"] == "playground"
    told = run("status", "--json", "--dir", str(home), "--env", "prod", env={"SOCKERLESS_ENV": "dev"})
    assert json.loads(told.stdout)["name"] == "ci-prod"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[environments.prod]\nzone = 2", "environment prod: zone: there is no such key; did you mean zones?"),
        ("[environments.prod]\nzones = 9", "environment prod: zones: 9 is not valid"),
        ("[environments.Prod]", "environment 'Prod' is not valid: expected 1 to 24 small letters"),
        ('[environments."a/../b"]', "environment 'a/../b' is not valid"),
        ("environments = 3", "environments: expected tables like"),
        ("[environments]\nprod = 3", "environments: expected tables like"),
        ("[environments.prod.environments.dev]", "environment prod: environments: there is no such key"),
    ],
)
def test_what_is_wrong_in_a_table_is_named(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "sockerless.toml").write_text(text)
    with pytest.raises(InvalidParameter) as caught:
        project.load(tmp_path, "prod")
    assert words in caught.value.message


def test_a_name_that_gets_too_long_is_refused(tmp_path: Path) -> None:
    (tmp_path / "sockerless.toml").write_text(f'name = "{"n" * 30}"\n[environments.prod]\n')
    with pytest.raises(InvalidParameter, match=r"environment prod: name: .* 2 to 32 characters"):
        project.load(tmp_path, "prod")


def test_environments_lists_all_of_them_and_says_which_is_not_valid(home: Path) -> None:
    path = home / "sockerless.toml"
    path.write_text(path.read_text() + "[environments.broken]\nzones = 0\n")
    told = run("environments", "--dir", str(home))
    assert [line.split()[:2] for line in told.stdout.splitlines()] == [
        ["environment", "name"],
        ["(none)", "ci"],
        ["prod", "ci-prod"],
        ["dev", "playground"],
        ["broken", "not"],
    ]
    listed: list[dict[str, Any]] = json.loads(run("environments", "--json", "--dir", str(home)).stdout)["environments"]
    assert [line["region"] for line in listed] == ["us-east-1", "eu-central-1", "us-east-1", ""]
    assert "zones: 0 is not valid" in listed[3]["problem"]


def test_init_adds_one_without_touching_what_is_there(home: Path) -> None:
    done = run("init", str(home), "--env", "qa", "--zones", "1", "--tag", "team=qa", "--simulator")
    assert done.exit_code == 0, done.output
    assert (home / "sockerless.toml").read_text().startswith(SETTINGS)
    made = project.load(home, "qa")
    assert (made.name, made.zones, made.tags, made.simulator) == ("ci-qa", 1, (("team", "qa"),), True)
    assert 'name                  = "ci-qa"' in (made.directory / "terraform.tfvars").read_text()
    assert re.search(r"^wrote \d files in environments/qa/$", done.stdout, re.M)
    assert (home / "environments/qa/main.tf").exists()
    assert done.stdout.splitlines()[-1] == f"next: cd {home} && sockerless-kit apply --env qa"


def test_init_leaves_an_environment_s_keys_to_its_editor(home: Path) -> None:
    before = (home / "sockerless.toml").read_text()
    done = run("init", str(home), "--env", "prod", "--zones", "1")
    assert done.exit_code == 1
    assert "has [environments.prod] already; change its keys there" in done.stderr
    assert (home / "sockerless.toml").read_text() == before
    assert run("init", str(home), "--env", "prod").exit_code == 0


@pytest.mark.parametrize("env", ["Prod", "a b", "../up", "x" * 25, "-x"])
def test_init_takes_no_name_that_is_no_directory_s(home: Path, env: str) -> None:
    done = run("init", str(home), "--env", env)
    assert done.exit_code == 2
    assert "is not valid" in done.stderr


def test_a_flag_of_init_keeps_the_environments_of_an_unedited_file(tmp_path: Path) -> None:
    run("init", str(tmp_path), "--yes", "--name", "ci")
    run("init", str(tmp_path), "--env", "prod", "--daemon-cidr", "10.9.0.0/16", "--tag", "a b=c")
    done = run("init", str(tmp_path), "--zones", "3")
    assert done.exit_code == 0, done.output
    made = project.load(tmp_path, "prod")
    assert (made.name, made.zones, made.daemon_cidrs, made.tags) == ("ci-prod", 3, ("10.9.0.0/16",), (("a b", "c"),))


def test_every_command_of_a_directory_takes_an_environment() -> None:
    def options(command: click.Command) -> set[str | None]:
        return {parameter.name for parameter in command.params if isinstance(parameter, click.Option)}

    def walk(group: click.Group) -> list[click.Command]:
        below = [walk(one) if isinstance(one, click.Group) else [one] for one in group.commands.values()]
        return [command for commands in below for command in commands]

    lacking = [one.name for one in walk(cli) if "directory" in options(one) and "env" not in options(one)]
    assert lacking == ["environments"]
