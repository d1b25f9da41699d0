"""A deployment's two background processes: the simulated AWS and the daemon. When each counts as up.

Owns: their command lines, their readiness and what to say when one cannot start. Knows no endpoint beyond the
simulator's health path and the daemon's ping.
"""

from __future__ import annotations

import ipaddress
import json
import os
from pathlib import Path

from sockerless.errors import Conflict, Unavailable
from sockerless.kit import background, probe
from sockerless.kit.background import Place
from sockerless.kit.project import Project

HEALTH_PATH = "/_sockerless/health"
SIMULATOR_TIMEOUT_S = 60.0
DAEMON_TIMEOUT_S = 60.0


def simulator_place(directory: Path) -> Place:
    """Where the simulator of the deployment in directory leaves its pid file and log."""
    return Place("simulator", directory.absolute() / background.STATE_FOLDER)


def daemon_place(directory: Path) -> Place:
    """Where the daemon of the deployment in directory leaves its pid file and log."""
    return Place("daemon", directory.absolute() / background.STATE_FOLDER)


def simulator_answers(endpoint_url: str) -> bool:
    """Whether a simulator is at the URL; Conflict when something else is."""
    answer = probe.get(endpoint_url, HEALTH_PATH)
    if answer is None:
        return False
    if answer.status != 200 or not _is_health(answer.body):
        raise Conflict(
            f"{endpoint_url} is taken by something that is not a simulated AWS; end it, or set another endpoint_url "
            "in sockerless.toml (`sockerless-kit init --endpoint-url http://127.0.0.1:PORT`)"
        )
    return True


def ensure_simulator(project: Project) -> bool:
    """Starts the project's simulator in the background unless it answers; True when it started one.

    Conflict when the port is taken by something else, Unavailable when the endpoint is not on this machine,
    SystemFailure with the log's last lines when the simulator dies.
    """
    if simulator_answers(project.endpoint_url):
        return False
    host, port = probe.host_and_port(project.endpoint_url)
    if not _is_loopback(host):
        raise Unavailable(f"no simulated AWS answers at {project.endpoint_url}, and it is not on this machine")
    place = simulator_place(project.directory)
    background.stop(place)  # one that runs and does not answer at this address
    argv = background.kit_argv(
        "simulator",
        *("--host", host, "--port", str(port), "--region", project.region),
        *("--state-dir", str(place.directory / "simulator")),
    )
    background.start_and_wait(
        place, argv, dict(os.environ), lambda: _started_answers(project.endpoint_url), SIMULATOR_TIMEOUT_S
    )
    return True


def start_daemon(project: Project, hosts: tuple[str, ...]) -> None:
    """Starts the daemon in the background and waits until `docker version` would answer on the first host."""
    arguments = [argument for host in hosts for argument in ("--host", host)]
    background.start_and_wait(
        daemon_place(project.directory),
        background.kit_argv("serve", "--dir", str(project.directory), *arguments),
        dict(os.environ),
        lambda: daemon_answers(hosts[0]),
        DAEMON_TIMEOUT_S,
    )


def daemon_answers(host: str) -> bool:
    """Whether a Docker API answers its ping at unix://PATH or tcp://HOST:PORT."""
    answer = probe.get(host, "/_ping")
    return answer is not None and answer.status == 200


def _started_answers(endpoint_url: str) -> bool:
    """Readiness of our own process: while it opens its port, an answer that is not health yet is not a stranger's."""
    answer = probe.get(endpoint_url, HEALTH_PATH)
    return answer is not None and answer.status == 200 and _is_health(answer.body)


def _is_health(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
