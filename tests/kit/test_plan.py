"""The plan as data and as a table."""

from __future__ import annotations

from pathlib import Path

from sockerless.kit import plan
from sockerless.kit.events import PlannedChange
from sockerless.kit.plan import Plan


def planned(*changes: PlannedChange) -> Plan:
    return Plan(Path("plan.tfplan"), changes)


MIXED = planned(
    PlannedChange("module.vpc.aws_vpc.this", "vpc", "create"),
    PlannedChange("module.vpc.aws_subnet.a", "vpc", "replace", "replace_because_cannot_update"),
    PlannedChange("module.iam.aws_iam_role.task", "iam", "update"),
    PlannedChange("aws_eip.old", "", "delete"),
)


def test_counts_are_by_module() -> None:
    counts = plan.by_module(MIXED.changes)
    assert counts == {
        "iam": {"change": 1},
        "root": {"destroy": 1},
        "vpc": {"add": 2, "destroy": 1},
    }


def test_a_replacement_is_two_steps() -> None:
    assert MIXED.steps == 5


def test_the_table_has_a_row_a_module_and_a_total() -> None:
    rows = [line.split() for line in plan.table(MIXED).splitlines()]
    assert rows[:5] == [
        ["module", "add", "change", "destroy"],
        ["iam", "0", "1", "0"],
        ["root", "0", "0", "1"],
        ["vpc", "2", "0", "1"],
        ["total", "2", "1", "2"],
    ]


def test_what_stands_and_is_touched_is_named() -> None:
    lines = plan.table(MIXED).splitlines()[5:]
    assert lines == [
        "  replace module.vpc.aws_subnet.a (replace because cannot update)",
        "  change module.iam.aws_iam_role.task",
        "  destroy aws_eip.old",
    ]


def test_a_plan_without_changes_says_so() -> None:
    assert plan.table(planned()).startswith("Nothing to change")
