"""The commands that build: init, plan, apply, outputs, destroy.

Owns: their options, prompts and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.kit import apply, daemon_env, destroy, init, project, settings
from sockerless.kit.project import Project
from sockerless.kit.settings import BY_NAME, FIELDS, Field

Command = TypeVar("Command", bound=Callable[..., Any])

directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="The deployment's directory (default: here).",
)
plugin_dir_option = click.option(
    "--plugin-dir",
    type=click.Path(path_type=Path),
    help="A local mirror to take terraform's AWS provider from, and from nowhere else.",
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask.")


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (init_command, plan_command, apply_command, outputs_command, destroy_command):
        group.add_command(command)


def answer_options(command: Command) -> Command:
    """Adds a flag for each answer of init: one per row of settings.FIELDS."""
    for field in reversed(FIELDS):
        command = _answer(field)(command)
    return command


def _answer(field: Field) -> Callable[[Command], Command]:
    if field.name == "target":
        help_text = "In a simulated AWS on this machine, or in your AWS account (default)."
        return click.option("--simulator/--aws", "simulator", default=None, help=help_text)
    flag = field.flag or field.name.replace("_", "-")
    if isinstance(field.default, bool):
        return click.option(f"--{flag}/--no-{flag}", field.name, default=None, help=_meaning(field))
    kind = click.Choice(field.choices) if field.choices else int if isinstance(field.default, int) else str
    many = isinstance(field.default, tuple)
    metavar = "KEY=VALUE" if field.name == "tags" else None
    return click.option(f"--{flag}", field.name, type=kind, multiple=many, metavar=metavar, help=_meaning(field))


def _meaning(field: Field) -> str:
    text = field.meaning[0].upper() + field.meaning[1:]
    default = {True: "on", False: "off"}[field.default] if isinstance(field.default, bool) else field.default
    more = "; may be repeated" if isinstance(field.default, tuple) else ""
    return f"{text}{more} (default: {default})." if default not in ((), "") else f"{text}{more}."


def given_answers(options: dict[str, Any]) -> dict[str, Any]:
    """The answers among a command's options: those that were given, under the keys of sockerless.toml."""
    answers = {name: value for name, value in options.items() if name in BY_NAME and value not in (None, ())}
    if options.get("simulator") is not None:
        answers["target"] = "simulator" if options["simulator"] else "aws"
    if "tags" in answers:
        answers["tags"] = dict(_tag(text) for text in answers["tags"])
    return answers


def _tag(text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    if not equals:
        raise InvalidParameter(f"tags: {text[:80]!r} is not valid: expected KEY=VALUE")
    return key, value


@click.command("init")
@click.argument("directory", type=click.Path(path_type=Path, file_okay=False), default=Path("."))
@answer_options
@click.option("--yes", "-y", is_flag=True, help="Take the defaults for what is not given; ask nothing.")
@click.option("--force", is_flag=True, help="Overwrite rendered files that were edited.")
def init_command(directory: Path, yes: bool, force: bool, **options: Any) -> None:
    """Write sockerless.toml and the terraform modules into DIRECTORY (default: here).

    Run again, it brings the files in step with sockerless.toml; a file that you edited is shown as a diff and kept.

    \b
    Example: sockerless-kit init --aws --region eu-central-1 --zones 3 mydocker
    """
    answers = given_answers(options)
    for name, value in answers.items():
        settings.check(name, value)
    if init.known_answers(directory) is None and not yes:
        answers = ask(answers)
    made, rendering = init.run(directory, answers, force)
    for name in rendering.written:
        click.echo(f"wrote {name}")
    for name in rendering.removed:
        click.echo(f"removed {name}")
    for _, diff in rendering.kept:
        click.echo(diff, nl=False)
    if rendering.kept:
        names = ", ".join(name for name, _ in rendering.kept)
        raise Conflict(f"kept what was edited: {names}; --force overwrites it with what the diff above shows")
    if not (rendering.written or rendering.removed):
        click.echo("nothing to write: every file is in step with sockerless.toml")
    click.echo(f"next: {_in(made, 'sockerless-kit apply')}")


def ask(given: dict[str, Any]) -> dict[str, Any]:
    """Asks for the answers that matter and were not given; an answer that is not valid is asked for again."""
    asked = [field for field in FIELDS if field.asked and field.name not in given]
    return {**given, **{field.name: _ask(field) for field in asked}}


def _ask(field: Field) -> Any:
    def checked(text: Any) -> Any:
        value = int(text) if isinstance(field.default, int) and str(text).isdigit() else text
        try:
            return settings.check(field.name, value)
        except InvalidParameter as error:
            raise click.BadParameter(error.message) from None

    return click.prompt(field.meaning[0].upper() + field.meaning[1:], default=field.default, value_proc=checked)


@click.command("plan")
@directory_option
@plugin_dir_option
def plan_command(directory: Path, plugin_dir: Path | None) -> None:
    """Show what apply would add, change and destroy, by module.

    \b
    Example: sockerless-kit plan --dir mydocker
    """
    here = project.load(directory)
    planned = apply.show_plan(here, plugin_dir)
    if planned.changes:
        click.echo(f"details: {_in(here, f'terraform show {planned.path.relative_to(here.directory)}')}")
        click.echo(f"next: {_in(here, 'sockerless-kit apply')}")


@click.command("apply")
@directory_option
@plugin_dir_option
@yes_option
def apply_command(directory: Path, plugin_dir: Path | None, yes: bool) -> None:
    """Show the plan, ask, build exactly that, and write the daemon's configuration.

    Safe to interrupt and to run again: what stands is kept.

    \b
    Example: sockerless-kit apply --yes
    """
    here = project.load(directory)
    apply.build(here, plugin_dir, yes)
    click.echo(f"next: {_in(here, 'sockerless-kit serve')}")


@click.command("outputs")
@directory_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
@click.option("--env", "as_env", is_flag=True, help="As the daemon's variables, the content of daemon.env.")
def outputs_command(directory: Path, as_json: bool, as_env: bool) -> None:
    """Print what was built: names, ids and ARNs.

    \b
    Example: sockerless-kit outputs --json
    """
    if as_json and as_env:
        raise click.UsageError("--json and --env exclude each other")
    here = project.load(directory)
    if as_env:
        click.echo(_environment(here), nl=False)
        return
    values = dataclasses.asdict(apply.load(here).outputs)
    if as_json:
        click.echo(json.dumps(values, indent=2))
        return
    for name, value in values.items():
        click.echo(f"{name} = {', '.join(value) if isinstance(value, tuple) else value}")


@click.command("destroy")
@directory_option
@plugin_dir_option
@yes_option
def destroy_command(directory: Path, plugin_dir: Path | None, yes: bool) -> None:
    """Stop the deployment's tasks and delete everything that apply built.

    Names what holds data before it asks. sockerless.toml and the terraform files stay.

    \b
    Example: sockerless-kit destroy --dir mydocker
    """
    destroy.run(project.load(directory), plugin_dir, yes)


def _environment(here: Project) -> str:
    try:
        return daemon_env.path_of(here).read_text()
    except FileNotFoundError:
        raise NotFound(f"{daemon_env.path_of(here)} is not written yet; run `sockerless-kit apply`") from None


def _in(here: Project, command: str) -> str:
    """The command as it is typed from where we are."""
    if here.directory == Path.cwd():
        return command
    return f"cd {here.directory} && {command}"
