"""From one version of the kit to another: what its templates change in a deployment's files, shown before it is done.

Owns: when files count as another version's, and the refusal to render over them unseen. Knows no terraform.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sockerless.errors import Conflict
from sockerless.kit import render, rendered
from sockerless.kit.project import Project
from sockerless.kit.render import Change, Rendering

_DONE = {"new": "new", "changed": "change", "obsolete": "remove", "edited": "overwrite your edit"}


@dataclass(frozen=True, slots=True)
class Upgrade:
    """From which version ("" when it was not recorded) to which, and the files that differ."""

    before: str
    after: str
    changes: tuple[Change, ...]


def preview(project: Project) -> Upgrade:
    """What this version would make of the deployment's files; changes nothing."""
    changes = render.compare(project, render.render_terraform(project))
    return Upgrade(rendered.read(project.state_directory).kit_version, rendered.KIT_VERSION, tuple(changes))


def perform(project: Project, force: bool = False) -> Rendering:
    """Renders this version's files; edited ones are kept unless force is given."""
    return render.write(project, render.render_terraform(project), force)


def require_current(project: Project) -> None:
    """Conflict when another version rendered the files and this one would change them: that is to be seen first."""
    manifest = rendered.read(project.state_directory)
    if manifest.kit_version in {"", rendered.KIT_VERSION} or not preview(project).changes:
        return
    raise Conflict(
        f"the files in {project.directory} were rendered by sockerless-kit {manifest.kit_version}, and this is "
        f"{rendered.KIT_VERSION}; `{project.command('upgrade')}` shows what changes and renders them"
    )


def told(found: Upgrade, force: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What the upgrade would do, one thing at a time: its kind and facts for machines, its text for people."""
    versions = {"before": found.before, "after": found.after}
    yield "upgrade", f"from {found.before or 'a version that is not recorded'} to {found.after}", versions
    for change in found.changes:
        done = "keep your edit" if change.kind == "edited" and not force else _DONE[change.kind]
        facts = {"file": change.name, "change": change.kind, "diff": change.diff}
        yield "change", f"{done}: {change.name}\n{change.diff.removesuffix(chr(10))}", facts
    if not found.changes:
        yield "nothing", "nothing to write: every file is what this version renders", {}
