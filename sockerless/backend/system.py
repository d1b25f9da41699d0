"""docker info and docker version: what this engine is, without asking AWS."""

from __future__ import annotations

import platform
from importlib.metadata import version as package_version

from sockerless.backend.context import Backend
from sockerless.types import JsonObject

OPERATING_SYSTEM = "AWS Fargate (sockerless)"


def product_version() -> str:
    """The installed version of sockerless-kit."""
    return package_version("sockerless-kit")


def info(backend: Backend) -> JsonObject:
    """Docker's SystemInfo as far as it is true here; counts come from the store, NCPU and MemTotal are the most that
    one container may have."""
    statuses = [container.state.status for container in backend.store.containers()]
    config = backend.config
    return {
        "ID": backend.store.installation_id(),
        "Name": f"sockerless-{config.cluster}",
        "ServerVersion": product_version(),
        "Containers": len(statuses),
        "ContainersRunning": statuses.count("running"),
        "ContainersPaused": statuses.count("paused"),
        "ContainersStopped": len(statuses) - statuses.count("running") - statuses.count("paused"),
        "Images": len(backend.store.images()),
        "Driver": "fargate",
        "DriverStatus": [["Cluster", config.cluster], ["Region", config.region], ["Log group", config.log_group]],
        "OperatingSystem": OPERATING_SYSTEM,
        "OSType": "linux",
        "Architecture": "aarch64" if config.prefers_arm64 else "x86_64",
        "NCPU": max(1, config.max_cpu_units // 1024),
        "MemTotal": config.max_memory_mib * 1024**2,
        "KernelVersion": "",
        "LoggingDriver": "json-file",
        "RegistryConfig": {"Mirrors": list(config.registry_mirrors), "IndexConfigs": {}, "InsecureRegistryCIDRs": []},
    }


def version(backend: Backend) -> JsonObject:
    """Docker's SystemVersion without what the HTTP layer knows (API versions)."""
    config = backend.config
    architecture = "arm64" if config.prefers_arm64 else "amd64"
    details = {
        "Os": "linux",
        "Arch": architecture,
        "Experimental": "false",
        "Cluster": config.cluster,
        "Region": config.region,
    }
    return {
        "Version": product_version(),
        "Os": "linux",
        "Arch": architecture,
        "Platform": {"Name": "sockerless-kit"},
        "PythonVersion": platform.python_version(),
        "Components": [
            {"Name": "Engine", "Version": product_version(), "Details": details},
            {"Name": "Agent", "Version": config.agent_version or "unknown", "Details": {}},
        ],
    }
