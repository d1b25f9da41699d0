"""The create body: what real clients send passes, what Fargate cannot do is refused with reason and remedy."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockerless.api.create_config import CONFIG, ENDPOINT, read_config, read_networking
from sockerless.api.create_host_config import HOST_CONFIG, HOST_CONFIG_DEFAULTS
from sockerless.api.create_options import Option, read
from sockerless.errors import InvalidParameter, NotSupported
from tests.api.conftest import Served

BODIES: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "create_bodies.json").read_text())
"""Recorded from docker CLI 28.2.2, docker-py 7.2.0 and docker-compose 1.29.2, each with the options in its name."""

API_1_44_HOST_CONFIG = """
Annotations AutoRemove Binds BlkioDeviceReadBps BlkioDeviceReadIOps BlkioDeviceWriteBps BlkioDeviceWriteIOps
BlkioWeight BlkioWeightDevice CapAdd CapDrop Cgroup CgroupParent CgroupnsMode ConsoleSize ContainerIDFile CpuCount
CpuPercent CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpuShares CpusetCpus CpusetMems DeviceCgroupRules
DeviceRequests Devices Dns DnsOptions DnsSearch ExtraHosts GroupAdd IOMaximumBandwidth IOMaximumIOps Init IpcMode
Isolation KernelMemoryTCP Links LogConfig MaskedPaths Memory MemoryReservation MemorySwap MemorySwappiness Mounts
NanoCpus NetworkMode OomKillDisable OomScoreAdj PidMode PidsLimit PortBindings Privileged PublishAllPorts
ReadonlyPaths ReadonlyRootfs RestartPolicy Runtime SecurityOpt ShmSize StorageOpt Sysctls Tmpfs UTSMode Ulimits
UsernsMode VolumeDriver VolumesFrom
"""
API_1_44_CONFIG = """
ArgsEscaped AttachStderr AttachStdin AttachStdout Cmd Domainname Entrypoint Env ExposedPorts Healthcheck Hostname Image
Labels MacAddress NetworkDisabled OnBuild OpenStdin Shell StdinOnce StopSignal StopTimeout Tty User Volumes WorkingDir
"""


def host(**fields: Any) -> tuple[dict[str, Any], list[str]]:
    """A HostConfig as read."""
    return read("HostConfig", HOST_CONFIG, fields)


def test_every_field_of_the_api_has_a_row() -> None:
    beyond = {"KernelMemory"}  # removed in API 1.42, still sent by older clients
    assert {option.name for option in HOST_CONFIG} == set(API_1_44_HOST_CONFIG.split()) | beyond
    assert {option.name for option in CONFIG} == set(API_1_44_CONFIG.split())


@pytest.mark.parametrize("option", [*CONFIG, *HOST_CONFIG, *ENDPOINT], ids=lambda option: option.name)
def test_every_row_says_its_reason_and_a_refusal_its_remedy(option: Option) -> None:
    assert option.note.endswith(".")
    if option.treatment in {"impossible", "not built"}:
        assert option.remedy.endswith(".")
        assert option.name in option.refusal("HostConfig").message


@pytest.mark.parametrize("name", sorted(set(BODIES) - {"compose_network", "run_everything_1_41"}))
async def test_what_clients_send_by_default_is_accepted(served: Served, name: str) -> None:
    recorded = BODIES[name]
    status, _, body = await served.request("POST", recorded["target"], recorded["body"])
    assert (status, json.loads(body)["Warnings"]) == (201, [])


async def test_the_honoured_options_reach_the_verb_as_docker_spells_them(served: Served) -> None:
    recorded = BODIES["run_honoured_options"]
    await served.request("POST", recorded["target"], recorded["body"])
    _, name, config, host_config, _, platform = served.engine.calls[-1]
    assert (name, platform) == ("x", "linux/amd64")
    for key in ("Cmd", "Entrypoint", "Env", "User", "WorkingDir", "Labels", "StopSignal", "StopTimeout", "Hostname"):
        assert config[key] == recorded["body"][key]
    for key in ("Memory", "NanoCpus", "CapAdd", "CapDrop", "ExtraHosts", "Ulimits", "ReadonlyRootfs", "Init"):
        assert host_config[key] == recorded["body"]["HostConfig"][key]
    assert "HostConfig" not in config


REFUSED = [
    ("Privileged", True, 400, "HostConfig.Privileged (--privileged) is not supported on AWS Fargate: "),
    ("Devices", [{"PathOnHost": "/dev/null"}], 400, "HostConfig.Devices (--device) is not supported on AWS Fargate: "),
    ("DeviceRequests", [{"Count": -1}], 400, "HostConfig.DeviceRequests (--gpus) is not supported"),
    ("CapAdd", ["NET_ADMIN"], 400, "HostConfig.CapAdd (--cap-add) other than SYS_PTRACE is not supported"),
    ("SecurityOpt", ["seccomp=unconfined"], 400, "HostConfig.SecurityOpt (--security-opt) other than no-new-"),
    ("SecurityOpt", ["no-new-privileges:false"], 400, "HostConfig.SecurityOpt"),
    ("PidMode", "host", 400, "HostConfig.PidMode (--pid)"),
    ("IpcMode", "host", 400, "HostConfig.IpcMode (--ipc)"),
    ("IpcMode", "none", 400, "HostConfig.IpcMode (--ipc)"),
    ("UTSMode", "host", 400, "HostConfig.UTSMode (--uts)"),
    ("UsernsMode", "host", 400, "HostConfig.UsernsMode (--userns)"),
    ("CgroupnsMode", "host", 400, "HostConfig.CgroupnsMode (--cgroupns)"),
    ("Runtime", "kata", 400, "HostConfig.Runtime (--runtime)"),
    ("Sysctls", {"a": "1"}, 400, "HostConfig.Sysctls (--sysctl)"),
    ("ShmSize", 1 << 30, 400, "HostConfig.ShmSize (--shm-size) other than 64 MiB"),
    ("Ulimits", [{"Name": "nproc", "Soft": 1, "Hard": 1}], 400, "HostConfig.Ulimits (--ulimit) other than nofile"),
    ("Ulimits", [{"Name": "nofile", "Soft": 2, "Hard": 1}], 400, "ulimit soft limit must be less than or equal"),
    ("CapDrop", ["NONSENSE"], 400, 'invalid CapDrop: unknown capability: "NONSENSE"'),
    ("ExtraHosts", ["a"], 400, 'bad format for add-host: "a"'),
    ("ExtraHosts", ["a:host-gateway"], 400, 'invalid IP address in add-host: "host-gateway"'),
    ("MaskedPaths", [], 400, "HostConfig.MaskedPaths"),
    ("ConsoleSize", [1], 400, "HostConfig.ConsoleSize must be [height, width]"),
    ("Memory", "1g", 400, "invalid JSON: HostConfig.Memory must be an integer"),
    ("Memory", True, 400, "invalid JSON: HostConfig.Memory must be an integer"),
    ("NetworkMode", "host", 501, "HostConfig.NetworkMode (--network) other than default or bridge"),
    ("NetworkMode", "none", 501, "HostConfig.NetworkMode"),
    ("NetworkMode", "container:x", 501, "HostConfig.NetworkMode"),
    ("Binds", ["/a:/b"], 501, "HostConfig.Binds (--volume)"),
    ("Mounts", [{"Type": "tmpfs", "Target": "/x"}], 501, "HostConfig.Mounts (--mount)"),
    ("Tmpfs", {"/run": ""}, 501, "HostConfig.Tmpfs (--tmpfs)"),
    ("VolumesFrom", ["x"], 501, "HostConfig.VolumesFrom (--volumes-from)"),
    ("RestartPolicy", {"Name": "foo"}, 400, "invalid restart policy 'foo'"),
    (
        "RestartPolicy",
        {"Name": "always", "MaximumRetryCount": 2},
        400,
        "maximum retry count cannot be used with restart policy 'always'",
    ),
    (
        "RestartPolicy",
        {"Name": "on-failure", "MaximumRetryCount": -2},
        400,
        "maximum retry count cannot be negative",
    ),
    ("LogConfig", {"Type": "none"}, 501, "HostConfig.LogConfig (--log-driver, --log-opt) other than json-file"),
    ("LogConfig", {"Type": "json-file", "Config": {"max-size": "1m"}}, 501, "HostConfig.LogConfig"),
    ("Links", ["a:b"], 501, "HostConfig.Links (--link)"),
    ("Dns", ["nowhere"], 400, 'invalid IP address in dns: "nowhere"'),
    ("DnsSearch", ["a b"], 400, "not one word of /etc/resolv.conf"),
    ("GroupAdd", ["1"], 501, "HostConfig.GroupAdd (--group-add)"),
    ("StorageOpt", {"size": "50G"}, 501, "HostConfig.StorageOpt (--storage-opt)"),
]


@pytest.mark.parametrize(("field", "value", "status", "message"), REFUSED)
async def test_a_refused_host_option(served: Served, field: str, value: Any, status: int, message: str) -> None:
    body = {"Image": "busybox:test", "HostConfig": {field: value}}
    answered, _, payload = await served.request("POST", "/containers/create", body)
    assert answered == status
    assert json.loads(payload)["message"].startswith(message)
    assert not served.engine.calls


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (None, 400, "invalid JSON: got EOF while reading request body"),
        ([], 400, "invalid JSON: expected an object"),
        (b"{", 400, "invalid JSON: "),
        ({}, 400, "Config cannot be empty in order to create a container"),
        ({"HostConfig": {}}, 400, "Config cannot be empty in order to create a container"),
        ({"Image": "x", "HostConfig": []}, 201, ""),
        ({"Image": "x", "HostConfig": [1]}, 400, "invalid JSON: HostConfig must be an object"),
        ({"Image": "x", "Env": "A=b"}, 400, "invalid JSON: Config.Env must be a list of strings"),
        ({"Image": "x", "Env": ["=b"]}, 400, "invalid environment variable: =b"),
        ({"Image": "x", "Volumes": {"/v": {}}}, 501, "Config.Volumes (--volume) is not available in this version"),
        ({"Image": "x", "MacAddress": "00:11:22:33:44:55"}, 400, "Config.MacAddress (--mac-address) is not supported"),
        ({"Image": "x", "NetworkDisabled": True}, 400, "Config.NetworkDisabled is not supported on AWS Fargate"),
        (
            {"Image": "x", "NetworkingConfig": {"EndpointsConfig": {"front": {}}}},
            501,
            "network front (--network) is not available in this version of sockerless: ",
        ),
        (
            {"Image": "x", "NetworkingConfig": {"EndpointsConfig": {"bridge": {"Aliases": ["a"]}}}},
            501,
            "NetworkingConfig.EndpointsConfig.bridge.Aliases (--network-alias) is not available",
        ),
        (
            {"Image": "x", "NetworkingConfig": {"EndpointsConfig": {"default": {"IPAMConfig": {"IPv4Address": "1"}}}}},
            400,
            "NetworkingConfig.EndpointsConfig.default.IPAMConfig (--ip) is not supported on AWS Fargate",
        ),
    ],
)
async def test_a_body_that_is_not_accepted(served: Served, body: Any, status: int, message: str) -> None:
    if isinstance(body, dict) and body.get("Image") == "x":
        body["Image"] = "busybox:test"
    answered, _, payload = await served.request("POST", "/containers/create", body)
    assert answered == status, payload
    assert json.loads(payload).get("message", "").startswith(message)


async def test_a_body_of_another_media_type_is_refused(served: Served) -> None:
    answered, _, payload = await served.request(
        "POST", "/containers/create", {"Image": "busybox:test"}, {"Content-Type": "text/plain"}
    )
    assert (answered, json.loads(payload)["message"]) == (
        400,
        "Content-Type specified (text/plain) must be 'application/json'",
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("CpuShares", 512),
        ("MemorySwap", 1 << 30),
        ("MemorySwappiness", 10),
        ("OomKillDisable", True),
        ("PidsLimit", 100),
        ("CpusetCpus", "0"),
        ("BlkioWeight", 10),
    ],
)
async def test_a_limit_that_cannot_be_set_is_discarded_with_a_warning(served: Served, field: str, value: Any) -> None:
    body = {"Image": "busybox:test", "HostConfig": {field: value}}
    status, _, payload = await served.request("POST", "/containers/create", body)
    (warning,) = json.loads(payload)["Warnings"]
    assert status == 201
    assert warning.startswith(f"HostConfig.{field} was discarded: ")
    assert field not in served.engine.calls[-1][3]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("CapAdd", ["CAP_SYS_PTRACE"]),
        ("CapAdd", ["sys_ptrace"]),
        ("CapDrop", ["ALL"]),
        ("SecurityOpt", ["no-new-privileges:true"]),
        ("NetworkMode", "bridge"),
        ("IpcMode", "private"),
        ("ShmSize", 64 << 20),
        ("LogConfig", {"Type": "awslogs", "Config": {}}),
        ("RestartPolicy", {"Name": "", "MaximumRetryCount": 0}),
        ("RestartPolicy", {"Name": "on-failure", "MaximumRetryCount": 3}),
        ("RestartPolicy", {"Name": "unless-stopped"}),
        ("PidsLimit", -1),
        ("ExtraHosts", ["a:::1", "b:10.0.0.1"]),
        ("Ulimits", [{"Name": "nofile", "Soft": 1024, "Hard": 2048}]),
        ("Mounts", []),
        ("Privileged", None),
    ],
)
def test_a_value_that_docker_would_do_the_same_with_is_kept(field: str, value: Any) -> None:
    assert host(**{field: value}) == ({field: value}, [])


@pytest.mark.parametrize("option", HOST_CONFIG, ids=lambda option: option.name)
def test_the_defaults_that_inspect_shows_can_be_sent_back(option: Option) -> None:
    assert host(**{option.name: HOST_CONFIG_DEFAULTS[option.name]})[1] == []


def test_a_field_the_api_does_not_have_is_ignored_as_docker_ignores_it() -> None:
    assert read_config({"Image": "x", "Frobnicate": 1}) == ({"Image": "x"}, [])
    assert host(Frobnicate=1) == ({}, [])


def test_keys_are_read_in_any_case_as_go_reads_them() -> None:
    assert read_config({"image": "x", "CMD": ["a"]})[0] == {"Image": "x", "Cmd": ["a"]}


def test_a_refusal_that_fargate_dictates_is_400_and_one_that_time_dictates_501() -> None:
    with pytest.raises(InvalidParameter):
        host(Privileged=True)
    with pytest.raises(NotSupported):
        host(Binds=["/a:/b"])


def test_networking_of_the_default_network_is_kept_without_the_daemons_own_fields() -> None:
    asked = {"EndpointsConfig": {"default": {"GwPriority": 0, "NetworkID": "", "Aliases": None, "Links": None}}}
    assert read_networking(asked) == ({"EndpointsConfig": {"default": {"Aliases": None, "Links": None}}}, [])


async def test_the_cli_shows_the_refusal(served: Served) -> None:
    code, _, err = await served.docker("run", "--privileged", "busybox:test", "true")
    assert code == 125
    assert b"HostConfig.Privileged (--privileged) is not supported on AWS Fargate: no container is privileged." in err


async def test_a_warning_reaches_the_cli(served: Served) -> None:
    code, _, err = await served.docker("create", "--pids-limit", "100", "busybox:test", "echo")
    assert code == 0
    assert b"WARNING: HostConfig.PidsLimit was discarded: Fargate offers no limit on processes." in err


async def test_a_conflict_of_names_is_409_in_dockers_words(served: Served) -> None:
    await served.request("POST", "/containers/create?name=a", {"Image": "busybox:test"})
    status, _, body = await served.request("POST", "/containers/create?name=a", {"Image": "busybox:test"})
    assert status == 409
    assert json.loads(body)["message"].startswith('Conflict. The container name "/a" is already in use by container ')
