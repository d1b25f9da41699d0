"""/_sockerless/: health, counts of calls, faults."""

from __future__ import annotations

import http.client
import json
import os
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.server import Simulator

from .conftest import Account, logged

pytestmark = pytest.mark.filterwarnings(r"ignore:Exception\(Refusal\)")
MAIN = {"name": "main", "image": "busybox"}


def ask(simulator: Simulator, method: str, path: str, document: Any = None) -> tuple[int, Any]:
    """Status and decoded body of one request to the simulator's own interface."""
    connection = http.client.HTTPConnection(simulator.registry)
    connection.request(method, f"/_sockerless/{path}", None if document is None else json.dumps(document))
    response = connection.getresponse()
    body = response.read()
    return response.status, json.loads(body) if body else None


def test_health_says_who_answers_and_whether_the_engine_does(simulator: Simulator) -> None:
    status, health = ask(simulator, "GET", "health")
    assert (status, health["ready"], health["pid"]) == (200, True, os.getpid())
    assert health["engine"]["address"] == simulator.engine.address
    assert len(health["instance"]) == 12


def test_calls_are_counted_by_service_and_operation_until_reset(simulator: Simulator, account: Account) -> None:
    ask(simulator, "DELETE", "calls")
    account.client("ecs").list_clusters()
    account.client("ecs").list_clusters()
    account.client("ec2").describe_vpcs()
    account.client("efs").describe_file_systems()
    assert ask(simulator, "GET", "calls") == (
        200,
        {"ec2": {"DescribeVpcs": 1}, "ecs": {"ListClusters": 2}, "efs": {"DescribeFileSystems": 1}},
    )
    assert ask(simulator, "DELETE", "calls") == (204, None)
    assert ask(simulator, "GET", "calls") == (200, {})


def test_what_is_not_simulated_is_a_client_error_that_is_not_retried(account: Account, simulator: Simulator) -> None:
    simulator.calls.reset()
    ecs = account.client("ecs")
    with pytest.raises(ecs.exceptions.ClientError) as error:
        ecs.execute_command(cluster="c", task="t", command="sh", interactive=True)
    assert error.value.response["Error"]["Code"] == "UnknownOperationException"
    assert error.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert simulator.calls.counts() == {"ecs": {"ExecuteCommand": 1}}


def test_unknown_paths_are_not_found(simulator: Simulator) -> None:
    assert ask(simulator, "GET", "nosuch")[0] == 404
    assert ask(simulator, "PUT", "calls")[0] == 404


def test_an_action_is_throttled_as_often_as_asked(simulator: Simulator, account: Account) -> None:
    assert ask(simulator, "POST", "faults", {"kind": "throttle", "target": "ecs.ListClusters", "times": 2})[0] == 204
    for _ in range(2):
        with pytest.raises(ClientError) as error:
            account.client("ecs").list_clusters()
        assert error.value.response["Error"] == {"Code": "ThrottlingException", "Message": "Rate exceeded"}
    account.client("ecs").list_clusters()


@pytest.mark.parametrize(("service", "operation"), [("ec2", "DescribeVpcs"), ("efs", "DescribeFileSystems")])
def test_an_error_is_injected_in_the_services_own_protocol(
    simulator: Simulator, account: Account, service: str, operation: str
) -> None:
    fault = {"kind": "error", "target": f"{service}.{operation}", "code": "AccessDenied", "reason": "not today"}
    ask(simulator, "POST", "faults", fault)
    with pytest.raises(ClientError, match="not today") as error:
        getattr(account.client(service), {"ec2": "describe_vpcs", "efs": "describe_file_systems"}[service])()
    assert error.value.response["Error"]["Code"] == "AccessDenied"


def test_missing_capacity_is_a_failure_of_a_successful_call(simulator: Simulator, account: Account) -> None:
    account.register("nocapacity", MAIN)
    ask(simulator, "POST", "faults", {"kind": "capacity"})
    answer = account.client("ecs").run_task(**account.run_request("nocapacity"))
    assert answer["tasks"] == []
    assert answer["failures"][0]["reason"].startswith("Capacity is unavailable at this time.")


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"kind": "flood"}, "a fault's kind is one of"),
        ({"kind": "capacity", "times": 0}, "times is a whole number"),
        ({"kind": "throttle"}, "target is an action like ecs.RunTask"),
        ({"kind": "error", "target": "ecs.RunTask"}, "needs a code"),
        ({"kind": "capacity", "colour": "red"}, "unknown member 'colour'"),
        ([], "a fault is a JSON object"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(simulator: Simulator, fault: Any, message: str) -> None:
    status, body = ask(simulator, "POST", "faults", fault)
    assert status == 400
    assert message in body["message"]


def test_forgotten_faults_do_not_strike(simulator: Simulator, account: Account) -> None:
    ask(simulator, "POST", "faults", {"kind": "throttle", "target": "ecs.ListClusters"})
    ask(simulator, "DELETE", "faults")
    account.client("ecs").list_clusters()


@pytest.mark.engine
def test_a_pull_fails_in_the_injected_words(simulator: Simulator, account: Account, image: str) -> None:
    account.register("pullfault", logged(image=image))
    ask(simulator, "POST", "faults", {"kind": "pull", "target": "busybox", "reason": "registry is on fire"})
    task = account.stopped(account.run("pullfault")["taskArn"])
    assert task["stoppedReason"] == "CannotPullContainerError: registry is on fire"


@pytest.mark.engine
def test_a_spot_task_is_interrupted_and_an_on_demand_one_is_not(
    simulator: Simulator, account: Account, image: str
) -> None:
    account.register("spot", logged(image=image, command=["sleep", "60"], stopTimeout=2))
    request = account.run_request("spot", capacityProviderStrategy=[{"capacityProvider": "FARGATE_SPOT"}])
    del request["launchType"]
    arn = account.client("ecs").run_task(**request)["tasks"][0]["taskArn"]
    assert account.running(arn)["capacityProviderName"] == "FARGATE_SPOT"
    assert ask(simulator, "POST", "faults", {"kind": "spot", "target": arn})[0] == 204
    task = account.stopped(arn)
    assert (task["stopCode"], task["stoppedReason"]) == ("SpotInterruption", "Your Spot Task was interrupted.")
    on_demand = account.run("spot")["taskArn"]
    assert ask(simulator, "POST", "faults", {"kind": "spot", "target": on_demand})[0] == 400
    assert ask(simulator, "POST", "faults", {"kind": "spot", "target": "nosuch"})[0] == 404
    account.client("ecs").stop_task(cluster=account.cluster, task=on_demand)
