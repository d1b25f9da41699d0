"""Drift: what terraform tells of a plan that only refreshes, without what no person changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockerless.errors import Unavailable
from sockerless.kit import drift
from sockerless.kit import project as settings
from sockerless.kit.drift import Attribute, Drifted
from tests.conftest import Deployed, free_port

GROUP, TABLE, ROLE = "sg-0a", "rtb-0a", "sockerless-task"


def drifted(kind: str, before: dict[str, Any], after: dict[str, Any] | None, **marks: Any) -> dict[str, Any]:
    """A resource in resource_drift, as `terraform show -json` spells it."""
    change = {"actions": ["delete"] if after is None else ["update"], "before": before, "after": after, **marks}
    return {"address": f"module.m.{kind}.this", "mode": "managed", "type": kind, "change": change}


def found(*resources: dict[str, Any], beside: tuple[dict[str, Any], ...] = ()) -> tuple[Drifted, ...]:
    root = {"root_module": {"child_modules": [{"resources": list(beside)}]}}
    return drift.of_plan({"resource_drift": list(resources), "prior_state": {"values": root}})


def attributes(*resources: dict[str, Any], beside: tuple[dict[str, Any], ...] = ()) -> list[tuple[str, Any, Any]]:
    return [(a.name, a.before, a.after) for one in found(*resources, beside=beside) for a in one.attributes]


def beside(kind: str, **values: Any) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "values": values}


def rule(source: str, port: int, protocol: str = "tcp", **more: Any) -> dict[str, Any]:
    """A rule as a security group shows it."""
    key = "security_groups" if source.startswith("sg-") else "cidr_blocks"
    return {"protocol": protocol, "from_port": port, "to_port": port, key: [source], "self": False, **more}


def test_a_changed_attribute_is_told_with_both_values() -> None:
    resource = drifted(
        "aws_cloudwatch_log_group", {"retention_in_days": 365, "name": "/a"}, {"retention_in_days": 7, "name": "/a"}
    )
    assert found(resource) == (
        Drifted(
            "module.m.aws_cloudwatch_log_group.this",
            "changed",
            (Attribute("retention_in_days", 365, 7),),
        ),
    )
    assert drift.lines(found(resource)) == [
        "changed module.m.aws_cloudwatch_log_group.this",
        "  retention_in_days: 365 -> 7",
    ]


def test_a_deleted_resource_is_told() -> None:
    gone = found(drifted("aws_cloudwatch_dashboard", {"dashboard_name": "x"}, None))
    assert drift.lines(gone) == ["deleted module.m.aws_cloudwatch_dashboard.this"]


def test_tags_are_told_one_by_one_and_once() -> None:
    before = {"tags": {"team": "a", "x": "1"}, "tags_all": {"team": "a", "x": "1"}}
    after = {"tags": {"team": "b"}, "tags_all": {"team": "b"}}
    assert attributes(drifted("aws_vpc", before, after)) == [("tags.team", "a", "b"), ("tags.x", "1", None)]


@pytest.mark.parametrize(
    ("kind", "before", "after"),
    [
        ("aws_cloudwatch_metric_alarm", {"alarm_actions": None}, {"alarm_actions": []}),
        ("aws_iam_role", {"tags": None}, {"tags": {}}),
        ("aws_efs_access_point", {"posix_user": [{"secondary_gids": None}]}, {"posix_user": [{"secondary_gids": []}]}),
        ("aws_efs_file_system", {"number_of_mount_targets": 0}, {"number_of_mount_targets": 2}),
        ("aws_efs_file_system", {"size_in_bytes": [{"value": 1}]}, {"size_in_bytes": [{"value": 2}]}),
        (
            "aws_eip",
            {"association_id": "", "private_ip": None},
            {"association_id": "eipassoc-1", "private_ip": "10.0.0.1"},
        ),
        ("aws_s3_bucket", {"policy": ""}, {"policy": "{}"}),
        (
            "aws_cloudwatch_metric_alarm",
            {"metric_query": [{"id": "used", "period": None, "return_data": False}]},
            {"metric_query": [{"id": "used", "period": 0, "return_data": False}]},
        ),
    ],
)
def test_what_nobody_changed_is_no_drift(kind: str, before: dict[str, Any], after: dict[str, Any]) -> None:
    assert found(drifted(kind, before, after)) == ()


RULES = (
    beside(
        "aws_vpc_security_group_ingress_rule",
        security_group_id=GROUP,
        ip_protocol="tcp",
        from_port=9111,
        to_port=9111,
        cidr_ipv4="10.0.0.0/16",
    ),
    beside(
        "aws_vpc_security_group_ingress_rule",
        security_group_id=GROUP,
        ip_protocol="-1",
        from_port=None,
        to_port=None,
        referenced_security_group_id=GROUP,
    ),
    beside(
        "aws_vpc_security_group_ingress_rule",
        security_group_id="sg-another",
        ip_protocol="tcp",
        from_port=22,
        to_port=22,
        cidr_ipv4="0.0.0.0/0",
    ),
)
MANAGED = [rule("10.0.0.0/16", 9111), {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": [], "self": True}]


def group(ingress: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": GROUP, "ingress": ingress}


def test_rules_that_terraform_manages_beside_the_group_are_no_drift() -> None:
    assert found(drifted("aws_security_group", group([]), group(MANAGED)), beside=RULES) == ()


def test_a_rule_that_nothing_manages_is_told_in_words() -> None:
    opened = [*MANAGED, rule("0.0.0.0/0", 22), rule("sg-0b", 80, to_port=90), rule("192.0.2.0/24", 0, "-1")]
    assert attributes(drifted("aws_security_group", group([]), group(opened)), beside=RULES) == [
        ("ingress", None, "tcp 22 with 0.0.0.0/0"),
        ("ingress", None, "tcp 80-90 with sg-0b"),
        ("ingress", None, "all traffic with 192.0.2.0/24"),
    ]


def test_a_rule_that_terraform_took_over_before_is_told_no_more() -> None:
    before, after = group([rule("0.0.0.0/0", 22)]), group([*MANAGED, rule("0.0.0.0/0", 22)])
    assert found(drifted("aws_security_group", before, after), beside=RULES) == ()


def test_a_route_that_nothing_manages_is_told() -> None:
    managed = beside("aws_route", route_table_id=TABLE, destination_cidr_block="0.0.0.0/0")
    routes = [{"cidr_block": "0.0.0.0/0", "gateway_id": "igw-1"}, {"cidr_block": "10.9.0.0/16", "gateway_id": "vgw-1"}]
    table = drifted("aws_route_table", {"id": TABLE, "route": []}, {"id": TABLE, "route": routes})
    assert attributes(table, beside=(managed,)) == [("route", None, "route to 10.9.0.0/16")]


def test_a_route_table_of_an_endpoint_that_nothing_manages_is_told() -> None:
    managed = beside("aws_vpc_endpoint_route_table_association", vpc_endpoint_id="vpce-1", route_table_id=TABLE)
    before, after = ({"id": "vpce-1", "route_table_ids": tables} for tables in ([], [TABLE, "rtb-another"]))
    endpoint = drifted("aws_vpc_endpoint", before, after)
    assert attributes(endpoint, beside=(managed,)) == [("route_table_ids", None, "route table rtb-another")]


def test_a_policy_that_nothing_manages_is_told() -> None:
    managed = (
        beside("aws_iam_role_policy", role=ROLE, name="efs"),
        beside("aws_iam_role_policy_attachment", role=ROLE, policy_arn="arn:aws:iam::aws:policy/Known"),
    )
    admin = "arn:aws:iam::aws:policy/AdministratorAccess"
    after = {
        "name": ROLE,
        "inline_policy": [{"name": "efs", "policy": "{}"}, {"name": "backdoor", "policy": "{}"}],
        "managed_policy_arns": ["arn:aws:iam::aws:policy/Known", admin],
    }
    before = {"name": ROLE, "inline_policy": [], "managed_policy_arns": []}
    assert attributes(drifted("aws_iam_role", before, after), beside=managed) == [
        ("inline_policy", None, "policy backdoor"),
        ("managed_policy_arns", None, admin),
    ]


def test_a_sensitive_value_is_not_shown() -> None:
    values: tuple[dict[str, Any], ...] = (
        {"plain": 1, "secret": "hush", "list": [{"a": 1}]},
        {"plain": 2, "secret": "psst", "list": [{"a": 2}]},
    )
    marks = {"before_sensitive": {"secret": True, "list": [{}]}, "after_sensitive": {"secret": True, "list": [{}]}}
    told = "\n".join(drift.lines(found(drifted("aws_thing", *values, **marks))))
    assert "secret: (not shown" in told
    assert "hush" not in told
    assert "psst" not in told
    assert '  list: [{"a": 1}] -> [{"a": 2}]' in told


def test_a_long_value_is_cut_for_people() -> None:
    before, after = {"policy": json.dumps({"Statement": "x" * 500})}, {"policy": "{}"}
    line = drift.lines(found(drifted("aws_kms_key", before, after)))[1]
    assert len(line) < 130
    assert line.endswith("… -> {}")


def test_no_drift_says_so() -> None:
    assert drift.lines(found()) == ["no drift: what is there is what terraform made"]


def test_a_simulated_aws_that_is_not_up_is_not_started(tmp_path: Path) -> None:
    values = {"target": "simulator", "endpoint_url": f"http://127.0.0.1:{free_port()}"}
    with pytest.raises(Unavailable, match="no simulated AWS answers"):
        drift.find(settings.from_mapping(tmp_path, values))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.engine
@pytest.mark.terraform
def test_a_deployment_tells_what_was_changed_by_hand_and_nothing_else(deployment: Deployed) -> None:
    before = deployment.kit("drift")
    assert (before.returncode, before.stdout.decode()) == (0, "no drift: what is there is what terraform made\n")
    outputs = json.loads(deployment.kit("outputs", "--json").stdout)
    group, log_group = outputs["security_group_ids"][0], outputs["log_group_name"]
    ec2, logs = deployment.client("ec2"), deployment.client("logs")
    sqs, queue = deployment.client("sqs"), outputs["events_queue_url"]
    policy = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["Policy"])["Attributes"]["Policy"]
    opened = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[opened])
    logs.put_retention_policy(logGroupName=log_group, retentionInDays=7)
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy.replace("Deny", "Allow")})
    try:
        after = deployment.kit("drift", "--json")
    finally:
        sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=[opened])
        logs.put_retention_policy(logGroupName=log_group, retentionInDays=365)
    assert after.returncode == drift.EXIT_CODE
    told = {one["address"].rpartition(".module.")[2]: one["attributes"] for one in json.loads(after.stdout)["drift"]}
    assert {"name": "ingress", "before": None, "after": "tcp 22 with 0.0.0.0/0"} in [
        attribute for several in told.values() for attribute in several
    ]
    assert {"name": "retention_in_days", "before": 365, "after": 7} in [
        attribute for several in told.values() for attribute in several
    ]
    assert "policy" in [one["name"] for one in told['module.events.aws_sqs_queue.this["task-events"]']]
    assert len(told) == 3
    assert not (deployment.directory / ".sockerless" / "drift.tfplan").exists()
