"""Every deployment of one sockerless.toml, a line each: the keys at its top alone, and each named environment.

Owns: what is told of each. Asks neither terraform nor AWS: status does, for one of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sockerless.errors import InvalidParameter, NotFound
from sockerless.kit import daemon_env, environments, project, serving
from sockerless.kit.project import SETTINGS_FILE

_COLUMNS = ("environment", "name", "target", "region", "state", "applied", "daemon")


@dataclass(frozen=True, slots=True)
class Line:
    """One deployment. env: "" for the keys at the top. applied: an apply was completed here and not destroyed since.

    daemon: the process that serves it on this machine. problem: why its settings are not valid; then the rest is empty.
    """

    env: str
    directory: Path
    name: str = ""
    target: str = ""
    region: str = ""
    state: str = ""
    applied: bool = False
    daemon: int | None = None
    problem: str = ""


def gather(directory: Path) -> list[Line]:
    """All of them, in the file's order; NotFound when there is no sockerless.toml."""
    values = project.read_settings(directory)
    if values is None:
        raise NotFound(f"there is no {SETTINGS_FILE} in {directory.absolute()}; run `sockerless-kit init` first")
    return [_line(directory, env) for env in ("", *environments.tables(values))]


def table(lines: list[Line]) -> list[str]:
    """The lines for people, the header first."""
    rows = [_COLUMNS, *(_cells(line) for line in lines)]
    full = [row for row in rows if len(row) == len(_COLUMNS)]
    widths = [max(len(row[column]) for row in full) for column in range(len(_COLUMNS))]
    widths[0] = max(len(row[0]) for row in rows)
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False)).rstrip() for row in rows]


def _line(directory: Path, env: str) -> Line:
    try:
        here = project.load(directory, env)
    except InvalidParameter as error:
        return Line(env, environments.directory_of(directory, env), problem=error.message)
    served = serving.process(here.directory)
    return Line(
        env,
        here.directory,
        here.name,
        here.target,
        here.region,
        here.state,
        daemon_env.path_of(here).exists(),
        served.pid if served else None,
    )


def _cells(line: Line) -> tuple[str, ...]:
    env = line.env or "(none)"
    if line.problem:
        return env, f"not valid: {line.problem}"
    applied, daemon = "yes" if line.applied else "no", f"process {line.daemon}" if line.daemon else "down"
    return env, line.name, line.target, line.region, line.state, applied, daemon
