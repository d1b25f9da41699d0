"""Renders the templates into a deployment's directory, never over a file that somebody edited.

Owns: quoting for HCL, TOML and shells, and what is done with each file. What was rendered last is in rendered.py. Knows
no terraform. Law: a file whose content is not what was last rendered belongs to its editor.
Source: HCL native syntax specification (string literals), TOML 1.0 (basic strings).
"""

from __future__ import annotations

import difflib
import itertools
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import jinja2

from sockerless.errors import SystemFailure
from sockerless.kit import rendered
from sockerless.kit.background import STATE_FOLDER
from sockerless.kit.checks import RETENTION_DAYS
from sockerless.kit.project import SETTINGS_FILE, Project
from sockerless.kit.rendered import KIT_VERSION, Manifest, digest
from sockerless.kit.settings import FIELDS

_SUFFIX = ".j2"


@dataclass(frozen=True, slots=True)
class Rendering:
    """What rendering did, in paths relative to the directory; kept: path and unified diff of each edited file."""

    written: tuple[str, ...]
    removed: tuple[str, ...]
    kept: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A file that is not as it would be rendered, by its path relative to the directory.

    kind: new, changed since an earlier rendering, edited by somebody, or obsolete (rendered once, not any more).
    text: what it would become, "" for an obsolete one. diff: the unified diff from what is there to that.
    """

    name: str
    kind: Literal["new", "changed", "edited", "obsolete"]
    text: str
    diff: str


def templates_directory() -> Path:
    """Where the templates are: beside the package in an installed kit, at the top of a checkout otherwise."""
    return _beside_or_above("templates")


def render_settings(project: Project, tables: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """sockerless.toml's text for these settings and the named environments' own keys: {path: text}."""
    groups = [(group, list(fields)) for group, fields in itertools.groupby(FIELDS, lambda field: field.group)]
    return {SETTINGS_FILE: _render(f"{SETTINGS_FILE}{_SUFFIX}", project=project, groups=groups, tables=tables)}


def render_table(env: str, keys: Mapping[str, Any]) -> str:
    """The text that adds the environment env, with these keys of its own, to the end of a sockerless.toml."""
    return _render("environment.toml.j2", env=env, keys=keys)


def render_terraform(project: Project) -> dict[str, str]:
    """The root module and its modules for these settings: {path relative to the deployment's directory: text}."""
    top = templates_directory()
    files: dict[str, str] = {}
    variables = [field.name for field in FIELDS if field.variable and field.name != "tags"]
    for source in sorted([*(top / "root").rglob(f"*{_SUFFIX}"), *(top / "modules").rglob(f"*{_SUFFIX}")]):
        name = source.relative_to(top).as_posix()
        target = name.removeprefix("root/").removesuffix(_SUFFIX)
        files[target] = _render(name, project=project, variables=variables, retention_days=RETENTION_DAYS)
    return files


def render_environment(variables: Iterable[tuple[str, str]]) -> str:
    """daemon.env's text: one NAME=value a line, the value as it stands."""
    return _render(f"daemon.env{_SUFFIX}", variables=list(variables))


def compare(project: Project, files: Mapping[str, str]) -> list[Change]:
    """What differs between the directory's files and these texts; a file that somebody edited and removed is new."""
    digests = rendered.read(project.state_directory).digests
    found = [_change(name, _read(project.directory / name), text, digests.get(name)) for name, text in files.items()]
    for name in sorted(digests.keys() - files.keys() - {SETTINGS_FILE}):
        present = _read(project.directory / name)
        if present is not None and digest(present) == digests[name]:
            found.append(Change(name, "obsolete", "", _diff(name, present, "")))
    return [change for change in found if change is not None]


def write(project: Project, files: Mapping[str, str], force: bool = False) -> Rendering:
    """Brings the directory's files to these texts; an edited file is kept, or overwritten with force.

    A file rendered earlier that is not among them any more is removed, unless it was edited; sockerless.toml stays.
    """
    changes = compare(project, files)
    kept = {change.name: change.diff for change in changes if change.kind == "edited" and not force}
    removed = [change.name for change in changes if change.kind == "obsolete"]
    written = [change for change in changes if change.name not in {*kept, *removed}]
    for change in written:
        _place(project.directory / change.name, change.text)
    for name in removed:
        (project.directory / name).unlink()
    before = rendered.read(project.state_directory).digests
    digests = {name: digest(text) for name, text in files.items() if name not in kept}
    earlier = {name: before[name] for name in (*kept, SETTINGS_FILE) if name in before}
    rendered.write(project.state_directory, Manifest(KIT_VERSION, {**earlier, **digests}))
    return Rendering(tuple(change.name for change in written), tuple(removed), tuple(kept.items()))


def append_to_settings(path: Path, text: str) -> None:
    """Adds text to the end of the sockerless.toml at path, which stays edited or unedited as it was."""
    before = _read(path) or ""
    after = before + ("" if before.endswith("\n") or not before else "\n") + text
    manifest = rendered.read(path.parent / STATE_FOLDER)
    _place(path, after)
    if manifest.digests.get(path.name) == digest(before):
        digests = {**manifest.digests, path.name: digest(after)}
        rendered.write(path.parent / STATE_FOLDER, replace(manifest, digests=digests))


def hcl(value: Any) -> str:
    """value as an HCL literal: text quoted so that nothing in it is a template, numbers, booleans, lists."""
    if isinstance(value, str):
        return '"' + _escaped(value).replace("${", "$${").replace("%{", "%%{") + '"'
    return _literal(value, hcl)


def toml(value: Any) -> str:
    """value as a TOML value: a basic string, a number, a boolean, an array or an inline table."""
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{toml(key)} = {toml(one)}" for key, one in value.items()) + " }"
    return f'"{_escaped(value)}"' if isinstance(value, str) else _literal(value, toml)


def private_directory(path: Path) -> Path:
    """Makes the directory, mode 0700, when it is missing; the path."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def replace_file(path: Path, text: str, mode: int) -> None:
    """Replaces the file in one step by one of this mode; readers see the old text or the new one."""
    fresh = path.with_name(f".{path.name}.new")
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        os.fchmod(file.fileno(), mode)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def _render(name: str, **values: Any) -> str:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(templates_directory()),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - the texts are HCL and TOML; every value goes through a filter below
    )
    environment.filters.update(hcl=hcl, toml=toml)
    return environment.get_template(name).render(**values)


def _beside_or_above(name: str) -> Path:
    package = Path(__file__).resolve().parent
    for candidate in (package / name, package.parents[1] / name):
        if candidate.is_dir():
            return candidate
    raise SystemFailure(f"the kit's {name} are missing from {package}; install sockerless-kit again")


def _escaped(text: str) -> str:
    """Escapes what neither HCL nor TOML takes in a quoted string: the quote, the backslash, control characters."""
    named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "".join(named.get(c) or (f"\\u{ord(c):04x}" if ord(c) < 32 or 127 <= ord(c) < 160 else c) for c in text)


def _literal(value: Any, quote: Callable[[Any], str]) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return "[" + ", ".join(quote(one) for one in value) + "]"


def _change(name: str, present: str | None, text: str, recorded: str | None) -> Change | None:
    if present == text:
        return None
    if present is None:
        return Change(name, "new", text, _diff(name, "", text))
    return Change(name, "changed" if recorded == digest(present) else "edited", text, _diff(name, present, text))


def _diff(name: str, present: str, text: str) -> str:
    lines = difflib.unified_diff(
        present.splitlines(keepends=True), text.splitlines(keepends=True), f"{name} (yours)", f"{name} (rendered)"
    )
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


def _place(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    replace_file(path, text, 0o644)


def _read(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="surrogateescape")
    except FileNotFoundError:
        return None
