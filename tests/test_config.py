"""The environment variables: names and defaults of the reference, checks, and sentences that say what to do."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from sockerless import config
from sockerless.errors import InvalidParameter
from sockerless.types import SimulatorCredentials

ROLE = "arn:aws:iam::123456789012:role/execution"
REQUIRED = {"SOCKERLESS_ECS_SUBNETS": "subnet-0a", "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": ROLE}


def _load(**more: str) -> config.Config:
    return config.load({**REQUIRED, **more})


@pytest.mark.parametrize(
    ("name", "attribute", "default"),
    [
        ("AWS_REGION", "region", "us-east-1"),
        ("SOCKERLESS_ECS_CLUSTER", "cluster", "sockerless"),
        ("SOCKERLESS_ECS_SECURITY_GROUPS", "security_groups", ()),
        ("SOCKERLESS_ECS_TASK_ROLE_ARN", "task_role_arn", ""),
        ("SOCKERLESS_ECS_LOG_GROUP", "log_group", "/sockerless"),
        ("SOCKERLESS_ECS_PUBLIC_IP", "public_ip", False),
        ("SOCKERLESS_AGENT_IMAGE", "agent_image", "sockerless/agent:latest"),
        ("SOCKERLESS_AGENT_EFS_ID", "agent_efs_id", ""),
        ("SOCKERLESS_AGENT_TOKEN", "agent_token", ""),
        ("SOCKERLESS_CALLBACK_URL", "callback_url", ""),
        ("SOCKERLESS_ENDPOINT_URL", "endpoint_url", ""),
        ("SOCKERLESS_AGENT_EFS_ACCESS_POINT", "agent_efs_access_point", ""),
        ("SOCKERLESS_AGENT_VERSION", "agent_version", ""),
        ("SOCKERLESS_ECR_REPOSITORY", "ecr_repository", ""),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "capacity_providers", (("FARGATE", 1),)),
        ("SOCKERLESS_EVENTS_QUEUE_URL", "events_queue_url", ""),
        ("SOCKERLESS_ARCHITECTURE", "architecture", ""),
        ("SOCKERLESS_DEFAULT_CPU_UNITS", "default_cpu_units", 256),
        ("SOCKERLESS_DEFAULT_MEMORY_MIB", "default_memory_mib", 512),
        ("SOCKERLESS_MAX_CPU_UNITS", "max_cpu_units", 16384),
        ("SOCKERLESS_MAX_MEMORY_MIB", "max_memory_mib", 122880),
        ("SOCKERLESS_ECR_PULL_THROUGH", "pull_through", ()),
        ("SOCKERLESS_REGISTRY_MIRRORS", "registry_mirrors", ()),
        ("SOCKERLESS_STATE_DIR", "state_dir", Path("~/.local/state/sockerless").expanduser()),
        ("SOCKERLESS_LINGER_S", "linger_s", 60.0),
        ("SOCKERLESS_START_TIMEOUT_S", "start_timeout_s", 300.0),
        ("SOCKERLESS_DEFINITION_RETENTION_S", "definition_retention_s", 86400.0),
    ],
)
def test_a_variable_that_is_not_set_has_the_references_default(name: str, attribute: str, default: Any) -> None:
    assert getattr(_load(), attribute) == default
    assert getattr(_load(**{name: ""}), attribute) == default


@pytest.mark.parametrize(
    ("name", "attribute", "text", "value"),
    [
        ("AWS_REGION", "region", "us-gov-west-1", "us-gov-west-1"),
        ("SOCKERLESS_ECS_CLUSTER", "cluster", "mine", "mine"),
        ("SOCKERLESS_ECS_SUBNETS", "subnets", "subnet-0a, subnet-0b,", ("subnet-0a", "subnet-0b")),
        ("SOCKERLESS_ECS_SECURITY_GROUPS", "security_groups", "sg-0a,sg-0b", ("sg-0a", "sg-0b")),
        ("SOCKERLESS_ECS_TASK_ROLE_ARN", "task_role_arn", ROLE, ROLE),
        ("SOCKERLESS_ECS_EXECUTION_ROLE_ARN", "execution_role_arn", ROLE, ROLE),
        ("SOCKERLESS_ECS_LOG_GROUP", "log_group", "/mine", "/mine"),
        ("SOCKERLESS_ECS_PUBLIC_IP", "public_ip", "True", True),
        ("SOCKERLESS_ECS_PUBLIC_IP", "public_ip", "0", False),
        ("SOCKERLESS_AGENT_IMAGE", "agent_image", "r/a:1", "r/a:1"),
        ("SOCKERLESS_AGENT_EFS_ID", "agent_efs_id", "fs-0a", "fs-0a"),
        ("SOCKERLESS_AGENT_TOKEN", "agent_token", "t", "t"),
        ("SOCKERLESS_CALLBACK_URL", "callback_url", "wss://h:1/x", "wss://h:1/x"),
        ("SOCKERLESS_ENDPOINT_URL", "endpoint_url", "http://127.0.0.1:4566", "http://127.0.0.1:4566"),
        (
            "SOCKERLESS_SIMULATOR_CREDENTIALS",
            "simulator_credentials",
            "AKIA0:s:t",
            SimulatorCredentials("AKIA0", "s", "t"),
        ),
        ("SOCKERLESS_AGENT_EFS_ACCESS_POINT", "agent_efs_access_point", "fsap-0a", "fsap-0a"),
        ("SOCKERLESS_AGENT_VERSION", "agent_version", "0.1.0-x86_64", "0.1.0-x86_64"),
        (
            "SOCKERLESS_ECS_CAPACITY_PROVIDERS",
            "capacity_providers",
            "FARGATE=1, FARGATE_SPOT=3",
            (("FARGATE", 1), ("FARGATE_SPOT", 3)),
        ),
        (
            "SOCKERLESS_EVENTS_QUEUE_URL",
            "events_queue_url",
            "https://sqs.r.amazonaws.com/1/q",
            "https://sqs.r.amazonaws.com/1/q",
        ),
        ("SOCKERLESS_ARCHITECTURE", "architecture", "ARM64", "ARM64"),
        ("SOCKERLESS_MAX_CPU_UNITS", "max_cpu_units", "2048", 2048),
        (
            "SOCKERLESS_ECR_PULL_THROUGH",
            "pull_through",
            "docker.io=r/hub,quay.io=r/quay",
            (("docker.io", "r/hub"), ("quay.io", "r/quay")),
        ),
        ("SOCKERLESS_REGISTRY_MIRRORS", "registry_mirrors", "https://a,https://b", ("https://a", "https://b")),
        ("SOCKERLESS_STATE_DIR", "state_dir", "/var/lib/x", Path("/var/lib/x")),
        ("SOCKERLESS_LINGER_S", "linger_s", "0", 0.0),
        ("SOCKERLESS_LINGER_S", "linger_s", "1.5", 1.5),
    ],
)
def test_a_variable_that_is_set_is_read(name: str, attribute: str, text: str, value: Any) -> None:
    assert getattr(_load(**{name: text}), attribute) == value


@pytest.mark.parametrize("missing", sorted(REQUIRED))
def test_a_required_variable_that_is_missing_is_named_with_the_command_that_fills_it(missing: str) -> None:
    environment = {name: text for name, text in REQUIRED.items() if name != missing}
    with pytest.raises(InvalidParameter, match=rf"^{missing} \(.+\) is not set; run `sockerless-kit apply`") as caught:
        config.load(environment)
    assert not any(other in caught.value.message for other in REQUIRED.keys() - {missing})


def test_everything_that_is_wrong_is_named_at_once() -> None:
    with pytest.raises(InvalidParameter) as caught:
        config.load({"AWS_REGION": "nowhere", "SOCKERLESS_LINGER_S": "soon"})
    for name in (*REQUIRED, "AWS_REGION", "SOCKERLESS_LINGER_S"):
        assert name in caught.value.message


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("AWS_REGION", "Frankfurt", "a region like eu-central-1"),
        ("SOCKERLESS_ECS_SUBNETS", "subnet-0a subnet-0b", "ids like subnet-0123abcd"),
        ("SOCKERLESS_ECS_SECURITY_GROUPS", "default", "ids like sg-0123abcd"),
        ("SOCKERLESS_ECS_TASK_ROLE_ARN", "task", "a role ARN like"),
        ("SOCKERLESS_ECS_EXECUTION_ROLE_ARN", "arn:aws:iam::1:role/x", "a role ARN like"),
        ("SOCKERLESS_ECS_PUBLIC_IP", "maybe", "expected true or false"),
        ("SOCKERLESS_AGENT_EFS_ID", "efs-1", "a file system id like"),
        ("SOCKERLESS_AGENT_EFS_ACCESS_POINT", "fs-1", "an access point id like"),
        ("SOCKERLESS_AGENT_VERSION", "../x", "a directory name"),
        ("SOCKERLESS_CALLBACK_URL", "host:1", "a URL starting with http"),
        ("SOCKERLESS_ENDPOINT_URL", "ws://h", "a URL starting with http or https"),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "FARGATE", "pairs like FARGATE_SPOT=3"),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "FARGATE=1,FARGATE=2", "FARGATE is given twice"),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "EC2=1", "EC2 is not one of FARGATE and FARGATE_SPOT"),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "FARGATE=0,FARGATE_SPOT=0", "at least one weight"),
        ("SOCKERLESS_ECS_CAPACITY_PROVIDERS", "FARGATE=1001", "from 0 to 1000"),
        ("SOCKERLESS_EVENTS_QUEUE_URL", "queue", "a URL starting with http or https"),
        ("SOCKERLESS_ARCHITECTURE", "amd64", "X86_64 or ARM64"),
        ("SOCKERLESS_DEFAULT_CPU_UNITS", "0.5", "a whole number from 256 to 16384"),
        ("SOCKERLESS_MAX_MEMORY_MIB", "200000", "a whole number from 512 to 122880"),
        ("SOCKERLESS_ECR_PULL_THROUGH", "docker.io", "pairs like quay.io="),
        ("SOCKERLESS_LINGER_S", "-1", "0 or more"),
        ("SOCKERLESS_START_TIMEOUT_S", "inf", "0 or more"),
        ("SOCKERLESS_DEFINITION_RETENTION_S", "nan", "0 or more"),
    ],
)
def test_a_malformed_value_is_named_shown_and_told_what_is_expected(name: str, text: str, words: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        _load(**{name: text})
    assert caught.value.message.startswith(f"{name}: {text!r} is not valid: ")
    assert words in caught.value.message


def test_every_variable_fills_one_attribute_of_config_and_every_attribute_has_one() -> None:
    assert sorted(variable.attribute for variable in config.VARIABLES) == sorted(f.name for f in fields(config.Config))


def test_variables_have_a_name_and_a_meaning_of_their_own() -> None:
    names = [variable.name for variable in config.VARIABLES]
    assert len(set(names)) == len(names)
    assert all(variable.meaning for variable in config.VARIABLES)


def test_infrastructure_determines_no_secret() -> None:
    secret = [variable for variable in config.VARIABLES if variable.secret]
    assert [(variable.name, variable.determined) for variable in secret] == [
        ("SOCKERLESS_AGENT_TOKEN", False),
        ("SOCKERLESS_SIMULATOR_CREDENTIALS", False),
    ]


@pytest.mark.parametrize("text", ["AKIA0", "AKIA0:", ":s", "a:b:c:d"])
def test_malformed_credentials_are_refused_and_not_shown(text: str) -> None:
    for refused in (lambda: _load(SOCKERLESS_SIMULATOR_CREDENTIALS=text), lambda: simulator_credentials(text)):
        with pytest.raises(InvalidParameter, match="SOCKERLESS_SIMULATOR_CREDENTIALS: its value is not valid") as error:
            refused()
        assert text not in error.value.message


def simulator_credentials(text: str) -> SimulatorCredentials:
    return config.simulator_credentials({"SOCKERLESS_SIMULATOR_CREDENTIALS": text})
