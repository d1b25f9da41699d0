"""What DescribeTasks' answers mean, step by step through a task's life, and its stop reasons as sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from sockerless.ecs.eni import NetworkInterface, network_interface
from sockerless.ecs.state import failure_message, interruption, view
from sockerless.types import JsonObject

ARN = "arn:aws:ecs:eu-central-1:123456789012:task/sockerless/0123456789abcdef0123456789abcdef"
STARTED = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)
STARTED_NS = 1767323045678901000
SPOT = "the Fargate Spot task was interrupted by AWS: Your Spot Task was interrupted."


def _task(status: str, main: JsonObject | None = None, **more: Any) -> JsonObject:
    containers = [{"name": "main", **main}] if main is not None else []
    return {"taskArn": ARN, "lastStatus": status, "desiredStatus": "RUNNING", "containers": containers, **more}


def _eni(status: str = "ATTACHED", **details: str) -> JsonObject:
    pairs = [{"name": name, "value": value} for name, value in details.items()]
    return {"id": "1", "type": "ElasticNetworkInterface", "status": status, "details": pairs}


@pytest.mark.parametrize(
    ("status", "main_status", "running", "stopped"),
    [
        ("PROVISIONING", "PENDING", False, False),
        ("PENDING", "PENDING", False, False),
        ("ACTIVATING", "RUNNING", False, False),
        ("RUNNING", "RUNNING", True, False),
        ("RUNNING", "STOPPED", False, True),
        ("DEACTIVATING", "RUNNING", False, False),
        ("STOPPING", "RUNNING", False, False),
        ("STOPPING", "STOPPED", False, True),
        ("DEPROVISIONING", "STOPPED", False, True),
        ("STOPPED", "STOPPED", False, True),
        ("DELETED", "STOPPED", False, True),
    ],
)
def test_a_task_runs_and_has_stopped_as_its_main_container_does(
    status: str, main_status: str, running: bool, stopped: bool
) -> None:
    seen = view(_task(status, {"lastStatus": main_status}))
    assert (seen.last_status, seen.running, seen.stopped) == (status, running, stopped)


def test_an_agent_container_that_has_ended_does_not_stop_the_task() -> None:
    task = _task("RUNNING", {"lastStatus": "RUNNING"})
    task["containers"].insert(0, {"name": "agent", "lastStatus": "STOPPED", "exitCode": 0})
    seen = view(task)
    assert (seen.running, seen.stopped, seen.exit_code) == (True, False, None)


def test_a_stopped_task_without_containers_has_stopped_without_an_exit_code() -> None:
    seen = view(_task("STOPPED"))
    assert (seen.stopped, seen.exit_code, seen.stop_code, seen.reason) == (True, None, None, "")


def test_execution_stopped_at_ends_it_and_is_the_time_it_ended() -> None:
    ended = STARTED + timedelta(seconds=2)
    task = _task("STOPPING", {"lastStatus": "RUNNING"}, startedAt=STARTED, executionStoppedAt=ended)
    task["stoppedAt"] = ended + timedelta(seconds=23)
    seen = view(task)
    assert seen.stopped
    assert (seen.started_at_ns, seen.stopped_at_ns) == (STARTED_NS, STARTED_NS + 2_000_000_000)


def test_times_of_another_zone_are_the_same_instants() -> None:
    local = STARTED.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert view(_task("RUNNING", {}, startedAt=local)).started_at_ns == STARTED_NS


def test_a_task_that_runs_has_no_end() -> None:
    seen = view(_task("RUNNING", {"lastStatus": "RUNNING"}, startedAt=STARTED))
    assert seen.stopped_at_ns == 0


def test_the_exit_code_is_the_main_containers() -> None:
    task = _task("STOPPED", {"lastStatus": "STOPPED", "exitCode": 7}, stopCode="EssentialContainerExited")
    task["containers"].insert(0, {"name": "agent", "lastStatus": "STOPPED", "exitCode": 1})
    assert view(task).exit_code == 7


def test_the_interface_gives_address_and_id() -> None:
    seen = view(_task("RUNNING", {}, attachments=[_eni(networkInterfaceId="eni-1", privateIPv4Address="10.0.0.9")]))
    assert (seen.eni_id, seen.private_address) == ("eni-1", "10.0.0.9")


def test_an_interface_is_known_before_its_address() -> None:
    attachments = [_eni("PRECREATED", subnetId="subnet-1")]
    assert network_interface(_task("PROVISIONING", attachments=attachments)) == NetworkInterface()
    attachments = [_eni("ATTACHING", subnetId="subnet-1", networkInterfaceId="eni-1")]
    assert network_interface(_task("PENDING", attachments=attachments)) == NetworkInterface("eni-1", None)


def test_a_deleted_interface_and_other_attachments_give_no_address() -> None:
    attachments = [
        {"id": "2", "type": "Service Connect", "status": "ATTACHED", "details": []},
        _eni("DELETED", networkInterfaceId="eni-1", privateIPv4Address="10.0.0.9"),
    ]
    assert network_interface(_task("STOPPED", attachments=attachments)) == NetworkInterface()


def test_a_containers_reason_is_added_once() -> None:
    task = _task(
        "STOPPED",
        {"lastStatus": "STOPPED", "exitCode": 137, "reason": "OutOfMemoryError: Container killed due to memory usage"},
        stoppedReason="Essential container in task exited",
    )
    seen = view(task)
    assert seen.oom_killed
    assert seen.reason == ("Essential container in task exited; OutOfMemoryError: Container killed due to memory usage")
    task["stoppedReason"] = task["containers"][0]["reason"]
    assert view(task).reason == task["stoppedReason"]


@pytest.mark.parametrize(
    ("stop_code", "reason", "what", "remedy"),
    [
        (
            "TaskFailedToStart",
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref "
            "docker.io/library/nosuch:latest: docker.io/library/nosuch:latest: not found",
            "the image could not be pulled: CannotPullContainerError",
            "no such image in its registry",
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: inspect image has been retried 1 time(s): failed to resolve ref: "
            "429 Too Many Requests - toomanyrequests: You have reached your pull rate limit",
            "the image could not be pulled",
            "rate limit",
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/amd64'",
            "the image could not be pulled",
            "no variant for the task's CPU architecture",
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: pull access denied, repository does not exist or may require authorization",
            "the image could not be pulled",
            "SOCKERLESS_ECS_EXECUTION_ROLE_ARN",
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: failed to resolve ref registry/platform/denied@sha256:403efs: "
            "unexpected status code 418",
            "the image could not be pulled",
            "",
        ),
        (
            "TaskFailedToStart",
            "CannotPullContainerError: ref pull has been retried 1 time(s): failed to copy: httpReadSeeker: "
            "unexpected status code 418",
            "the image could not be pulled",
            "",
        ),
        (
            "TaskFailedToStart",
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval "
            "failed: unable to retrieve ecr registry auth: service call has been retried 3 time(s): RequestError: "
            "send request failed",
            "the task's resources could not be prepared",
            "NAT gateway",
        ),
        (
            "TaskFailedToStart",
            "ResourceInitializationError: failed to invoke EFS utils commands to set up EFS volumes: stderr: "
            "mount.nfs4: Connection timed out",
            "the task's resources could not be prepared",
            "mount targets",
        ),
        (
            "TaskFailedToStart",
            "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: "
            "failed to create Cloudwatch log stream: ResourceNotFoundException: The specified log group does not exist",
            "the task's resources could not be prepared",
            "SOCKERLESS_ECS_LOG_GROUP",
        ),
        (
            "TaskFailedToStart",
            "CannotStartContainerError: Error response from daemon: OCI runtime create failed",
            "the container could not be started",
            "",
        ),
        (
            "TaskFailedToStart",
            "Timeout waiting for network interface provisioning to complete.",
            "the task got no network interface",
            "try again",
        ),
        (
            "TaskFailedToStart",
            "Capacity is unavailable at this time. Please try again later or in a different availability zone",
            "Fargate has no capacity",
            "subnets in other zones",
        ),
        (
            "EssentialContainerExited",
            "Essential container in task exited; OutOfMemoryError: Container killed due to memory usage",
            "killed for lack of memory",
            "--memory",
        ),
        ("SpotInterruption", "Your Spot Task was interrupted.", SPOT, "fargate_weight"),
        ("TerminationNotice", "Your Spot Task was interrupted.", SPOT, "fargate_weight"),
        ("TerminationNotice", "The host is retired", "AWS took the task's machine away", "start the container again"),
        ("UserInitiated", "Task stopped by user", "the task was stopped: Task stopped by user", ""),
        ("SomethingNew", "A reason of tomorrow", "the Fargate task stopped: A reason of tomorrow", ""),
        ("SomethingNew", "", "ECS gave no reason (stop code SomethingNew)", ""),
    ],
)
def test_a_stop_reason_becomes_a_sentence_with_its_remedy(stop_code: str, reason: str, what: str, remedy: str) -> None:
    message = failure_message(view(_task("STOPPED", {}, stopCode=stop_code, stoppedReason=reason)))
    assert what in message
    assert reason in message
    assert remedy in message
    assert ("(" in message.replace(reason, "").replace("(stop code", "")) == bool(remedy)


@pytest.mark.parametrize(
    ("stop_code", "reason", "told"),
    [
        ("SpotInterruption", "Your Spot Task was interrupted.", SPOT),
        ("TerminationNotice", "Your Spot Task was interrupted.", SPOT),
        ("UserInitiated", "by the operator", "the task was stopped: by the operator"),
        ("UserInitiated", "sockerless: its container is done", ""),
        ("EssentialContainerExited", "Essential container in task exited", ""),
        (None, "", ""),
    ],
)
def test_an_interruption_is_what_neither_the_process_nor_this_daemon_did(
    stop_code: str | None, reason: str, told: str
) -> None:
    seen = view(_task("STOPPED", {}, stopCode=stop_code, stoppedReason=reason, stoppingAt=STARTED))
    assert interruption(seen, STARTED_NS + 1).startswith(told)
    assert bool(interruption(seen, STARTED_NS + 1)) == bool(told)


def test_a_process_that_had_ended_before_was_not_interrupted() -> None:
    seen = view(_task("STOPPED", {}, stopCode="SpotInterruption", stoppedReason="x", stoppingAt=STARTED))
    assert interruption(seen, STARTED_NS - 1) == ""
