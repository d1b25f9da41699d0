"""The commands that write a deployment's files: init, upgrade.

Owns: the answers as options and questions. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import groupby
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

import click

from sockerless.errors import Conflict, InvalidParameter
from sockerless.kit import init, project, say, settings, upgrade
from sockerless.kit.cli_options import directory_option, env_option, events_option, typed, yes_option
from sockerless.kit.render import Rendering
from sockerless.kit.settings import BY_NAME, FIELDS, Field

FEW_FILES = 2
"""How many files of one directory are named one by one to a person; machines are told each."""
Command = TypeVar("Command", bound=Callable[..., Any])


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (init_command, upgrade_command):
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
@env_option
@answer_options
@click.option("--yes", "-y", is_flag=True, help="Take the defaults for what is not given; ask nothing.")
@click.option("--force", is_flag=True, help="Overwrite rendered files that were edited.")
@events_option
def init_command(directory: Path, env: str, yes: bool, force: bool, **options: Any) -> None:
    """Write sockerless.toml and the terraform modules into DIRECTORY (default: here).

    Run again, it brings the files in step with sockerless.toml; a file that you edited is shown as a diff and kept.
    With --env it adds that environment to the file, with the given answers as its own keys.

    \b
    Example: sockerless-kit init --aws --region eu-central-1 --zones 3 mydocker
    """
    answers = given_answers(options)
    for name, value in answers.items():
        settings.check(name, value)
    if env:
        made, rendering = init.run_environment(directory, env, answers, force)
    else:
        if init.known_answers(directory) is None and not yes:
            say.require_yes(yes)
            answers = ask(answers)
        made, rendering = init.run(directory, answers, force)
    _tell(rendering)
    for name, diff in rendering.kept:
        say.tell("kept", diff.removesuffix("\n"), file=name, diff=diff)
    if rendering.kept:
        names = ", ".join(name for name, _ in rendering.kept)
        raise Conflict(f"kept what was edited: {names}; --force overwrites it with what the diff above shows")
    if not (rendering.written or rendering.removed):
        say.tell("nothing", "nothing to write: every file is in step with sockerless.toml")
    say.next_step(typed(made, "apply"))


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


@click.command("upgrade")
@directory_option
@env_option
@click.option("--dry-run", is_flag=True, help="Show the diff and write nothing.")
@click.option("--force", is_flag=True, help="Overwrite rendered files that were edited, too.")
@yes_option
@events_option
def upgrade_command(directory: Path, env: str, dry_run: bool, force: bool, yes: bool) -> None:
    """Show what this version of the kit changes in the rendered files, ask, and write them.

    A file that you edited is shown as a diff and kept, unless --force is given. Nothing in AWS changes before the next
    apply.

    \b
    Example: sockerless-kit upgrade --dry-run
    """
    say.require_yes(yes or dry_run)
    here = project.load(directory, env)
    found = upgrade.preview(here)
    for kind, text, facts in upgrade.told(found, force):
        say.tell(kind, text, **facts)
    if dry_run:
        return
    if found.changes and not yes:
        click.confirm("Write this?", abort=True)
    rendering = upgrade.perform(here, force)
    _tell(rendering)
    for name, _ in rendering.kept:
        say.tell("kept", f"kept your edit of {name}: merge the diff above by hand, or --force", err=True, file=name)
    say.next_step(typed(here, "plan"))


def _tell(rendering: Rendering) -> None:
    for folder, written in groupby(sorted(rendering.written, key=_folder), key=_folder):
        names = list(written)
        together = f"wrote {len(names)} files in {folder}/" if len(names) > FEW_FILES else None
        for name in names:
            say.tell("wrote", None if together else f"wrote {name}", file=name)
        if together and not say.machines():
            click.echo(together)
    for name in rendering.removed:
        say.tell("removed", f"removed {name}", file=name)


def _folder(name: str) -> str:
    return str(PurePosixPath(name).parent)
