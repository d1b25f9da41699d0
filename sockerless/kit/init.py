"""From answers to a directory that terraform can work in: sockerless.toml and the rendered modules.

Owns: how answers, an existing sockerless.toml and the defaults come together. Asks nobody (cli.py does).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sockerless.errors import InvalidParameter
from sockerless.kit import project as projects
from sockerless.kit import render
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
        files = {**render.render_settings(project), **files}
    return project, render.write(project, files, force)
