"""The simulator's table of resources and condition keys, held to a copy of AWS's Service Authorization Reference.

The copy is the one that parliament (PyPI: ol-parliament) ships and keeps up to date.
"""

from __future__ import annotations

import re
from typing import Any

import parliament
import pytest
from botocore.loaders import Loader

from sockerless.simulator.iam_table import TABLE
from sockerless.simulator.iam_targets import ARNS, Call, Row, action_of

SERVICES = {service["prefix"]: service for service in parliament.iam_definition}
ROWS = sorted(TABLE.items())
PERMISSION_ONLY = {"ecr.BatchImportUpstreamImage"}
"""What is authorised and is no operation: a pull that fills the cache asks for it."""


def action(operation: str, row: Row) -> str:
    service, _, name = operation.partition(".")
    return action_of(Call(service, name, {}, "123456789012", "eu-central-1"), row)


def privilege(full_name: str) -> dict[str, Any]:
    """The reference's entry of an action."""
    prefix, _, name = full_name.partition(":")
    found = [one for one in SERVICES[prefix]["privileges"] if one["privilege"] == name]
    assert found, f"the reference knows no action {full_name}"
    entry: dict[str, Any] = found[0]
    return entry


def kinds(full_name: str) -> set[str]:
    """The resource types an action takes, as ours are named."""
    prefix = full_name.partition(":")[0]
    types = {one["resource_type"].rstrip("*") for one in privilege(full_name)["resource_types"]}
    return {f"{prefix}:{one}" for one in types if one}


@pytest.mark.parametrize(("operation", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_names_resources_that_the_action_takes(operation: str, row: Row) -> None:
    name = action(operation, row)
    anything = {target.kind for target in row.targets if target.kind}
    assert anything <= kinds(name)
    required = {
        f"{name.partition(':')[0]}:{one['resource_type'].rstrip('*')}"
        for one in privilege(name)["resource_types"]
        if one["resource_type"].endswith("*")
    }
    unasked = {"ecs.ListTasks": {"ecs:container-instance"}}  # ours names none: AWS then asks for "*"
    assert required - unasked.get(operation, set()) <= anything or any(not one.kind for one in row.targets)


@pytest.mark.parametrize(("operation", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_is_of_an_operation_that_there_is(operation: str, row: Row) -> None:
    service, _, name = operation.partition(".")
    model = Loader().load_service_model(service, "service-2")
    assert name in model["operations"] or operation in PERMISSION_ONLY


@pytest.mark.parametrize(("operation", "row"), ROWS, ids=[name for name, _ in ROWS])
def test_a_row_sets_condition_keys_that_the_action_has(operation: str, row: Row) -> None:
    entry = privilege(action(operation, row))
    known = {key for one in entry["resource_types"] for key in one["condition_keys"]}
    assert set(row.keys) <= known


def test_tagging_what_is_made_is_an_action_on_what_is_made() -> None:
    for operation, row in ROWS:
        if not row.tag:
            continue
        made = [row.tagged] if row.tagged else [one for one in row.targets if one.ids == "" or "ec2" not in operation]
        assert {target.kind for target in made} <= kinds(row.tag), operation


@pytest.mark.parametrize(("kind", "pattern"), sorted(ARNS.items()))
def test_a_resource_has_the_arn_of_the_reference(kind: str, pattern: str) -> None:
    prefix, _, name = kind.partition(":")
    given = next(one["arn"] for one in SERVICES[prefix]["resources"] if one["resource"] == name)
    fixed = given.replace("${Partition}", "aws").replace("${Region}", "eu-central-1").replace("${Account}", "1")
    ours = pattern.format(partition="aws", region="eu-central-1", account="1", id="ID")
    assert re.fullmatch(re.escape(ours).replace("ID", ".+"), re.sub(r"\$\{[^}]+\}", "x", fixed))
