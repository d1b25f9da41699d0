"""The rows of ContainerConfig and of EndpointSettings, and the checks of single values in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sockerless.api.create_options import (
    FLAG,
    MAP,
    NUMBER,
    TEXT,
    TEXT_MAP,
    TEXTS,
    WORDS,
    Option,
    echoed,
    honoured,
    impossible,
    is_absent,
    not_built,
    read,
)
from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import JsonObject

DEFAULT_NETWORKS = frozenset({"default", "bridge"})
_NO_VOLUMES = "volumes are not built yet."
_KEEP_OUTSIDE = "Keep data outside the container, for example in S3."


def _check_env(entries: list[str]) -> None:
    for entry in entries:
        if not entry.partition("=")[0]:
            raise InvalidParameter(f"invalid environment variable: {entry}")


_LEAST_HEALTH_NS = 1_000_000
_HEALTH_TIMES = ("Interval", "Timeout", "StartPeriod", "StartInterval")


def _check_health(check: JsonObject) -> None:
    for name in (*_HEALTH_TIMES, "Retries"):
        if not NUMBER.accepts(check.get(name) or 0):
            raise InvalidParameter(f"invalid JSON: Config.Healthcheck.{name} must be {NUMBER.name}")
    if not TEXTS.accepts(check.get("Test") or []):
        raise InvalidParameter(f"invalid JSON: Config.Healthcheck.Test must be {TEXTS.name}")
    for name in _HEALTH_TIMES:
        if check.get(name) and check[name] < _LEAST_HEALTH_NS:
            raise InvalidParameter(f"{name} in Healthcheck cannot be less than 1ms")
    if (check.get("Retries") or 0) < 0:
        raise InvalidParameter("Retries in Healthcheck cannot be negative")


CONFIG: tuple[Option, ...] = (
    honoured("Image", TEXT, "Looked up among the images this daemon knows, by id or reference."),
    honoured("Cmd", WORDS, "The command, or the entrypoint's arguments."),
    honoured("Entrypoint", WORDS, 'The program; [""] drops the image\'s.', "--entrypoint"),
    honoured("Env", TEXTS, "Reaches the process through its agent and stands in no AWS document.", "--env", _check_env),
    honoured("User", TEXT, "A name or number, with or without group, resolved in the container.", "--user"),
    honoured("WorkingDir", TEXT, "The process's working directory.", "--workdir"),
    honoured("Tty", FLAG, "A terminal for the process.", "--tty"),
    honoured("OpenStdin", FLAG, "Keeps stdin open.", "--interactive"),
    honoured("StdinOnce", FLAG, "Closes stdin after the first attached client."),
    honoured("Labels", TEXT_MAP, "Kept with the container; filters see them.", "--label"),
    honoured("StopSignal", TEXT, "What docker stop sends first.", "--stop-signal"),
    honoured("StopTimeout", NUMBER, "Seconds until docker stop sends SIGKILL.", "--stop-timeout"),
    honoured(
        "Hostname",
        TEXT,
        "HOSTNAME, /etc/hostname and /etc/hosts; the kernel's host name is Fargate's own. Not with a read-only root.",
        "--hostname",
    ),
    honoured("ExposedPorts", MAP, "Shown by inspect and ps; nothing is published by it.", "--expose"),
    echoed("AttachStdin", FLAG, "What the client itself will attach."),
    echoed("AttachStdout", FLAG, "What the client itself will attach."),
    echoed("AttachStderr", FLAG, "What the client itself will attach."),
    echoed("OnBuild", TEXTS, "Metadata for builds."),
    echoed("Shell", TEXTS, "Metadata for builds."),
    echoed("ArgsEscaped", FLAG, "Windows only."),
    honoured(
        "Healthcheck",
        MAP,
        "Run by the agent, so it goes on while the daemon is away.",
        "--health-cmd, --health-interval, --health-timeout, --health-retries, --health-start-period, --no-healthcheck",
        _check_health,
    ),
    not_built("Volumes", MAP, _NO_VOLUMES, _KEEP_OUTSIDE, "--volume", is_absent),
    honoured(
        "Domainname",
        TEXT,
        "Part of the name in /etc/hosts and /etc/hostname. Not with a read-only root.",
        "--domainname",
    ),
    impossible(
        "NetworkDisabled",
        FLAG,
        "a task always has its network interface.",
        "Close the traffic in the deployment's security group.",
    ),
    impossible("MacAddress", TEXT, "AWS chooses the interface's address.", "Leave the option out.", "--mac-address"),
)

_AWS_CHOOSES = "AWS chooses the interface and its addresses."
_LEAVE_OUT = "Leave the option out."
_NOT_YET = "networks are not built yet."
_USE_ADDRESS = "Use the container's private address (docker inspect), or --add-host."

ENDPOINT: tuple[Option, ...] = (
    impossible("IPAMConfig", MAP, _AWS_CHOOSES, _LEAVE_OUT, "--ip"),
    impossible("MacAddress", TEXT, _AWS_CHOOSES, _LEAVE_OUT, "--mac-address"),
    impossible("DriverOpts", MAP, "there is no network driver.", _LEAVE_OUT, "--network name=...,driver-opt=..."),
    not_built("Links", TEXTS, _NOT_YET, _USE_ADDRESS, "--link"),
    not_built("Aliases", TEXTS, _NOT_YET, _USE_ADDRESS, "--network-alias"),
)
"""The other fields of EndpointSettings are the daemon's answer; in a request Docker ignores them, and so do we."""


def read_config(body: Mapping[str, Any]) -> tuple[JsonObject, list[str]]:
    """The Config section, which is the body's top level. InvalidParameter when it is empty."""
    config, warnings = read("Config", CONFIG, body)
    if not config:
        raise InvalidParameter("Config cannot be empty in order to create a container")
    return config, warnings


def read_networking(networking: Mapping[str, Any]) -> tuple[JsonObject, list[str]]:
    """The NetworkingConfig section: only the default network exists, without settings of its own."""
    endpoints = networking.get("EndpointsConfig") or {}
    if not isinstance(endpoints, dict):
        raise InvalidParameter("invalid JSON: NetworkingConfig.EndpointsConfig must be an object")
    kept: JsonObject = {}
    for name, settings in endpoints.items():
        if name not in DEFAULT_NETWORKS:
            raise NotSupported(
                f"network {name} (--network) is not available in this version of sockerless: {_NOT_YET} "
                "Leave the option out: all containers of the deployment reach each other at their private addresses."
            )
        if settings is not None and not isinstance(settings, dict):
            raise InvalidParameter(f"invalid JSON: NetworkingConfig.EndpointsConfig.{name} must be an object")
        kept[name], _ = read(f"NetworkingConfig.EndpointsConfig.{name}", ENDPOINT, settings or {})
    return ({"EndpointsConfig": kept} if kept else {}), []
