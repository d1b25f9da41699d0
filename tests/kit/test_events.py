"""Terraform's machine-readable lines, as terraform 1.11.4 wrote them."""

from __future__ import annotations

import pytest

from sockerless.kit import events
from sockerless.kit.events import (
    Diagnostic,
    Event,
    Finished,
    Interrupting,
    PlannedChange,
    PlannedOutputs,
    Started,
    Waiting,
)

HEAD = '{"@level":"info","@message":"x","@module":"terraform.ui","@timestamp":"2026-01-02T03:04:05.500000Z",'
RESOURCE = (
    '"resource":{"addr":"module.vpc.aws_subnet.public[\\"us-east-1a\\"]","module":"module.vpc",'
    '"resource":"aws_subnet.public[\\"us-east-1a\\"]","implied_provider":"aws","resource_type":"aws_subnet",'
    '"resource_name":"public","resource_key":"us-east-1a"}'
)
ADDRESS = 'module.vpc.aws_subnet.public["us-east-1a"]'
AT_S = 1767323045.5


@pytest.mark.parametrize(
    ("line", "event"),
    [
        (
            HEAD + '"change":{' + RESOURCE + ',"action":"create"},"type":"planned_change"}',
            PlannedChange(ADDRESS, "vpc", "create"),
        ),
        (
            HEAD + '"change":{"resource":{"addr":"aws_vpc.this","module":""},"action":"replace",'
            '"reason":"cannot_update"},"type":"planned_change"}',
            PlannedChange("aws_vpc.this", "", "replace", "cannot_update"),
        ),
        (
            HEAD + '"hook":{' + RESOURCE + ',"action":"create"},"type":"apply_start"}',
            Started(ADDRESS, "create", AT_S),
        ),
        (
            HEAD + '"hook":{' + RESOURCE + ',"action":"delete","elapsed_seconds":20},"type":"apply_progress"}',
            Waiting(ADDRESS, "delete", 20.0),
        ),
        (
            HEAD + '"hook":{' + RESOURCE + ',"action":"create","id_key":"id","id_value":"subnet-1",'
            '"elapsed_seconds":0},"type":"apply_complete"}',
            Finished(ADDRESS, "create", AT_S),
        ),
        (
            '{"@level":"error","@message":"Error: no","diagnostic":{"severity":"error","summary":"no","detail":"why",'
            '"address":"aws_vpc.this","range":{"filename":"main.tf","start":{"line":3,"column":1,"byte":9},'
            '"end":{"line":3,"column":2,"byte":10}}},"type":"diagnostic"}',
            Diagnostic("error", "no", "why", "aws_vpc.this", "main.tf:3"),
        ),
        (
            '{"@level":"info","@message":"\\nInterrupt received.\\nPlease wait for Terraform to exit","type":"log"}',
            Interrupting(),
        ),
        ('{"@level":"info","@message":"Terraform 1.11.4","type":"version","ui":"1.2"}', None),
        ('{"@level":"info","@message":"something else","type":"log"}', None),
        (
            HEAD + '"outputs":{"a":{"sensitive":false,"action":"noop"},"b":{"sensitive":false,"action":"create"}},'
            '"type":"outputs"}',
            PlannedOutputs(("b",)),
        ),
        (
            HEAD + '"outputs":{"a":{"sensitive":false,"type":"string","value":"x"}},"type":"outputs"}',
            PlannedOutputs(()),
        ),
        ("== terraform apply", None),
        ("{ not json", None),
        ('{"type":null}', None),
        ("", None),
    ],
)
def test_a_line_tells_what_happened(line: str, event: Event | None) -> None:
    assert events.parse(line) == event
