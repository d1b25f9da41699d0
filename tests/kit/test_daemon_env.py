"""Terraform's outputs become exactly the variables that the deployment determines."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from sockerless import config
from sockerless.errors import InvalidParameter, NotFound, SystemFailure
from sockerless.kit import daemon_env, outputs, project, serve

from .standing import deployment, document


def test_every_determined_variable_has_a_line_and_no_other_has(tmp_path: Path) -> None:
    names = [variable.name for variable in config.VARIABLES if variable.determined]
    assert list(daemon_env.variables(deployment(tmp_path), "v1", "X86_64")) == names


def test_the_daemon_reads_the_file_whole(tmp_path: Path) -> None:
    path = daemon_env.write(deployment(tmp_path), "v1", "X86_64")
    read = config.load(serve.parse_env(path.read_text(), str(path)))
    assert read.region == "eu-central-1"
    assert read.cluster == "test"
    assert read.subnets == ("subnet-0c", "subnet-0d")
    assert read.security_groups == ("sg-0a",)
    assert not read.public_ip
    assert read.agent_image == "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/agent:v1"
    assert (read.agent_efs_id, read.agent_efs_access_point, read.agent_version) == ("fs-0a", "fsap-0a", "v1")
    assert read.agent_architecture == "X86_64"
    assert read.ecr_repository.endswith("/test/images")
    assert read.state_dir == tmp_path / ".sockerless" / "state"
    assert read.endpoint_url == ""
    assert read.events_queue_url.endswith("/test-events")
    assert [host for host, _ in read.pull_through] == ["docker.io", "quay.io"]


def test_the_capacity_that_sockerless_toml_asks_for_reaches_the_daemon(tmp_path: Path) -> None:
    asked = {
        "fargate_weight": 1,
        "spot_weight": 3,
        "architecture": "ARM64",
        "default_cpu_units": 512,
        "default_memory_mib": 1024,
        "max_cpu_units": 2048,
        "max_memory_mib": 8192,
    }
    path = daemon_env.write(deployment(tmp_path, **asked), "v1", "X86_64")
    read = config.load(serve.parse_env(path.read_text(), str(path)))
    assert read.capacity_providers == (("FARGATE", 1), ("FARGATE_SPOT", 3))
    assert read.architecture == "ARM64"
    assert (read.default_cpu_units, read.default_memory_mib) == (512, 1024)
    assert (read.max_cpu_units, read.max_memory_mib) == (2048, 8192)


def test_tasks_in_public_subnets_get_public_addresses(tmp_path: Path) -> None:
    public = {"task_subnet_ids": ["subnet-0a", "subnet-0b"], "assign_public_ip": True}
    written = daemon_env.variables(deployment(tmp_path, public), "v1", "X86_64")
    assert written["SOCKERLESS_ECS_SUBNETS"] == "subnet-0a,subnet-0b"
    assert written["SOCKERLESS_ECS_PUBLIC_IP"] == "true"


def test_the_simulator_s_address_is_written_in_simulator_mode_only(tmp_path: Path) -> None:
    url = "http://127.0.0.1:4999"
    assert daemon_env.variables(deployment(tmp_path, endpoint_url=url), "v1", "X86_64")["SOCKERLESS_ENDPOINT_URL"] == ""
    simulated = deployment(tmp_path, target="simulator", endpoint_url=url)
    assert daemon_env.variables(simulated, "v1", "X86_64")["SOCKERLESS_ENDPOINT_URL"] == url


def test_only_the_owner_reads_the_file(tmp_path: Path) -> None:
    path = daemon_env.write(deployment(tmp_path), "v1", "X86_64")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o644)
    assert stat.S_IMODE(daemon_env.write(deployment(tmp_path), "v2", "X86_64").stat().st_mode) == 0o600


def test_the_file_is_where_serve_looks(tmp_path: Path) -> None:
    assert daemon_env.write(deployment(tmp_path), "v1", "X86_64") == serve.env_file(tmp_path)


def test_no_outputs_at_all_name_apply_for_this_very_deployment(tmp_path: Path) -> None:
    for env, words in (("", "`sockerless-kit apply`"), ("prod", "`sockerless-kit apply --env prod`")):
        with pytest.raises(NotFound, match=words):
            outputs.parse({}, project.from_mapping(tmp_path, {}, env))


def test_a_missing_output_is_named(tmp_path: Path) -> None:
    lacking = document()
    del lacking["vpc_id"]
    with pytest.raises(SystemFailure, match="lack vpc_id"):
        outputs.parse(lacking, project.from_mapping(tmp_path, {}))


@pytest.mark.parametrize(
    ("name", "hint"),
    [("SOCKERLESS_LINGR_S", "; did you mean SOCKERLESS_LINGER_S?"), ("SOCKERLESS_COLOUR", ""), ("PATH", "")],
)
def test_an_unknown_variable_is_refused_with_the_one_that_may_be_meant(name: str, hint: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        serve.parse_env(f"# by hand\n{name}=1\n", "daemon.env")
    assert caught.value.message == f"daemon.env, line 2: {name!r} is no variable of the daemon{hint}"
