"""What sockerless.toml may say, and how a refusal reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sockerless.errors import InvalidParameter, NotFound
from sockerless.kit import project, settings


def test_defaults_are_valid(tmp_path: Path) -> None:
    made = project.from_mapping(tmp_path, {})
    assert (made.name, made.region, made.zones, made.network_cidr) == ("sockerless", "us-east-1", 2, "10.0.0.0/16")
    assert not made.simulator


def test_settings_survive_a_round_trip(tmp_path: Path) -> None:
    made = project.from_mapping(tmp_path, {"zones": 3, "tags": {"team": "platform"}, "daemon_cidrs": ["10.9.0.0/16"]})
    assert project.from_mapping(tmp_path, project.to_mapping(made)) == made


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"network": "existing", "subnet_ids": ["subnet-01234567"]}, "vpc_id"),
        ({"network": "existing", "vpc_id": "vpc-01234567"}, "subnet_ids"),
        ({"vpc_id": "vpc-01234567"}, "vpc_id"),
        ({"subnet_ids": ["subnet-01234567"]}, "subnet_ids"),
        ({"security_group_ids": ["sg-01234567"]}, "security_group_ids"),
        ({"assign_public_ip": True}, "assign_public_ip"),
        ({"pull_through": ["docker-hub"]}, "docker_hub_secret_arn"),
        ({"pull_through": ["quay", "public-ecr"], "name": "twenty-characters-xx"}, "repository_prefix"),
        ({"pull_through": ["quay"], "repository_prefix": "twenty-six-characters-xxxx"}, "repository_prefix"),
        ({"state_bucket": "states"}, "state_bucket"),
        ({"fargate_weight": 0}, "fargate_weight"),
        ({"default_cpu_units": 1024, "max_cpu_units": 512}, "default_cpu_units"),
        ({"default_memory_mib": 8192, "max_cpu_units": 512}, "default_memory_mib"),
        ({"default_memory_mib": 1024, "max_memory_mib": 512}, "default_memory_mib"),
    ],
)
def test_keys_that_do_not_fit_together_are_refused(tmp_path: Path, values: dict[str, Any], key: str) -> None:
    with pytest.raises(InvalidParameter, match=f"^{key}: "):
        project.from_mapping(tmp_path, values)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("name", "sg-mine"),
        ("name", "a--b"),
        ("name", "a-"),
        ("name", "9lives"),
        ("name", "x" * 33),
        ("zones", 0),
        ("zones", 7),
        ("zones", True),
        ("zones", "2"),
        ("network_cidr", "10.0.0.0/15"),
        ("network_cidr", "10.0.0.0/25"),
        ("network_cidr", "10.0.0.1/16"),
        ("network_cidr", "127.0.0.0/16"),
        ("network_cidr", "169.254.0.0/16"),
        ("network_cidr", "224.0.0.0/16"),
        ("network_cidr", "fd00::/16"),
        ("daemon_cidrs", "10.0.0.0/16"),
        ("daemon_cidrs", ["0.0.0.0/0"]),
        ("log_retention_days", 31),
        ("log_retention_days", True),
        ("deletion_protection", "yes"),
        ("endpoint_url", "http://user:secret@127.0.0.1:4566"),
        ("endpoint_url", "ftp://127.0.0.1"),
        ("endpoint_url", "http://127.0.0.1:0"),
        ("endpoint_url", "http://127.0.0.1:65536"),
        ("endpoint_url", "http://127.0.0.256:4566"),
        ("endpoint_url", "http://1:4566"),
        ("endpoint_url", "http://[::12345]"),
        ("endpoint_url", "http://moto..internal"),
        ("endpoint_url", "http://-moto"),
        ("tags", {"aws:x": "y"}),
        ("tags", {"sockerless:project": "y"}),
        ("tags", {f"key{number}": "x" for number in range(41)}),
        ("tags", ["team"]),
    ],
)
def test_illegal_values_are_refused_with_the_key_named(tmp_path: Path, key: str, value: Any) -> None:
    with pytest.raises(InvalidParameter, match=f"^{key}: "):
        project.from_mapping(tmp_path, {key: value})


@pytest.mark.parametrize("cidr", ["10.0.0.0/16", "10.4.0.0/20", "192.168.7.0/24", "100.64.0.0/16"])
def test_networks_from_16_to_24_are_taken(tmp_path: Path, cidr: str) -> None:
    assert project.from_mapping(tmp_path, {"network_cidr": cidr}).network_cidr == cidr


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:4566", "https://moto.internal/", "http://[::1]:80", "http://a-1:65535"]
)
def test_addresses_of_a_simulated_aws_are_taken(tmp_path: Path, url: str) -> None:
    assert project.from_mapping(tmp_path, {"endpoint_url": url}).endpoint_url == url


def test_every_wrong_key_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter) as caught:
        project.from_mapping(tmp_path, {"name": "UPPER", "zones": 9, "regoin": "eu-central-1"})
    assert "name: " in caught.value.message
    assert "zones: " in caught.value.message
    assert "regoin: there is no such key; did you mean region?" in caught.value.message


@pytest.mark.parametrize(
    ("key", "hint"),
    [
        ("regoin", "did you mean region?"),
        ("subnets", "did you mean subnet_ids?"),
        ("cidr", "did you mean network_cidr or daemon_cidrs?"),
        ("Task-Size", "did you mean task_events or task_quota?"),
        ("colour", f"the keys are {', '.join(settings.BY_NAME)}"),
        ("", f"the keys are {', '.join(settings.BY_NAME)}"),
    ],
)
def test_an_unknown_key_is_refused_with_those_that_may_be_meant(tmp_path: Path, key: str, hint: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        project.from_mapping(tmp_path, {key: "x"})
    assert caught.value.message == f"{key}: there is no such key; {hint}"


def test_a_long_value_is_not_repeated_whole(tmp_path: Path) -> None:
    with pytest.raises(InvalidParameter) as caught:
        project.from_mapping(tmp_path, {"name": "x" * 5000})
    assert len(caught.value.message) < 300


def test_a_directory_without_settings_names_init(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="sockerless-kit init"):
        project.load(tmp_path)


@pytest.mark.parametrize("text", [b"name = ", b"\xff\xfe", b'name = "a"\nname = "b"'])
def test_a_broken_file_is_named(tmp_path: Path, text: bytes) -> None:
    (tmp_path / "sockerless.toml").write_bytes(text)
    with pytest.raises(InvalidParameter, match=r"sockerless\.toml is not valid TOML"):
        project.load(tmp_path)
