"""A container as Docker's inspect and list write it. Pure: the moment is handed in.

Laws: no list or map that clients iterate is null; a time that has not come is the zero time; nothing that is not
known is invented. Source: Engine API 1.44, ContainerInspectResponse and ContainerSummary; recorded on dockerd 20.10.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from sockerless.api.create_host_config import HOST_CONFIG_DEFAULTS, SHOWN_WHEN_SET
from sockerless.types import Container, ContainerState, Health, JsonObject
from sockerless.wire.timestamps import NEVER, rfc3339

BRIDGE_NETWORK_ID = hashlib.sha256(b"sockerless network bridge").hexdigest()
"""The id of the one network every container is on: the deployment's subnets, under Docker's default name."""

_NS = 1_000_000_000
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_CONFIG_DEFAULTS: JsonObject = {
    "Hostname": "",
    "Domainname": "",
    "User": "",
    "AttachStdin": False,
    "AttachStdout": False,
    "AttachStderr": False,
    "Tty": False,
    "OpenStdin": False,
    "StdinOnce": False,
    "Env": [],
    "Cmd": None,
    "Image": "",
    "Volumes": None,
    "WorkingDir": "",
    "Entrypoint": None,
    "OnBuild": None,
    "Labels": {},
}
_HEALTH_TEXTS = {"starting": "health: starting"}
_OMITTED_WHEN_EMPTY = ("ExposedPorts", "Healthcheck", "StopSignal", "StopTimeout", "Shell", "MacAddress")


def inspect(container: Container, exec_ids: Sequence[str] = ()) -> JsonObject:
    """ContainerInspectResponse. exec_ids: its execs that have not ended."""
    argv = command(container)
    return {
        "Id": container.id,
        "Created": rfc3339(container.created_at_ns),
        "Path": argv[0] if argv else "",
        "Args": argv[1:],
        "State": _state(container),
        "Image": container.image_id,
        "ResolvConfPath": "",
        "HostnamePath": "",
        "HostsPath": "",
        "LogPath": "",
        "Name": f"/{container.name}",
        "RestartCount": container.restart_count,
        "Driver": "fargate",
        "Platform": "linux",
        "MountLabel": "",
        "ProcessLabel": "",
        "AppArmorProfile": "",
        "ExecIDs": list(exec_ids) or None,
        "HostConfig": host_config(container),
        "GraphDriver": {"Data": {}, "Name": "fargate"},
        "Mounts": [],
        "Config": _config(container),
        "NetworkSettings": _network_settings(container),
    }


def summary(container: Container, now_ns: int) -> JsonObject:
    """ContainerSummary, one entry of GET /containers/json."""
    return {
        "Id": container.id,
        "Names": [f"/{container.name}"],
        "Image": container.image,
        "ImageID": container.image_id,
        "Command": " ".join(f"'{word}'" if " " in word else word for word in command(container)),
        "Created": container.created_at_ns // _NS,
        "Ports": _port_list(container),
        "Labels": container.config.get("Labels") or {},
        "State": container.state.status,
        "Status": status_text(container.state, now_ns, container.health),
        "HostConfig": {"NetworkMode": host_config(container)["NetworkMode"]},
        "NetworkSettings": {"Networks": _networks(container)},
        "Mounts": [],
    }


def command(container: Container) -> list[str]:
    """The main process's argument list: entrypoint, then command."""
    parts = (container.config.get(key) or [] for key in ("Entrypoint", "Cmd"))
    return [word for part in parts for word in ([part] if isinstance(part, str) else part)]


def status_text(state: ContainerState, now_ns: int, health: Health | None = None) -> str:
    """The STATUS column of docker ps."""
    match state.status:
        case "running":
            shown = f" ({_HEALTH_TEXTS.get(health.status, health.status)})" if health is not None else ""
            return f"Up {_since(state.started_at_ns, now_ns)}{shown}"
        case "paused":
            return f"Up {_since(state.started_at_ns, now_ns)} (Paused)"
        case "restarting":
            return f"Restarting ({state.exit_code}) {_since(state.finished_at_ns, now_ns)} ago"
        case "exited" if state.started_at_ns or state.finished_at_ns:
            return f"Exited ({state.exit_code}) {_since(state.finished_at_ns, now_ns)} ago"
        case "removing":
            return "Removal In Progress"
        case "dead":
            return "Dead"
        case _:
            return "Created"


def _since(moment_ns: int, now_ns: int) -> str:
    return human_duration(max(0, now_ns - moment_ns) // _NS)


def human_duration(seconds: int) -> str:
    """A duration as Docker's clients and daemon say it: one unit, rounded."""
    hours = int(seconds / _HOUR + 0.5)
    steps = (
        (seconds < 1, "Less than a second"),
        (seconds == 1, "1 second"),
        (seconds < _MINUTE, f"{seconds} seconds"),
        (seconds < 2 * _MINUTE, "About a minute"),
        (seconds < _HOUR, f"{seconds // _MINUTE} minutes"),
        (hours == 1, "About an hour"),
        (hours < 48, f"{hours} hours"),
        (hours < 24 * 7 * 2, f"{hours // 24} days"),
        (hours < 24 * 30 * 2, f"{hours // 24 // 7} weeks"),
        (hours < 24 * 365 * 2, f"{hours // 24 // 30} months"),
    )
    return next((text for applies, text in steps if applies), f"{seconds // _DAY // 365} years")


def host_config(container: Container) -> JsonObject:
    """HostConfig as asked, with Docker's values where nothing was."""
    asked = {key: value for key, value in container.host_config.items() if value is not None}
    merged: JsonObject = {**HOST_CONFIG_DEFAULTS, **asked}
    if not (merged["LogConfig"] or {}).get("Type"):
        merged["LogConfig"] = HOST_CONFIG_DEFAULTS["LogConfig"]
    for key in ("NetworkMode", "IpcMode", "CgroupnsMode", "Runtime", "ShmSize"):
        merged[key] = merged[key] or HOST_CONFIG_DEFAULTS[key]
    if not (merged["RestartPolicy"] or {}).get("Name"):
        merged["RestartPolicy"] = HOST_CONFIG_DEFAULTS["RestartPolicy"]
    return {key: value for key, value in merged.items() if value or key not in SHOWN_WHEN_SET}


def _config(container: Container) -> JsonObject:
    asked = {key: value for key, value in container.config.items() if value is not None}
    merged: JsonObject = {**_CONFIG_DEFAULTS, **asked}
    merged["Hostname"] = merged["Hostname"] or container.id[:12]
    return {key: value for key, value in merged.items() if value or key not in _OMITTED_WHEN_EMPTY}


def _state(container: Container) -> JsonObject:
    state = container.state
    running = state.status in {"running", "paused", "restarting"}
    health = {"Health": _health(container.health)} if container.health is not None else {}
    return {
        "Status": state.status,
        "Running": running,
        "Paused": state.status == "paused",
        "Restarting": state.status == "restarting",
        "OOMKilled": state.oom_killed,
        "Dead": state.status == "dead",
        "Pid": state.pid if running else 0,
        "ExitCode": state.exit_code,
        "Error": state.error,
        "StartedAt": rfc3339(state.started_at_ns),
        "FinishedAt": NEVER if state.status == "created" else rfc3339(state.finished_at_ns),
        **health,
    }


def _health(health: Health) -> JsonObject:
    log = [
        {
            "Start": rfc3339(probe.start_ns),
            "End": rfc3339(probe.end_ns),
            "ExitCode": probe.exit_code,
            "Output": probe.output,
        }
        for probe in health.log
    ]
    return {"Status": health.status, "FailingStreak": health.failing_streak, "Log": log}


def _network_settings(container: Container) -> JsonObject:
    endpoint = _endpoint(container)
    same_as_default = (
        "EndpointID",
        "Gateway",
        "GlobalIPv6Address",
        "GlobalIPv6PrefixLen",
        "IPAddress",
        "IPPrefixLen",
        "IPv6Gateway",
        "MacAddress",
    )
    return {
        "Bridge": "",
        "SandboxID": "",
        "HairpinMode": False,
        "LinkLocalIPv6Address": "",
        "LinkLocalIPv6PrefixLen": 0,
        "Ports": _port_map(container) if _is_up(container) else {},
        "SandboxKey": "",
        "SecondaryIPAddresses": None,
        "SecondaryIPv6Addresses": None,
        **{key: endpoint[key] for key in same_as_default},
        "Networks": _networks(container),
    }


def _networks(container: Container) -> JsonObject:
    return {"bridge": _endpoint(container)}


def _endpoint(container: Container) -> JsonObject:
    address = container.task.address if container.task is not None and _is_up(container) else None
    return {
        "IPAMConfig": None,
        "Links": None,
        "Aliases": None,
        "MacAddress": "",
        "DriverOpts": None,
        "NetworkID": BRIDGE_NETWORK_ID,
        "EndpointID": "",
        "Gateway": "",
        "IPAddress": address or "",
        "IPPrefixLen": 0,
        "IPv6Gateway": "",
        "GlobalIPv6Address": "",
        "GlobalIPv6PrefixLen": 0,
        "DNSNames": None,
    }


def _is_up(container: Container) -> bool:
    return container.state.status in {"running", "paused"}


def _port_map(container: Container) -> JsonObject:
    """Every exposed port, and every published one with its addresses."""
    ports: JsonObject = dict.fromkeys(container.config.get("ExposedPorts") or {})
    for port in container.ports:
        key = f"{port.container_port}/tcp"
        ports[key] = [*(ports.get(key) or []), {"HostIp": port.host_ip, "HostPort": str(port.host_port)}]
    return ports


def _port_list(container: Container) -> list[JsonObject]:
    if not _is_up(container):
        return []
    published: list[JsonObject] = [
        {"IP": port.host_ip, "PrivatePort": port.container_port, "PublicPort": port.host_port, "Type": "tcp"}
        for port in container.ports
    ]
    split = (key.partition("/") for key, addresses in _port_map(container).items() if not addresses)
    return published + [
        {"PrivatePort": int(number), "Type": kind or "tcp"} for number, _, kind in split if number.isdecimal()
    ]
