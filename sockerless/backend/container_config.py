"""What a container is made of, from the create body and the image's config. Pure.

Source of the merge rules: Engine API 1.44, POST /containers/create, and the image config of the OCI image
specification 1.1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sockerless.backend import health_check, restart_policy
from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import Container, JsonObject
from sockerless.wire import signals
from sockerless.wire.agent import Process

DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
DEFAULT_STOP_TIMEOUT_S = 10


def merge(asked: JsonObject, image_config: JsonObject) -> JsonObject:
    """Docker's Config with what the image supplies. image_config: the OCI document's "config" member (or {})."""
    merged = dict(asked)
    _merge_command(merged, image_config)
    merged["Env"] = _merge_env(asked.get("Env") or [], image_config.get("Env") or [])
    merged["Labels"] = {**(image_config.get("Labels") or {}), **(asked.get("Labels") or {})}
    for key in ("User", "WorkingDir", "StopSignal"):
        merged[key] = asked.get(key) or image_config.get(key) or ""
    for key in ("ExposedPorts", "Volumes"):
        both = {**(image_config.get(key) or {}), **(asked.get(key) or {})}
        merged[key] = both or None
    merged["Healthcheck"] = health_check.merge(asked.get("Healthcheck"), image_config.get("Healthcheck"))
    return merged


def _merge_command(merged: JsonObject, image_config: JsonObject) -> None:
    if merged.get("Entrypoint") is None:
        if not merged.get("Cmd"):
            merged["Cmd"] = image_config.get("Cmd")
        merged["Entrypoint"] = image_config.get("Entrypoint")
    elif merged["Entrypoint"] == [""]:
        merged["Entrypoint"] = None
    if not argv(merged):
        raise InvalidParameter("no command specified")


def _merge_env(asked: Sequence[str], image: Sequence[str]) -> list[str]:
    given = {entry.partition("=")[0] for entry in asked}
    return [*asked, *(entry for entry in image if entry.partition("=")[0] not in given)]


def argv(config: JsonObject) -> list[str]:
    """The main process's argument list: entrypoint, then command."""
    return [*_words(config.get("Entrypoint")), *_words(config.get("Cmd"))]


def _words(value: object) -> list[str]:
    if value is None:
        return []
    return [value] if isinstance(value, str) else [str(word) for word in value] if isinstance(value, list) else []


def environment(config: JsonObject, hostname: str) -> dict[str, str]:
    """The process's environment: Docker's PATH, HOSTNAME (and TERM with a terminal) below what was asked."""
    env = {"PATH": DEFAULT_PATH, "HOSTNAME": hostname}
    if config.get("Tty"):
        env["TERM"] = "xterm"
    for entry in config.get("Env") or []:
        name, equals, value = entry.partition("=")
        if equals:
            env[name] = value
        else:
            env.pop(name, None)
    return env


def stop_signal(config: JsonObject) -> int:
    """The number of the signal that asks the process to end (default SIGTERM); InvalidParameter when unknown."""
    try:
        return signals.number(config.get("StopSignal") or "SIGTERM")
    except ValueError as error:
        raise InvalidParameter(str(error)) from error


def stop_timeout_s(config: JsonObject) -> int:
    """Seconds `docker stop` waits before SIGKILL; negative = for ever."""
    asked = config.get("StopTimeout")
    return DEFAULT_STOP_TIMEOUT_S if asked is None else int(asked)


def process(container: Container, linger_s: float) -> Process:
    """The main process as the agent starts it."""
    config, host = container.config, container.host_config
    height, width = host.get("ConsoleSize") or (0, 0)
    return Process(
        argv=argv(config),
        env=environment(config, config.get("Hostname") or container.id[:12]),
        user=config.get("User") or "",
        working_dir=config.get("WorkingDir") or "/",
        tty=bool(config.get("Tty")),
        height=height,
        width=width,
        open_stdin=bool(config.get("OpenStdin")),
        stdin_once=bool(config.get("StdinOnce")),
        stop_signal=stop_signal(config),
        capabilities_drop=[name.upper().removeprefix("CAP_") for name in host.get("CapDrop") or []],
        no_new_privileges="no-new-privileges" in {o.partition(":")[0].partition("=")[0] for o in security(host)},
        **_names(container),
        linger_s=_linger_s(host, linger_s),
        healthcheck=health_check.health_check(config),
    )


def _linger_s(host: JsonObject, configured_s: float) -> float:
    if host.get("AutoRemove"):
        return 0.0
    return max(configured_s, restart_policy.LINGER_S) if restart_policy.name_of(host) != "no" else configured_s


def _names(container: Container) -> dict[str, Any]:
    """What the container's own files say of names. A read-only root keeps them as ECS made them (see check_names)."""
    host, config = container.host_config, container.config
    if host.get("ReadonlyRootfs"):
        return {}
    name = config.get("Hostname") or container.id[:12]
    full = ".".join(filter(None, (name, config.get("Domainname"))))
    address = container.task.address if container.task is not None else None
    own = [f"{address}\t{full if full == name else f'{full} {name}'}"] if address else []
    return {
        "hosts": [*(_hosts_line(entry) for entry in host.get("ExtraHosts") or []), *own],
        "hostname": full,
        "dns": list(host.get("Dns") or []),
        "dns_search": list(host.get("DnsSearch") or []),
        "dns_options": list(host.get("DnsOptions") or []),
    }


def check_names(config: JsonObject, host: JsonObject) -> None:
    """NotSupported for names that a read-only root would keep the agent from writing."""
    asked = [f"Config.{key}" for key in ("Hostname", "Domainname") if config.get(key)]
    asked += [f"HostConfig.{key}" for key in ("ExtraHosts", "Dns", "DnsSearch", "DnsOptions") if host.get(key)]
    if asked and host.get("ReadonlyRootfs"):
        raise NotSupported(
            f"{asked[0]} together with HostConfig.ReadonlyRootfs is not supported: the agent writes names "
            "inside the container, where a read-only root forbids it; leave one of them out"
        )


def security(host: JsonObject) -> list[str]:
    """HostConfig.SecurityOpt as a list."""
    return list(host.get("SecurityOpt") or [])


def _hosts_line(entry: str) -> str:
    name, _, address = entry.partition(":")
    return f"{address.strip('[]')}\t{name}"


def nofile(host: JsonObject) -> tuple[int, int] | None:
    """(soft, hard) of the asked nofile ulimit, or None."""
    for limit in host.get("Ulimits") or []:
        if limit.get("Name") == "nofile":
            return int(limit.get("Soft", 0)), int(limit.get("Hard", 0))
    return None


def nano_cpus(host: JsonObject) -> int:
    """The CPU asked for in billionths of a core: NanoCpus, or CpuQuota over CpuPeriod (microseconds)."""
    if host.get("NanoCpus"):
        return int(host["NanoCpus"])
    quota, period = int(host.get("CpuQuota") or 0), int(host.get("CpuPeriod") or 100_000)
    return quota * 1_000_000_000 // period if quota > 0 else 0
