"""Task definitions and RunTask requests, against botocore's own validator and AWS's documented limits."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore.validate import ParamValidator
from hypothesis import given
from hypothesis import strategies as st

from sockerless.ecs.fargate import SIZES
from sockerless.ecs.tags import definition_tags, task_tags
from sockerless.ecs.taskdef import (
    AGENT_CONTAINER,
    MAIN_CONTAINER,
    AgentDelivery,
    Shape,
    family,
    log_stream,
    run_task,
    shape_hash,
    task_definition,
)
from sockerless.errors import InvalidParameter
from sockerless.types import AgentCredentials, JsonObject, TaskBinding, TaskSize
from sockerless.wire import agent

EFS = AgentDelivery(version="1.2.3-x86_64", efs_id="fs-0123abcd", access_point="fsap-0123abcd")
IMAGE = AgentDelivery(version="1.2.3-x86_64", image="123456789012.dkr.ecr.eu-central-1.amazonaws.com/agent:1")
SHAPE = Shape(
    image="registry.example/app@sha256:" + "a" * 64,
    size=TaskSize(256, 512),
    architecture="X86_64",
    execution_role_arn="arn:aws:iam::123456789012:role/execution",
    task_role_arn="arn:aws:iam::123456789012:role/task",
    log_group="/sockerless",
    region="eu-central-1",
    agent=EFS,
)
BINDING = TaskBinding(
    client_token="c" * 32,
    credentials=AgentCredentials("a" * 32, "t" * 43, "-----BEGIN CERTIFICATE-----\n" + "c" * 700, "k" * 300),
)

shapes = st.builds(
    Shape,
    image=st.just(SHAPE.image),
    size=st.sampled_from([TaskSize(cpu, memory) for cpu, memories in SIZES.items() for memory in memories]),
    architecture=st.sampled_from(["X86_64", "ARM64"]),
    execution_role_arn=st.just(SHAPE.execution_role_arn),
    task_role_arn=st.sampled_from(["", SHAPE.task_role_arn]),
    log_group=st.just("/sockerless"),
    region=st.just("eu-central-1"),
    agent=st.sampled_from([EFS, IMAGE, replace(EFS, access_point="")]),
    nofile=st.none() | st.integers(0, 1_048_576).map(lambda hard: (hard // 2, hard)),
    sys_ptrace=st.booleans(),
    readonly_root=st.booleans(),
    ephemeral_gib=st.none() | st.integers(1, 200),
)


@cache
def _input_shape(operation: str) -> Any:
    return botocore.session.get_session().get_service_model("ecs").operation_model(operation).input_shape


def _complaints(operation: str, parameters: JsonObject) -> str:
    report = ParamValidator().validate(parameters, _input_shape(operation))
    return str(report.generate_report()) if report.has_errors() else ""


def _containers(definition: JsonObject) -> dict[str, JsonObject]:
    return {container["name"]: container for container in definition["containerDefinitions"]}


def _run(**changes: Any) -> JsonObject:
    arguments: dict[str, Any] = {
        "cluster": "sockerless",
        "definition_arn": "arn:aws:ecs:eu-central-1:123456789012:task-definition/app:1",
        "binding": BINDING,
        "subnets": ("subnet-0a", "subnet-0b"),
        "security_groups": ("sg-0a",),
        "public_ip": False,
        "started_by": "sockerless/0123456789abcdef",
        "tags": task_tags("0123456789abcdef", "f" * 64, "web"),
        "patience_s": 600.0,
    }
    return run_task(**{**arguments, **changes})


@given(shapes)
def test_botocore_accepts_the_definition_of_every_shape(shape: Shape) -> None:
    definition = task_definition(shape, "sockerless", definition_tags("0123456789abcdef", shape_hash(shape)))
    assert _complaints("RegisterTaskDefinition", definition) == ""
    assert len(json.dumps(definition)) < 64 * 1024


@given(shapes, shapes)
def test_equal_shapes_share_a_family_and_different_ones_do_not(one: Shape, other: Shape) -> None:
    same_storage = (one.ephemeral_gib or 0) <= 20 and (other.ephemeral_gib or 0) <= 20
    equal = one == (replace(other, ephemeral_gib=one.ephemeral_gib) if same_storage else other)
    assert (family(one, "p") == family(other, "p")) == equal


def test_the_hash_is_24_hex_digits_and_the_family_ends_with_it() -> None:
    assert re.fullmatch(r"[0-9a-f]{24}", shape_hash(SHAPE))
    assert task_definition(SHAPE, "sockerless-dev", [])["family"] == f"sockerless-dev-{shape_hash(SHAPE)}"


def test_tags_and_prefix_are_not_part_of_the_shape() -> None:
    one = task_definition(SHAPE, "one", definition_tags("0" * 16, shape_hash(SHAPE)))
    assert one["family"].removeprefix("one-") == family(SHAPE, "other").removeprefix("other-")


@pytest.mark.parametrize("prefix", ["with space", "a/b", "ü", "p" * 231])
def test_a_family_prefix_that_ecs_refuses_is_refused(prefix: str) -> None:
    with pytest.raises(InvalidParameter, match="task definition family"):
        family(SHAPE, prefix)


def test_the_task_is_a_fargate_task_of_the_shapes_size_and_platform() -> None:
    definition = task_definition(replace(SHAPE, architecture="ARM64", size=TaskSize(1024, 3072)), "p", [])
    assert definition["requiresCompatibilities"] == ["FARGATE"]
    assert definition["networkMode"] == "awsvpc"
    assert (definition["cpu"], definition["memory"]) == ("1024", "3072")
    assert definition["runtimePlatform"] == {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"}
    assert "ephemeralStorage" not in definition
    assert "tags" not in definition


def test_the_main_container_runs_the_agent_as_root_and_never_the_images_own_command() -> None:
    main = _containers(task_definition(SHAPE, "p", []))[MAIN_CONTAINER]
    assert main["image"] == SHAPE.image
    assert main["entryPoint"] + main["command"] == agent.agent_argv("1.2.3-x86_64", ["serve"])
    assert main["entryPoint"]
    assert main["command"]
    assert main["user"] == "0"
    assert main["essential"] is True
    assert main["stopTimeout"] == 120


def test_the_definition_holds_no_environment_and_no_labels() -> None:
    for delivery in (EFS, IMAGE):
        for container in _containers(task_definition(replace(SHAPE, agent=delivery), "p", [])).values():
            assert all(entry["value"] == "" for entry in container.get("environment", []))
            assert not {"secrets", "dockerLabels", "workingDirectory"} & container.keys()


def test_the_agent_is_mounted_read_only_from_its_access_point_encrypted_and_authorised() -> None:
    definition = task_definition(SHAPE, "p", [])
    assert list(_containers(definition)) == [MAIN_CONTAINER]
    volumes = {volume["name"]: volume for volume in definition["volumes"]}
    mounts = {mount["containerPath"]: mount for mount in _containers(definition)[MAIN_CONTAINER]["mountPoints"]}
    assert mounts[agent.AGENT_DIR]["readOnly"] is True
    assert volumes[mounts[agent.AGENT_DIR]["sourceVolume"]]["efsVolumeConfiguration"] == {
        "fileSystemId": "fs-0123abcd",
        "transitEncryption": "ENABLED",
        "authorizationConfig": {"accessPointId": "fsap-0123abcd", "iam": "ENABLED"},
    }
    assert mounts[agent.STATE_DIR]["readOnly"] is False
    assert volumes[mounts[agent.STATE_DIR]["sourceVolume"]].keys() == {"name"}


def test_without_a_task_role_the_mount_asks_for_no_iam_authorisation() -> None:
    definition = task_definition(replace(SHAPE, task_role_arn=""), "p", [])
    assert "taskRoleArn" not in definition
    assert definition["volumes"][0]["efsVolumeConfiguration"]["authorizationConfig"]["iam"] == "DISABLED"


def test_without_efs_a_container_delivers_the_agent_before_the_main_one_starts() -> None:
    definition = task_definition(replace(SHAPE, agent=IMAGE), "p", [])
    containers = _containers(definition)
    assert containers[AGENT_CONTAINER]["image"] == IMAGE.image
    assert containers[AGENT_CONTAINER]["essential"] is False
    assert containers[AGENT_CONTAINER]["command"] == ["install", agent.AGENT_DIR]
    assert containers[MAIN_CONTAINER]["dependsOn"] == [{"containerName": AGENT_CONTAINER, "condition": "SUCCESS"}]
    written, read = (
        next(mount for mount in containers[name]["mountPoints"] if mount["containerPath"] == agent.AGENT_DIR)
        for name in (AGENT_CONTAINER, MAIN_CONTAINER)
    )
    assert written["sourceVolume"] == read["sourceVolume"]
    assert (written["readOnly"], read["readOnly"]) == (False, True)
    assert all("efsVolumeConfiguration" not in volume for volume in definition["volumes"])


def test_without_efs_and_image_nothing_could_deliver_the_agent() -> None:
    with pytest.raises(InvalidParameter, match="SOCKERLESS_AGENT_EFS_ID or SOCKERLESS_AGENT_IMAGE"):
        task_definition(replace(SHAPE, agent=AgentDelivery(version="1")), "p", [])


def test_output_goes_completely_to_the_configured_log_group() -> None:
    main = _containers(task_definition(SHAPE, "p", []))[MAIN_CONTAINER]
    assert main["logConfiguration"] == {
        "logDriver": "awslogs",
        "options": {
            "awslogs-group": "/sockerless",
            "awslogs-region": "eu-central-1",
            "awslogs-stream-prefix": "sockerless",
            "mode": "blocking",
        },
    }


def test_limits_that_were_asked_are_in_the_main_container() -> None:
    shape = replace(SHAPE, nofile=(1024, 4096), sys_ptrace=True, readonly_root=True, ephemeral_gib=50)
    definition = task_definition(shape, "p", [])
    main = _containers(definition)[MAIN_CONTAINER]
    assert main["ulimits"] == [{"name": "nofile", "softLimit": 1024, "hardLimit": 4096}]
    assert main["linuxParameters"] == {"capabilities": {"add": ["SYS_PTRACE"]}}
    assert main["readonlyRootFilesystem"] is True
    assert definition["ephemeralStorage"] == {"sizeInGiB": 50}


@pytest.mark.parametrize("nofile", [(2, 1), (0, 1_048_577), (-1, 5)])
def test_open_files_that_fargate_cannot_set_are_refused(nofile: tuple[int, int]) -> None:
    with pytest.raises(InvalidParameter, match="not possible on Fargate"):
        task_definition(replace(SHAPE, nofile=nofile), "p", [])


def test_more_storage_than_fargate_has_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="201 GiB"):
        task_definition(replace(SHAPE, ephemeral_gib=201), "p", [])


@pytest.mark.parametrize("security_groups", [(), ("sg-0a", "sg-0b")])
@pytest.mark.parametrize("public_ip", [True, False])
def test_botocore_accepts_the_run_request(security_groups: tuple[str, ...], public_ip: bool) -> None:
    request = _run(security_groups=security_groups, public_ip=public_ip)
    assert _complaints("RunTask", request) == ""
    network = request["networkConfiguration"]["awsvpcConfiguration"]
    assert network["assignPublicIp"] == ("ENABLED" if public_ip else "DISABLED")
    assert network.get("securityGroups", []) == list(security_groups)


def test_the_run_request_is_idempotent_and_names_its_starter() -> None:
    request = _run()
    assert request["clientToken"] == BINDING.client_token
    assert request["startedBy"] == "sockerless/0123456789abcdef"
    assert (request["launchType"], request["platformVersion"], request["count"]) == ("FARGATE", "1.4.0", 1)
    assert request["enableExecuteCommand"] is False


def test_botocore_accepts_the_request_for_spot() -> None:
    request = _run(capacity_providers=(("FARGATE", 1), ("FARGATE_SPOT", 1)))
    assert _complaints("RunTask", request) == ""
    assert "launchType" not in request


def test_the_overrides_carry_the_agents_credentials_and_nothing_else_within_awss_limit() -> None:
    overrides = _run()["overrides"]
    assert overrides.keys() == {"containerOverrides"}
    (override,) = overrides["containerOverrides"]
    assert override.keys() == {"name", "environment"}
    assert {pair["name"]: pair["value"] for pair in override["environment"]} == {
        agent.ENV_AGENT_ID: BINDING.credentials.agent_id,
        agent.ENV_TOKEN: BINDING.credentials.token,
        agent.ENV_CERTIFICATE: BINDING.credentials.certificate_pem,
        agent.ENV_KEY: BINDING.credentials.key_pem,
        agent.ENV_PATIENCE_S: "600",
    }
    assert len(json.dumps(overrides)) <= 8192


@pytest.mark.parametrize("arn", ["arn:aws:ecs:r:1:task/cluster/0123abcd", "arn:aws:ecs:r:1:task/0123abcd"])
def test_the_log_stream_ends_with_the_task_id_for_both_forms_of_arn(arn: str) -> None:
    assert log_stream(arn) == "sockerless/main/0123abcd"
