"""docker info and docker version: what this engine is, without asking AWS."""

from __future__ import annotations

import platform
from importlib.metadata import version as package_version

from sockerless.backend.context import Backend
from sockerless.types import JsonObject

LARGEST_CPUS = 16
LARGEST_MEMORY_BYTES = 120 * 1024**3
"""The largest Fargate task (AWS, "Task CPU and memory"): what `docker info` can promise one container."""
OPERATING_SYSTEM = "AWS Fargate (sockerless)"


def product_version() -> str:
    """The installed version of sockerless-kit."""
    return package_version("sockerless-kit")


def info(backend: Backend) -> JsonObject:
    """Docker's SystemInfo as far as it is true here; counts come from the store."""
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
        "Architecture": "x86_64",
        "NCPU": LARGEST_CPUS,
        "MemTotal": LARGEST_MEMORY_BYTES,
        "KernelVersion": "",
        "LoggingDriver": "json-file",
        "RegistryConfig": {"Mirrors": list(config.registry_mirrors), "IndexConfigs": {}, "InsecureRegistryCIDRs": []},
    }


def version(backend: Backend) -> JsonObject:
    """Docker's SystemVersion without what the HTTP layer knows (API versions)."""
    config = backend.config
    details = {
        "Os": "linux",
        "Arch": "amd64",
        "Experimental": "false",
        "Cluster": config.cluster,
        "Region": config.region,
    }
    return {
        "Version": product_version(),
        "Os": "linux",
        "Arch": "amd64",
        "Platform": {"Name": "sockerless-kit"},
        "PythonVersion": platform.python_version(),
        "Components": [
            {"Name": "Engine", "Version": product_version(), "Details": details},
            {"Name": "Agent", "Version": config.agent_version or "unknown", "Details": {}},
        ],
    }
