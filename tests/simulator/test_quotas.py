"""Fargate's quotas: asked for as Service Quotas tells them, and enforced by RunTask."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.quotas import ON_DEMAND, REACHED, SPOT
from sockerless.simulator.server import Simulator

from .conftest import Account, logged
from .test_admin import ask

pytestmark = pytest.mark.filterwarnings(r"ignore:Exception\(Refusal\)")


@pytest.fixture(autouse=True)
def granted(simulator: Simulator) -> Iterator[None]:
    """Every test begins with the usual quotas, and leaves them."""
    yield
    ask(simulator, "DELETE", "quotas")


def applied(account: Account, code: str) -> float:
    asked = account.client("service-quotas").get_service_quota(ServiceCode="fargate", QuotaCode=code)
    return float(asked["Quota"]["Value"])


@pytest.mark.parametrize("code", [ON_DEMAND, SPOT])
def test_the_applied_quota_is_told_and_aws_s_default_beside_it(account: Account, code: str) -> None:
    quotas = account.client("service-quotas")
    default = quotas.get_aws_default_service_quota(ServiceCode="fargate", QuotaCode=code)["Quota"]
    assert (applied(account, code), default["Value"]) == (1000.0, 6.0)
    assert (default["ServiceCode"], default["QuotaCode"], default["Adjustable"]) == ("fargate", code, True)


def test_quotas_that_are_none_are_not_found_and_those_of_vpc_stay(account: Account) -> None:
    quotas = account.client("service-quotas")
    for service, code in (("fargate", "L-00000000"), ("nosuch", ON_DEMAND)):
        with pytest.raises(ClientError) as refused:
            quotas.get_service_quota(ServiceCode=service, QuotaCode=code)
        assert refused.value.response["Error"]["Code"] == "NoSuchResourceException"
    assert quotas.get_service_quota(ServiceCode="vpc", QuotaCode="L-F678F1CE")["Quota"]["ServiceCode"] == "vpc"


def test_a_quota_can_be_set_to_zero_and_granted_again(simulator: Simulator, account: Account) -> None:
    assert ask(simulator, "PUT", "quotas", {ON_DEMAND: 0}) == (204, None)
    assert (applied(account, ON_DEMAND), applied(account, SPOT)) == (0.0, 1000.0)
    assert ask(simulator, "GET", "quotas") == (200, {ON_DEMAND: 0, SPOT: 1000.0})
    assert ask(simulator, "DELETE", "quotas") == (204, None)
    assert applied(account, ON_DEMAND) == 1000.0


@pytest.mark.parametrize("wrong", [{"L-1": 1}, {ON_DEMAND: -1}, {ON_DEMAND: "6"}, {ON_DEMAND: True}, [1]])
def test_what_is_no_quota_is_refused(simulator: Simulator, wrong: Any) -> None:
    status, answer = ask(simulator, "PUT", "quotas", wrong)
    assert status == 400
    assert "quota" in answer["message"]


def test_tasks_that_the_quota_has_no_room_for_are_not_placed(
    simulator: Simulator, account: Account, image: str
) -> None:
    account.register("quota", logged(image=image, command=["sleep", "60"]))
    ask(simulator, "PUT", "quotas", {ON_DEMAND: 0.25, SPOT: 0})
    assert reasons(account, launchType="FARGATE", count=2) == [REACHED]
    running = account.run("quota")
    assert reasons(account, launchType="FARGATE") == [REACHED]
    assert reasons(account, capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT", "weight": 1}]) == [REACHED]
    account.client("ecs").stop_task(cluster=account.cluster, task=running["taskArn"])
    account.stopped(running["taskArn"])
    again = account.run("quota")
    account.client("ecs").stop_task(cluster=account.cluster, task=again["taskArn"])


def reasons(account: Account, **members: Any) -> list[str]:
    """Why RunTask places nothing."""
    request = account.run_request("quota", **members)
    if "capacityProviderStrategy" in members:
        del request["launchType"]
    answer = account.client("ecs").run_task(**request)
    assert answer["tasks"] == []
    return [failure["reason"] for failure in answer["failures"]]
