"""What terraform intends, as data: made once, shown as a table, applied as it is.

Owns: the steps from settings to a plan, and the table. Knows no question and no progress.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sockerless.errors import InvalidParameter
from sockerless.kit import backend, processes, provider, render, terraform, upgrade
from sockerless.kit.events import Event, PlannedChange, PlannedOutputs
from sockerless.kit.project import Project
from sockerless.kit.render import Rendering

COLUMNS = ("add", "change", "destroy")
_COUNTED_AS: dict[str, tuple[str, ...]] = {
    "create": ("add",),
    "update": ("change",),
    "delete": ("destroy",),
    "replace": ("add", "destroy"),
}
_VPC = "module.vpc.aws_vpc.this"
_SHOWN = {"update": "change", "delete": "destroy", "replace": "replace"}


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan that terraform wrote to path, the changes in it, and the names of the outputs it changes.

    document: all of it, as `terraform show -json` tells; it holds values that are nobody's business.
    """

    path: Path
    changes: tuple[PlannedChange, ...]
    outputs: tuple[str, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict, repr=False)

    @property
    def steps(self) -> int:
        """How many times apply will finish work on a resource; a replacement counts twice."""
        return sum(len(_COUNTED_AS[change.action]) for change in self.changes)


def prepare(project: Project) -> tuple[Rendering, bool]:
    """Brings the terraform files in step with sockerless.toml and, in simulator mode, the simulator up.

    Returns what rendering did and whether a simulator was started. Conflict when another version of the kit rendered
    them otherwise.
    """
    if any(character in str(project.directory) for character in "\n\r"):
        raise InvalidParameter("the directory's name holds a line break; choose another directory")
    upgrade.require_current(project)
    rendering = render.write(project, render.render_terraform(project))
    return rendering, project.simulator and processes.ensure_simulator(project)


def make(project: Project, plugin_dir: Path | None = None, destroy: bool = False) -> Plan:
    """terraform init, validate and plan (to destroy everything, with destroy). prepare() comes first.

    What backend.check() refuses when the state is not where it is to be.
    """
    terraform.version()
    terraform.start_log(project)
    source = provider.find(project.directory, plugin_dir)
    terraform.init(project, source.plugin_dir, backend.check(project))
    terraform.validate(project)
    heard: list[Event] = []
    path = terraform.plan(project, heard.append, destroy)
    return Plan(
        path,
        tuple(one for one in heard if isinstance(one, PlannedChange) and one.action in _COUNTED_AS),
        tuple(name for one in heard if isinstance(one, PlannedOutputs) for name in one.names),
        terraform.show(project, path),
    )


def makes_network(plan: Plan) -> bool:
    """Whether it makes the deployment's VPC, for the first time or anew with another range."""
    return any(change.address.startswith(_VPC) and change.action in {"create", "replace"} for change in plan.changes)


def by_module(changes: Iterable[PlannedChange]) -> dict[str, Counter[str]]:
    """How much is added, changed and destroyed, by module; "root" for what stands in none."""
    counts: dict[str, Counter[str]] = {}
    for change in changes:
        counts.setdefault(change.module or "root", Counter()).update(_COUNTED_AS[change.action])
    return dict(sorted(counts.items()))


def table(plan: Plan) -> str:
    """The plan for people: a row a module, and by name whatever is changed, replaced or destroyed in a standing one."""
    if not plan.changes:
        return "Nothing to change: what stands is what sockerless.toml asks for."
    counts = by_module(plan.changes)
    total = sum(counts.values(), Counter[str]())
    rows = [(name, *(str(count[column]) for column in COLUMNS)) for name, count in counts.items()]
    rows.append(("total", *(str(total[column]) for column in COLUMNS)))
    lines = [_row(("module", *COLUMNS)), *(_row(row) for row in rows)]
    if total["add"] or total["change"]:
        lines += [_named(change) for change in plan.changes if change.action in _SHOWN]
    return "\n".join(lines)


def _row(cells: tuple[str, ...]) -> str:
    return f"{cells[0]:<12}" + "".join(f"{cell:>9}" for cell in cells[1:])


def _named(change: PlannedChange) -> str:
    reason = f" ({change.reason.replace('_', ' ')})" if change.reason else ""
    return f"  {_SHOWN[change.action]} {change.address}{reason}"
