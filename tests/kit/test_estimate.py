"""What stands costs, what a plan changes about it. The sums are those of AWS's own calculator for us-east-1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import estimate, prices
from sockerless.kit import project as settings
from sockerless.kit.project import Project
from tests.conftest import Deployed


def here(**values: Any) -> Project:
    return settings.from_mapping(Path("/nowhere"), values)


def resource(kind: str, mode: str = "managed", **values: Any) -> dict[str, Any]:
    return {"type": kind, "mode": mode, "values": values}


def values(*resources: dict[str, Any], module: str = "module.vpc") -> dict[str, Any]:
    """Terraform's representation of values with these resources in a module."""
    return {"root_module": {"child_modules": [{"address": module, "resources": list(resources)}]}}


def cost(*resources: dict[str, Any], **chosen: Any) -> estimate.Estimate:
    return estimate.of_resources(here(**chosen), estimate.from_values(values(*resources)))


@pytest.mark.parametrize(
    ("standing", "usd_per_month"),
    [
        (resource("aws_nat_gateway"), 32.85),
        (resource("aws_eip"), 3.65),
        (resource("aws_vpc_endpoint", vpc_endpoint_type="Interface", subnet_ids=["a"]), 7.30),
        (resource("aws_vpc_endpoint", vpc_endpoint_type="Interface", subnet_ids=["a", "b", "c"]), 21.90),
        (resource("aws_vpc_endpoint", vpc_endpoint_type="Interface"), 14.60),  # subnets not made yet: the two zones
        (resource("aws_vpc_endpoint", vpc_endpoint_type="Gateway", subnet_ids=[]), 0),
        (resource("aws_kms_key"), 1.00),
        (resource("aws_cloudwatch_dashboard"), 3.00),
        (resource("aws_cloudwatch_metric_alarm", metric_query=[]), 0.10),
        (
            resource("aws_cloudwatch_metric_alarm", metric_query=[{"metric": [{}]}, {"metric": [{}]}, {"metric": []}]),
            0.20,
        ),
        (resource("aws_vpc"), 0),
        (resource("aws_nat_gateway", mode="data"), 0),
    ],
)
def test_what_stands_costs_what_aws_lists(standing: dict[str, Any], usd_per_month: float) -> None:
    assert cost(standing).usd_per_month == usd_per_month


@pytest.mark.parametrize(
    ("size", "usd_per_month"),
    [
        ({"cpu_units": 256, "memory_mib": 512}, 9.01),
        ({"cpu_units": 2048, "memory_mib": 4096}, 72.08),
        ({"cpu_units": 1024, "memory_mib": 2048, "arm": True}, 28.84),
        ({"cpu_units": 256, "memory_mib": 512, "public_address": True}, 12.66),
        ({"cpu_units": 256, "memory_mib": 512, "ephemeral_gib": 120}, 17.11),
        ({"cpu_units": 256, "memory_mib": 512, "ephemeral_gib": 20}, 9.01),
    ],
)
def test_a_task_costs_what_aws_lists(size: dict[str, Any], usd_per_month: float) -> None:
    assert round(prices.task_usd_per_hour(**size) * prices.HOURS_PER_MONTH, 2) == usd_per_month


def test_spot_costs_about_a_third_and_saves_nothing_on_storage_and_address() -> None:
    dear = prices.task_usd_per_hour(1024, 2048, public_address=True, ephemeral_gib=30)
    compute = prices.task_usd_per_hour(1024, 2048)
    spot = prices.task_usd_per_hour(1024, 2048, public_address=True, ephemeral_gib=30, spot=True)
    assert dear - spot == pytest.approx(compute * (1 - prices.SPOT_SHARE))


def test_equal_things_are_one_line_and_the_dearest_is_first() -> None:
    found = cost(resource("aws_eip"), resource("aws_nat_gateway"), resource("aws_eip"))
    assert [(line.name, line.count, line.usd_per_month) for line in found.standing] == [
        ("NAT gateway", 1, 32.85),
        ("public IPv4 address", 2, 7.30),
    ]


NAT, ADDRESS = resource("aws_nat_gateway"), resource("aws_eip")


@pytest.mark.parametrize(
    ("before", "after", "change", "words"),
    [
        ((), (NAT, ADDRESS), 36.50, "this plan makes it $36.50 a month dearer"),
        ((NAT, ADDRESS), (NAT, NAT, ADDRESS, ADDRESS), 36.50, "this plan makes it $36.50 a month dearer"),
        ((NAT, ADDRESS), (ADDRESS,), -32.85, "this plan makes it $32.85 a month cheaper"),
        ((NAT,), (), -32.85, "this plan makes it $32.85 a month cheaper"),
        ((NAT,), (NAT,), 0, "this plan does not change what stands costs"),
    ],
)
def test_a_plan_tells_the_difference_it_makes(before: Any, after: Any, change: float, words: str) -> None:
    document = {"planned_values": values(*after)}
    if before:
        document["prior_state"] = {"values": values(*before)}
    found = estimate.of_plan(here(), document)
    assert found.change_usd_per_month == change
    assert estimate.change_line(found) == words


def test_what_is_paid_by_use_is_named_with_its_price() -> None:
    found = cost(
        resource("aws_efs_file_system"),
        resource("aws_cloudwatch_log_group"),
        resource("aws_cloudwatch_log_group"),
        resource("aws_ecs_cluster"),
        resource("aws_vpc_endpoint", vpc_endpoint_type="Gateway"),
        resource("aws_efs_backup_policy", backup_policy=[{"status": "DISABLED"}]),
    )
    assert [(one.name, one.usd, one.per) for one in found.by_use] == [
        ("logs taken in", 0.50, "GB"),
        ("logs kept", 0.03, "GB-month"),
        ("EFS", 0.30, "GB-month"),
        ("EFS reads", 0.03, "GB"),
        ("EFS writes", 0.06, "GB"),
        ("Container Insights", 0.30, "metric-month"),
    ]
    told = " ".join(" ".join(estimate.lines(found)).split())
    assert "logs taken in $0.50/GB, logs kept $0.03/GB-month, EFS $0.30/GB-month, EFS reads about $0.03/GB" in told


def test_backups_and_endpoints_that_are_there_are_named_insights_that_are_off_are_not() -> None:
    found = cost(
        resource("aws_ecs_cluster"),
        resource("aws_vpc_endpoint", vpc_endpoint_type="Interface", subnet_ids=["a"]),
        resource("aws_efs_backup_policy", backup_policy=[{"status": "ENABLED"}]),
        container_insights="disabled",
    )
    assert [one.name for one in found.by_use] == ["through endpoints", "EFS backups"]


@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({}, "(0.25 vCPU, 0.5 GB): $0.0123 an hour, $9.01 a month"),
        ({"default_cpu_units": 300}, "(0.5 vCPU, 1 GB): $0.0247 an hour, $18.02 a month"),
        ({"architecture": "ARM64"}, "(0.25 vCPU, 0.5 GB): $0.0099 an hour, $7.21 a month"),
        ({"network": "public"}, "(0.25 vCPU, 0.5 GB): $0.0173 an hour, $12.66 a month"),
        ({"spot_weight": 3}, "(0.25 vCPU, 0.5 GB): $0.0123 an hour, $9.01 a month, on Spot about $0.0040"),
    ],
)
def test_a_container_of_the_default_size_is_priced(chosen: dict[str, Any], words: str) -> None:
    assert estimate.container(cost(**chosen)).endswith(words)


def test_other_regions_are_told_whose_prices_they_see() -> None:
    assert estimate.provenance(cost()) == f"us-east-1, {prices.DATED}"
    assert estimate.provenance(cost(region="eu-west-1")) == f"us-east-1, {prices.DATED}; eu-west-1 differs"


def test_a_state_file_tells_the_same_as_a_plan() -> None:
    state = {
        "resources": [
            {"mode": "managed", "type": "aws_eip", "instances": [{"attributes": {}}, {"attributes": {}}]},
            {"mode": "data", "type": "aws_nat_gateway", "instances": [{"attributes": {}}]},
        ]
    }
    assert estimate.of_resources(here(), estimate.from_state(state)).usd_per_month == 7.30
    assert estimate.from_state({}) == []


def test_every_price_has_a_name_of_its_own_and_a_page() -> None:
    assert len({price.name for price in prices.TABLE}) == len(prices.TABLE)
    assert all(price.usd > 0 and price.page for price in prices.TABLE)


@pytest.mark.engine
@pytest.mark.terraform
def test_a_plan_of_what_stands_changes_nothing_about_its_cost(deployment: Deployed) -> None:
    planned = deployment.kit("plan", "--json")
    assert planned.returncode == 0, planned.stderr
    told = {one["type"]: one for one in map(json.loads, planned.stdout.splitlines())}
    assert told["plan"]["changes"] == []
    costs = told["estimate"]
    standing = {line["name"]: line["count"] for line in costs["standing"]}
    assert (standing["NAT gateway"], standing["public IPv4 address"], standing["KMS key"]) == (1, 1, 1)
    assert (costs["change_usd_per_month"], costs["prices_of"], costs["region"]) == (0, "us-east-1", "us-east-1")
    assert {"logs taken in", "EFS", "ECR"} <= {one["name"] for one in costs["by_use"]}
