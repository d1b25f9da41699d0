"""From answers to a directory that terraform can work in: sockerless.toml and the rendered modules.

Owns: how answers, an existing sockerless.toml and the defaults come together. Asks nobody (cli.py does).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.kit import environments, render
from sockerless.kit import project as projects
from sockerless.kit.project import Project
from sockerless.kit.render import Rendering


def known_answers(directory: Path) -> dict[str, Any] | None:
    """What the directory's sockerless.toml says already, checked; None when there is none."""
    if projects.read_settings(directory) is None:
        return None
    return projects.to_mapping(projects.load(directory))


def run(directory: Path, answers: Mapping[str, Any], force: bool = False) -> tuple[Project, Rendering]:
    """Writes sockerless.toml and renders the modules for these answers over what the directory's file says.

    A file that somebody edited is kept, as Rendering tells, unless force is given; sockerless.toml is only written
    when the answers differ from it.
    """
    before = known_answers(directory)
    project = projects.from_mapping(directory, {**(before or {}), **answers})
    if directory.exists() and not directory.is_dir():
        raise InvalidParameter(f"{directory} is not a directory")
    project.directory.mkdir(parents=True, exist_ok=True)
    files = render.render_terraform(project)
    if before != projects.to_mapping(project):
        tables = environments.tables(projects.read_settings(directory) or {})
        files = {**render.render_settings(project, tables), **files}
    return project, render.write(project, files, force)


def run_environment(
    directory: Path, env: str, answers: Mapping[str, Any], force: bool = False
) -> tuple[Project, Rendering]:
    """Adds the table [environments.ENV] with these answers to the directory's sockerless.toml and renders its modules.

    Nothing else in that file is touched. Conflict when the table is there already and says otherwise. The paths in
    Rendering are relative to the directory.
    """
    environments.check_name(env)
    values = projects.read_settings(directory)
    if values is None:
        raise NotFound(
            f"there is no {projects.SETTINGS_FILE} in {directory.absolute()}; run `sockerless-kit init` first"
        )
    tables = environments.tables(values)
    with_it = {**values, environments.KEY: {**tables, env: {**tables.get(env, {}), **answers}}}
    project = projects.from_mapping(directory, environments.select(with_it, env), env)
    if env in tables and project != projects.load(directory, env):
        raise Conflict(f"{project.settings_path} has [{environments.KEY}.{env}] already; change its keys there")
    written = [] if env in tables else [projects.SETTINGS_FILE]
    if written:
        render.append_to_settings(project.settings_path, render.render_table(env, answers))
    project.directory.mkdir(parents=True, exist_ok=True)
    below = project.directory.relative_to(project.home)
    done = render.write(project, render.render_terraform(project), force)
    return project, Rendering(
        (*written, *(str(below / name) for name in done.written)),
        tuple(str(below / name) for name in done.removed),
        tuple((str(below / name), diff) for name, diff in done.kept),
    )
