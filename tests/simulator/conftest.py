"""A simulated AWS in this process for each module of tests, and in it an account with network, cluster and image."""

from __future__ import annotations

import base64
import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import boto3
import pytest

from sockerless.simulator.engine import Engine
from sockerless.simulator.options import DEFAULT_ENGINE, SimulatorOptions
from sockerless.simulator.server import Simulator

ROLE = "arn:aws:iam::123456789012:role/execution"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ],
    }
)
LOG_GROUP = "/tests"
T = TypeVar("T")


@pytest.fixture(scope="module")
def simulator(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """The simulator, without throttling; it enforces IAM where the module sets ENFORCE_IAM."""
    enforced = bool(getattr(request.module, "ENFORCE_IAM", False))
    running = Simulator(
        port=0,
        engine=DEFAULT_ENGINE,
        state_dir=tmp_path_factory.mktemp("simulator"),
        options=SimulatorOptions(throttle=False, limit_cpu=False, enforce_iam=enforced),
    )
    running.start()
    yield running
    running.stop()


@dataclass
class Account:
    """Clients of the simulated account, and what tests of tasks need in it."""

    endpoint_url: str
    clients: dict[str, Any] = field(default_factory=dict)
    subnet: str = ""
    zone: str = ""
    security_group: str = ""
    cluster: str = "tests"

    def client(self, service: str) -> Any:
        """A boto3 client that does not retry."""
        if service not in self.clients:
            self.clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint_url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
                config=boto3.session.Config(retries={"total_max_attempts": 1}),
            )
        return self.clients[service]

    def set_up(self) -> None:
        """Makes network, cluster and log group."""
        ec2 = self.client("ec2")
        vpc = ec2.create_vpc(CidrBlock="10.30.0.0/16")["Vpc"]["VpcId"]
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.30.1.0/24")["Subnet"]
        self.subnet, self.zone = subnet["SubnetId"], subnet["AvailabilityZone"]
        group = ec2.create_security_group(GroupName="tasks", Description="tasks", VpcId=vpc)
        self.security_group = group["GroupId"]
        self.client("ecs").create_cluster(clusterName=self.cluster, capacityProviders=["FARGATE", "FARGATE_SPOT"])
        self.client("iam").create_role(RoleName="execution", AssumeRolePolicyDocument=TRUST)
        self.client("logs").create_log_group(logGroupName=LOG_GROUP)

    def definition(self, family: str, /, *containers: dict[str, Any], **members: Any) -> dict[str, Any]:
        """A RegisterTaskDefinition request of the smallest Fargate size, overridden by members."""
        return {
            "family": family,
            "requiresCompatibilities": ["FARGATE"],
            "networkMode": "awsvpc",
            "cpu": "256",
            "memory": "512",
            "executionRoleArn": ROLE,
            "containerDefinitions": list(containers),
        } | members

    def register(self, family: str, /, *containers: dict[str, Any], **members: Any) -> dict[str, Any]:
        """Registers such a definition; the definition."""
        request = self.definition(family, *containers, **members)
        registered: dict[str, Any] = self.client("ecs").register_task_definition(**request)["taskDefinition"]
        return registered

    def run_request(self, family: str, **members: Any) -> dict[str, Any]:
        """A RunTask request for a family, overridden by members."""
        network = {"subnets": [self.subnet], "securityGroups": [self.security_group]}
        return {
            "cluster": self.cluster,
            "taskDefinition": family,
            "launchType": "FARGATE",
            "networkConfiguration": {"awsvpcConfiguration": network},
        } | members

    def run(self, family: str, **members: Any) -> dict[str, Any]:
        """Runs one task of a family; the task as RunTask answers."""
        answer = self.client("ecs").run_task(**self.run_request(family, **members))
        assert answer["failures"] == []
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def task(self, arn: str) -> dict[str, Any]:
        """The task now."""
        answer = self.client("ecs").describe_tasks(cluster=self.cluster, tasks=[arn], include=["TAGS"])
        task: dict[str, Any] = answer["tasks"][0]
        return task

    def wait(self, arn: str, condition: Callable[[dict[str, Any]], bool], timeout_s: float = 30) -> dict[str, Any]:
        """The task once condition holds; fails at the deadline."""
        return until(lambda: self.task(arn), condition, timeout_s)

    def stopped(self, arn: str, timeout_s: float = 30) -> dict[str, Any]:
        """The task once it is STOPPED."""
        return self.wait(arn, lambda task: task["lastStatus"] == "STOPPED", timeout_s)

    def running(self, arn: str) -> dict[str, Any]:
        """The task once it is RUNNING; fails when it stopped instead."""
        task = self.wait(arn, lambda task: task["lastStatus"] in {"RUNNING", "STOPPED"})
        assert task["lastStatus"] == "RUNNING", task.get("stoppedReason")
        return task

    def queue(self, name: str) -> tuple[str, str]:
        """A new queue: its URL and ARN."""
        sqs = self.client("sqs")
        url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    def received(self, queue_url: str) -> list[dict[str, Any]]:
        """The JSON documents a queue holds now, taken out of it."""
        sqs = self.client("sqs")
        documents: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                sqs.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
            documents += [json.loads(message["Body"]) for message in messages]
        return documents

    def calls(self, service: str, operation: str) -> int:
        """How many such calls the simulator has received."""
        with urllib.request.urlopen(f"{self.endpoint_url}/_sockerless/calls") as answer:  # noqa: S310
            return int(json.load(answer).get(service, {}).get(operation, 0))

    def log_lines(self, arn: str, container: str = "main") -> list[str]:
        """Everything a container logged, page by page."""
        request = {"logGroupName": LOG_GROUP, "logStreamName": f"t/{container}/{arn.split('/')[-1]}"}
        lines: list[str] = []
        token: dict[str, str] = {}
        while True:
            page = self.client("logs").get_log_events(**request, startFromHead=True, **token)
            lines += [event["message"] for event in page["events"]]
            if token.get("nextToken") == page["nextForwardToken"]:
                return lines
            token = {"nextToken": page["nextForwardToken"]}


def until(ask: Callable[[], T], condition: Callable[[T], bool], timeout_s: float = 30) -> T:
    """What ask() returns once condition holds of it; fails at the deadline."""
    deadline = time.monotonic() + timeout_s
    while True:
        found = ask()
        if condition(found):
            return found
        assert time.monotonic() < deadline, found


def statement_for(rule_arn: str, queue_arn: str) -> str:
    """A queue's policy that lets one rule send to it."""
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": queue_arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": rule_arn}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def logged(**definition: Any) -> dict[str, Any]:
    """A container definition named main that logs to LOG_GROUP, overridden by definition."""
    options = {"awslogs-group": LOG_GROUP, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "t"}
    return {"name": "main", "logConfiguration": {"logDriver": "awslogs", "options": options}} | definition


@pytest.fixture(scope="module")
def account(simulator: Simulator) -> Account:
    """The account, set up."""
    made = Account(simulator.endpoint_url)
    made.set_up()
    return made


@pytest.fixture(scope="module")
def image(engine_address: str, engine_image: str, simulator: Simulator, account: Account) -> str:
    """busybox in the simulated ECR, pushed there by the engine; the reference by tag."""
    uri = account.client("ecr").create_repository(repositoryName="tests/busybox")["repository"]["repositoryUri"]
    push(Engine(engine_address), account, engine_image, uri, "1")
    return f"{uri}:1"


def registry_password(account: Account) -> str:
    """A password for the user AWS of the simulated registry."""
    token = account.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


def push(engine: Engine, account: Account, local: str, repository: str, tag: str) -> None:
    """Has the engine push one of its images."""
    engine.call("POST", f"/images/{local}/tag", {"repo": repository, "tag": tag})
    credentials = {"username": "AWS", "password": registry_password(account), "serveraddress": repository}
    headers = {"X-Registry-Auth": base64.urlsafe_b64encode(json.dumps(credentials).encode()).decode()}
    with engine.stream("POST", f"/images/{repository}/push", {"tag": tag}, headers=headers) as response:
        progress = [json.loads(line) for line in response.read().splitlines() if line.strip()]
    engine.call("DELETE", f"/images/{repository}:{tag}")
    assert not [step for step in progress if "error" in step]
