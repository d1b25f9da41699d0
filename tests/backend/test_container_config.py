"""Merging a create body with the image's config, as Docker does."""

from __future__ import annotations

import pytest

from sockerless.backend import container_config as cc
from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import JsonObject
from tests.backend.rig import Rig

IMAGE: JsonObject = {"Entrypoint": ["/entry"], "Cmd": ["serve"], "Env": ["A=1", "B=2"], "Labels": {"x": "image"}}


@pytest.mark.parametrize(
    ("asked", "argv"),
    [
        ({}, ["/entry", "serve"]),
        ({"Cmd": ["other"]}, ["/entry", "other"]),
        ({"Entrypoint": ["sh"]}, ["sh"]),
        ({"Entrypoint": ["sh"], "Cmd": ["-c", "x"]}, ["sh", "-c", "x"]),
        ({"Entrypoint": [""], "Cmd": ["ls"]}, ["ls"]),
        ({"Cmd": []}, ["/entry", "serve"]),
        ({"Cmd": ["", "a b", "new\nline"]}, ["/entry", "", "a b", "new\nline"]),
    ],
)
def test_entrypoint_and_command_override_as_in_docker(asked: JsonObject, argv: list[str]) -> None:
    assert cc.argv(cc.merge(asked, IMAGE)) == argv


def test_a_container_without_any_command_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="no command specified"):
        cc.merge({}, {})


def test_what_is_asked_wins_over_the_images_environment_and_labels() -> None:
    merged = cc.merge({"Env": ["A=mine", "C=3"], "Labels": {"x": "mine"}}, IMAGE)
    assert merged["Env"] == ["A=mine", "C=3", "B=2"]
    assert merged["Labels"] == {"x": "mine"}


def test_the_environment_has_dockers_defaults_below_what_was_asked() -> None:
    env = cc.environment({"Env": ["PATH=/x", "EMPTY=", "HOSTNAME"], "Tty": True}, "host")
    assert env == {"PATH": "/x", "EMPTY": "", "TERM": "xterm"}
    assert cc.environment({}, "host") == {"PATH": cc.DEFAULT_PATH, "HOSTNAME": "host"}


@pytest.mark.parametrize(("host", "nano"), [({"NanoCpus": 5}, 5), ({"CpuQuota": 50_000}, 500_000_000), ({}, 0)])
def test_cpu_is_asked_for_in_two_ways(host: JsonObject, nano: int) -> None:
    assert cc.nano_cpus(host) == nano


def test_an_unknown_stop_signal_is_refused() -> None:
    with pytest.raises(InvalidParameter, match="Invalid signal: NOPE"):
        cc.stop_signal({"StopSignal": "NOPE"})


@pytest.mark.parametrize(
    ("config", "host", "name"),
    [
        ({"Hostname": "web"}, {}, "Config.Hostname"),
        ({"Domainname": "example.com"}, {}, "Config.Domainname"),
        ({}, {"ExtraHosts": ["db:10.0.0.1"]}, "HostConfig.ExtraHosts"),
        ({}, {"DnsOptions": ["ndots:1"]}, "HostConfig.DnsOptions"),
    ],
)
def test_names_that_a_read_only_root_keeps_from_being_written_are_refused(
    config: JsonObject, host: JsonObject, name: str
) -> None:
    cc.check_names(config, host)
    with pytest.raises(NotSupported, match=f"{name} together with HostConfig.ReadonlyRootfs is not supported"):
        cc.check_names(config, {**host, "ReadonlyRootfs": True})


async def test_create_refuses_a_name_beside_a_read_only_root(rig: Rig) -> None:
    with pytest.raises(NotSupported, match=r"Config\.Hostname"):
        await rig.create(config={"Hostname": "web"}, ReadonlyRootfs=True)
    await rig.create(config={"Hostname": ""}, ReadonlyRootfs=True)
