"""The options that several commands share.

Owns: their names, defaults and help. Knows no command.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.errors import NotFound
from sockerless.kit import project, say
from sockerless.kit.project import Project

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


def _speak_json(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        say.choose_machines(context)


document_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_speak_json, help="As one JSON object."
)
events_option = click.option(
    "--json", is_flag=True, expose_value=False, callback=_speak_json, help="As JSON, an object a line; asks nothing."
)


def optional_project(directory: Path) -> Project | None:
    """The deployment in the directory; None when it has no sockerless.toml."""
    try:
        return project.load(directory)
    except NotFound:
        return None


def typed_in(here: Project, command: str) -> str:
    """The command as it is typed from where we are."""
    if here.directory == Path.cwd():
        return command
    return f"cd {here.directory} && {command}"
