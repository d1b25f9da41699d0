"""The options that several commands share.

Owns: their names, defaults and help. Knows no command.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.errors import NotFound, SockerlessError
from sockerless.kit import environments, project, say
from sockerless.kit.project import Project

directory_option = click.option(
    "--dir",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("."),
    help="The deployment's directory (default: here).",
)


def _complete_env(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """The environments of the sockerless.toml that the command line leads to; none where it cannot be read."""
    directory = context.params.get("directory") or Path(".")
    try:
        known = environments.tables(project.read_settings(directory) or {})
    except SockerlessError:
        return []
    return [env for env in known if env.startswith(incomplete)]


env_option = click.option(
    "--env",
    "env",
    default="",
    metavar="NAME",
    envvar=environments.VARIABLE,
    shell_complete=_complete_env,
    help=f"The environment [{environments.KEY}.NAME] of sockerless.toml to work on (default: {environments.VARIABLE}, "
    "or the keys at its top alone).",
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


def optional_project(directory: Path, env: str) -> Project | None:
    """The deployment in the directory; None when it has no sockerless.toml."""
    try:
        return project.load(directory, env)
    except NotFound:
        return None


def typed(here: Project, command: str) -> str:
    """The kit's command ("apply") for this deployment as it is typed from where we are."""
    return _from_here(here.home, here.command(command))


def typed_inside(here: Project, command: str) -> str:
    """Any other command ("terraform show") as it is typed from where we are to run where the modules are."""
    return _from_here(here.directory, command)


def _from_here(directory: Path, command: str) -> str:
    return command if directory == Path.cwd() else f"cd {directory} && {command}"
