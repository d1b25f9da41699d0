"""The rows of HostConfig, Docker's values where a client gives none, and the checks of single values."""

from __future__ import annotations

import ipaddress
from typing import Any

from sockerless.api.create_options import (
    FLAG,
    MAP,
    MAPS,
    NUMBER,
    NUMBERS,
    TEXT,
    TEXT_MAP,
    TEXTS,
    Option,
    discarded,
    echoed,
    honoured,
    impossible,
    is_absent,
    not_built,
)
from sockerless.errors import InvalidParameter
from sockerless.types import JsonObject

SHM_BYTES = 64 * 1024 * 1024
"""Docker's default and Fargate's only size of /dev/shm."""

LOG_TYPES = frozenset({"", "json-file", "awslogs"})
NO_NEW_PRIVILEGES = frozenset({"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"})
_CAPABILITY_NAMES = (
    "AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH "
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN "
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYSLOG SYS_ADMIN SYS_BOOT "
    "SYS_CHROOT SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG "
    "WAKE_ALARM ALL"
)
CAPABILITIES = frozenset(_CAPABILITY_NAMES.split())
"""capabilities(7), without CAP_."""


def capability(name: str) -> str:
    """The capability's name without CAP_, in capitals."""
    return name.upper().removeprefix("CAP_")


def _one_of(*values: Any) -> Any:
    return lambda value: not value or value in values


def _only_ptrace(names: list[str]) -> bool:
    return all(capability(name) == "SYS_PTRACE" for name in names)


def _only_nofile(limits: list[JsonObject]) -> bool:
    return all(limit.get("Name") == "nofile" for limit in limits)


def _only_no_new_privileges(entries: list[str]) -> bool:
    return NO_NEW_PRIVILEGES.issuperset(entries)


def _is_unlimited(limit: int) -> bool:
    return limit <= 0


def _has_log_type(log_config: JsonObject) -> bool:
    return (log_config.get("Type") or "") in LOG_TYPES and not log_config.get("Config")


def _check_restart_policy(policy: JsonObject) -> None:
    name, most = policy.get("Name") or "", policy.get("MaximumRetryCount") or 0
    if name not in {"", "no", "always", "unless-stopped", "on-failure"}:
        raise InvalidParameter(f"invalid restart policy '{name}'")
    if not NUMBER.accepts(most):
        raise InvalidParameter(f"invalid JSON: HostConfig.RestartPolicy.MaximumRetryCount must be {NUMBER.name}")
    if most and name in {"no", "always", "unless-stopped"}:
        raise InvalidParameter(f"maximum retry count cannot be used with restart policy '{name}'")
    if most < 0:
        raise InvalidParameter("maximum retry count cannot be negative")


def _check_drops(names: list[str]) -> None:
    for name in names:
        if capability(name) not in CAPABILITIES:
            raise InvalidParameter(f'invalid CapDrop: unknown capability: "{name}"')


def _check_hosts(entries: list[str]) -> None:
    for entry in entries:
        name, colon, address = entry.partition(":")
        if not (name and colon):
            raise InvalidParameter(f'bad format for add-host: "{entry}"')
        try:
            ipaddress.ip_address(address.strip("[]"))
        except ValueError:
            raise InvalidParameter(f'invalid IP address in add-host: "{address}"') from None


def _check_servers(servers: list[str]) -> None:
    for server in servers:
        try:
            ipaddress.ip_address(server)
        except ValueError:
            raise InvalidParameter(f'invalid IP address in dns: "{server}"') from None


def _check_words(words: list[str]) -> None:
    for word in words:
        if len(word.split()) != 1:
            raise InvalidParameter(f"not one word of /etc/resolv.conf: {word!r}")


def _check_ulimits(limits: list[JsonObject]) -> None:
    for limit in limits:
        soft, hard = limit.get("Soft", 0), limit.get("Hard", 0)
        if not (isinstance(soft, int) and isinstance(hard, int) and 0 <= soft <= hard):
            raise InvalidParameter("ulimit soft limit must be less than or equal to hard limit")


def _check_bindings(bindings: JsonObject) -> None:
    for port, given in bindings.items():
        if given is not None and not MAPS.accepts(given):
            raise InvalidParameter(f"invalid JSON: HostConfig.PortBindings[{port}] must be {MAPS.name}")


def _check_console(size: list[int]) -> None:
    if len(size) != 2 or min(size) < 0:
        raise InvalidParameter("HostConfig.ConsoleSize must be [height, width]")


_NO_HOST = "a task has a machine of its own and no host to share."
_RUN_ELSEWHERE = "Leave the option out, or run this container on an engine of your own."
_NO_DISKS = "Fargate offers no control over block devices."
_VOLUMES = "mounts are not built yet."
_INTO_IMAGE = "Put the files into the image, or keep the data in S3."
_NETWORKS = "name resolution inside the task is not built yet."
_ADD_HOST = "Use --add-host for names."

HOST_CONFIG: tuple[Option, ...] = (
    # size
    honoured("Memory", NUMBER, "Rounded up to the next Fargate size.", "--memory"),
    honoured("NanoCpus", NUMBER, "Rounded up to the next Fargate size.", "--cpus"),
    honoured("CpuQuota", NUMBER, "With CpuPeriod the same as NanoCpus.", "--cpu-quota"),
    honoured("CpuPeriod", NUMBER, "With CpuQuota the same as NanoCpus.", "--cpu-period"),
    discarded("CpuShares", NUMBER, "a task shares its CPU with no other container.", "--cpu-shares"),
    discarded("MemoryReservation", NUMBER, "a task's memory is reserved whole.", "--memory-reservation"),
    discarded("MemorySwap", NUMBER, "Fargate has no swap.", "--memory-swap", _is_unlimited),
    discarded("MemorySwappiness", NUMBER, "Fargate has no swap.", "--memory-swappiness", _is_unlimited),
    discarded("OomKillDisable", FLAG, "Fargate always ends a process that exceeds its memory.", "--oom-kill-disable"),
    discarded("OomScoreAdj", NUMBER, "a task shares its memory with no other container.", "--oom-score-adj"),
    discarded("PidsLimit", NUMBER, "Fargate offers no limit on processes.", "--pids-limit", _is_unlimited),
    discarded("CpusetCpus", TEXT, "a task has all of its CPUs.", "--cpuset-cpus"),
    discarded("CpusetMems", TEXT, "Fargate offers no choice of memory nodes.", "--cpuset-mems"),
    discarded("KernelMemory", NUMBER, "Fargate offers no limit on kernel memory."),
    discarded("KernelMemoryTCP", NUMBER, "Fargate offers no limit on kernel memory."),
    discarded("BlkioWeight", NUMBER, _NO_DISKS, "--blkio-weight"),
    discarded("BlkioWeightDevice", MAPS, _NO_DISKS, "--blkio-weight-device", is_absent),
    discarded("BlkioDeviceReadBps", MAPS, _NO_DISKS, "--device-read-bps", is_absent),
    discarded("BlkioDeviceWriteBps", MAPS, _NO_DISKS, "--device-write-bps", is_absent),
    discarded("BlkioDeviceReadIOps", MAPS, _NO_DISKS, "--device-read-iops", is_absent),
    discarded("BlkioDeviceWriteIOps", MAPS, _NO_DISKS, "--device-write-iops", is_absent),
    discarded("CpuCount", NUMBER, "Windows only."),
    discarded("CpuPercent", NUMBER, "Windows only."),
    discarded("IOMaximumIOps", NUMBER, "Windows only."),
    discarded("IOMaximumBandwidth", NUMBER, "Windows only."),
    impossible("CpuRealtimePeriod", NUMBER, "there is no real-time scheduling.", _RUN_ELSEWHERE, "--cpu-rt-period"),
    impossible("CpuRealtimeRuntime", NUMBER, "there is no real-time scheduling.", _RUN_ELSEWHERE, "--cpu-rt-runtime"),
    Option(
        "Ulimits", MAPS, "impossible", "only the limit of open files can be set.", "Leave the others out.",
        "--ulimit", _only_nofile, "nofile", _check_ulimits,
    ),
    impossible(
        "ShmSize", NUMBER, "the size of /dev/shm is fixed.", "Use a file in /tmp instead.",
        "--shm-size", _one_of(SHM_BYTES), "64 MiB",
    ),
    # process
    honoured("AutoRemove", FLAG, "The daemon removes the container after its exit.", "--rm"),
    honoured("ReadonlyRootfs", FLAG, "readonlyRootFilesystem of the task definition.", "--read-only"),
    honoured("Init", FLAG, "The agent is the init process of every container, asked for or not.", "--init"),
    honoured("CapDrop", TEXTS, "The agent drops them before the process starts.", "--cap-drop", _check_drops),
    honoured("ExtraHosts", TEXTS, "Lines of /etc/hosts. Not with a read-only root.", "--add-host", _check_hosts),
    honoured("ConsoleSize", NUMBERS, "The terminal's first size.", check=_check_console),
    echoed("ContainerIDFile", TEXT, "Written by the client itself."),
    echoed("Annotations", TEXT_MAP, "Metadata, shown by inspect."),
    impossible(
        "CapAdd", TEXTS, "a task can be given no other capability.", "Leave the option out.",
        "--cap-add", _only_ptrace, "SYS_PTRACE",
    ),
    impossible(
        "SecurityOpt", TEXTS, "its security profiles cannot be changed.", "Leave the option out.",
        "--security-opt", _only_no_new_privileges, "no-new-privileges",
    ),
    impossible("Privileged", FLAG, "no container is privileged.", _RUN_ELSEWHERE, "--privileged"),
    impossible("Devices", MAPS, "there are no devices to pass.", _RUN_ELSEWHERE, "--device", is_absent),
    impossible("DeviceCgroupRules", TEXTS, "there are no devices to allow.", _RUN_ELSEWHERE, "--device-cgroup-rule"),
    impossible("DeviceRequests", MAPS, "there are no GPUs.", "Run GPU work on ECS with EC2.", "--gpus", is_absent),
    impossible("Sysctls", TEXT_MAP, "kernel parameters are fixed.", _RUN_ELSEWHERE, "--sysctl", is_absent),
    impossible("Runtime", TEXT, "there is one runtime.", _RUN_ELSEWHERE, "--runtime", _one_of("runc"), "runc"),
    impossible("Isolation", TEXT, "isolation modes are for Windows.", _RUN_ELSEWHERE, "--isolation",
               _one_of("default"), "default"),
    impossible("CgroupParent", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--cgroup-parent"),
    impossible("Cgroup", TEXT, _NO_HOST, _RUN_ELSEWHERE),
    impossible("CgroupnsMode", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--cgroupns", _one_of("private"), "private"),
    impossible("IpcMode", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--ipc", _one_of("private", "shareable"), "private"),
    impossible("PidMode", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--pid"),
    impossible("UTSMode", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--uts"),
    impossible("UsernsMode", TEXT, _NO_HOST, _RUN_ELSEWHERE, "--userns"),
    impossible("MaskedPaths", TEXTS, "the hidden paths are fixed.", "Leave the option out.", accepts=lambda _: False),
    impossible("ReadonlyPaths", TEXTS, "the read-only paths are fixed.", "Leave the option out.",
               accepts=lambda _: False),
    not_built("GroupAdd", TEXTS, "supplementary groups are not set.", "Use --user name:group.", "--group-add"),
    honoured(
        "RestartPolicy", MAP, "The daemon runs it again, in the same task if that lives; what was stopped by hand "
        "stays stopped when the daemon starts.", "--restart", _check_restart_policy,
    ),
    not_built(
        "LogConfig", MAP, "logs go to CloudWatch and are read back from there.",
        "Leave the option out; retention is set on the log group.",
        "--log-driver, --log-opt", _has_log_type, "json-file or awslogs without options",
    ),
    # files
    not_built("Binds", TEXTS, _VOLUMES, _INTO_IMAGE, "--volume"),
    not_built("Mounts", MAPS, _VOLUMES, _INTO_IMAGE, "--mount", is_absent),
    not_built("Tmpfs", TEXT_MAP, _VOLUMES, "Use a directory; a task's disk is its own.", "--tmpfs", is_absent),
    not_built("VolumesFrom", TEXTS, _VOLUMES, _INTO_IMAGE, "--volumes-from"),
    not_built("VolumeDriver", TEXT, _VOLUMES, _INTO_IMAGE, "--volume-driver", _one_of("local"), "local"),
    not_built("StorageOpt", TEXT_MAP, "the task's disk has its default size, 20 GiB.", "Leave the option out.",
              "--storage-opt", is_absent),
    # network
    not_built(
        "NetworkMode", TEXT, "only the deployment's own network exists, and Fargate shares none with a host.",
        "Leave the option out: all containers of the deployment reach each other at their private addresses.",
        "--network", _one_of("default", "bridge"), "default or bridge",
    ),
    honoured("PortBindings", MAP, "The daemon listens and tunnels through the agent; TCP only.", "--publish",
             _check_bindings),
    honoured("PublishAllPorts", FLAG, "Every exposed TCP port, at free ports here; create warns of others.",
             "--publish-all"),
    not_built("Links", TEXTS, _NETWORKS, _ADD_HOST, "--link"),
    honoured("Dns", TEXTS, "The servers of /etc/resolv.conf. Not with a read-only root.", "--dns", _check_servers),
    honoured("DnsOptions", TEXTS, "The options of /etc/resolv.conf. Not with a read-only root.", "--dns-option",
             _check_words),
    honoured("DnsSearch", TEXTS, "The search domains of /etc/resolv.conf. Not with a read-only root.", "--dns-search",
             _check_words),
)  # fmt: skip

SHOWN_WHEN_SET = frozenset({"Annotations", "Init", "KernelMemory", "Mounts", "StorageOpt", "Sysctls", "Tmpfs"})
"""The fields that dockerd leaves out of inspect when they are empty."""
HOST_CONFIG_DEFAULTS: JsonObject = {
    **{option.name: None for option in HOST_CONFIG if option.kind in (TEXTS, TEXT_MAP, MAPS)},
    **{option.name: "" for option in HOST_CONFIG if option.kind is TEXT},
    **{option.name: 0 for option in HOST_CONFIG if option.kind is NUMBER},
    **{option.name: False for option in HOST_CONFIG if option.kind is FLAG},
    "LogConfig": {"Type": "json-file", "Config": {}},
    "NetworkMode": "default",
    "RestartPolicy": {"Name": "no", "MaximumRetryCount": 0},
    "IpcMode": "private",
    "CgroupnsMode": "private",
    "Runtime": "runc",
    "ShmSize": SHM_BYTES,
    "ConsoleSize": [0, 0],
    "PortBindings": {},
    "PidsLimit": None,
    "OomKillDisable": None,
    "MemorySwappiness": None,
}
"""HostConfig as dockerd shows it for a container that asked for nothing."""
