"""A deployment's two background processes: the simulated AWS and the daemon. When each counts as up.

Owns: their command lines, their readiness, and which simulator the deployment's state belongs to: a simulator holds its
AWS in memory, so what was true in one that ended is put aside, into DIR/.sockerless/before/. Knows no endpoint beyond
the simulator's health path and the daemon's ping.
"""

from __future__ import annotations

import ipaddress
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sockerless.errors import Conflict, Unavailable
from sockerless.kit import background, environments, probe, serving, state
from sockerless.kit.background import STATE_FOLDER, Place
from sockerless.kit.project import Project

HEALTH_PATH = "/_sockerless/health"
SIMULATOR_TIMEOUT_S = 60.0
DAEMON_TIMEOUT_S = 60.0
_INSTANCE_FILE = "simulator.json"
_BEFORE = "before"
_TIED_TO_SIMULATOR = ("agent.json", "applying.json", "daemon.env", "state")
"""What below DIR/.sockerless speaks of resources in one simulator."""


@dataclass(frozen=True, slots=True)
class Health:
    """What a simulator says of itself: instance tells one from the next at the same address."""

    instance: str
    pid: int
    region: str


def simulator_place(directory: Path) -> Place:
    """Where the simulator of the deployment in directory leaves its pid file and log."""
    return Place("simulator", directory.absolute() / STATE_FOLDER)


def daemon_place(directory: Path) -> Place:
    """Where the daemon of the deployment in directory leaves its pid file and log."""
    return Place("daemon", directory.absolute() / STATE_FOLDER)


def simulator_health(endpoint_url: str) -> Health | None:
    """The simulator at the URL, None when nothing listens there; Conflict when something else does."""
    answer = probe.get(endpoint_url, HEALTH_PATH)
    if answer is None:
        return None
    health = _health(answer)
    if health is None:
        raise Conflict(
            f"{endpoint_url} is taken by something that is not a simulated AWS; end it, or set another endpoint_url "
            "in sockerless.toml (`sockerless-kit init --endpoint-url http://127.0.0.1:PORT`)"
        )
    return health


def ensure_simulator(project: Project) -> bool:
    """Starts the project's simulator in the background unless it answers; True when it started one.

    Conflict when the port is taken by something else, when a simulator of another region answers there, or when the
    directory's Terraform state belongs to AWS; Unavailable when the endpoint is not on this machine, SystemFailure with
    the log's last lines when the simulator dies.
    """
    _refuse_foreign_state(project)
    health = simulator_health(project.endpoint_url)
    started = health is None
    if health is None:
        health = _start_simulator(project)
    if health.region != project.region:
        raise Conflict(
            f"the simulated AWS at {project.endpoint_url} plays {health.region} and this deployment is in "
            f"{project.region}; give it an endpoint_url of its own in {project.settings_path}"
        )
    if _recorded_instance(project.directory) != health.instance:
        _put_aside(project)
        background.write_private(_instance_path(project.directory), json.dumps({"instance": health.instance}) + "\n")
    return started


def simulator_place_in_use(project: Project) -> Place:
    """Where the simulator that serves the project left its traces: with a deployment beside it that started it, or
    with the project itself."""
    health = simulator_health(project.endpoint_url)
    places = [simulator_place(directory) for directory in (project.directory, *_beside(project))]
    started = {found.pid: place for place in reversed(places) if (found := background.find(place)) is not None}
    return started.get(health.pid, places[0]) if health else places[0]


def other_users(project: Project) -> list[Path]:
    """The directories of the deployments beside this one whose daemon works in the same simulated AWS now."""
    instance = _recorded_instance(project.directory)
    return [
        directory
        for directory in _beside(project)
        if instance is not None and _recorded_instance(directory) == instance and serving.process(directory) is not None
    ]


def _beside(project: Project) -> list[Path]:
    """Where the other deployments of the same sockerless.toml live, whatever it says now."""
    found = [project.home, *sorted((project.home / environments.KEY).glob("*/"))]
    return [directory for directory in found if directory != project.directory]


def start_daemon(project: Project, hosts: Sequence[str]) -> None:
    """Starts the daemon in the background and waits until this very daemon says that every host answers.

    Conflict when something answers on one of the hosts already; SystemFailure with the log's last lines when it ends.
    """
    place = daemon_place(project.directory)
    taken = next((host for host in hosts if daemon_answers(host)), None)
    if taken is not None:
        raise Conflict(f"another daemon answers at {taken} already; end it, or name another place with --host")
    arguments = [argument for host in hosts for argument in ("--host", host)]

    def ready() -> bool:
        found = serving.process(project.directory)
        return found is not None and found == background.find(place)

    background.start_and_wait(
        place,
        background.kit_argv("serve", "--dir", str(project.home), "--env", project.env, *arguments),
        dict(os.environ),
        ready,
        DAEMON_TIMEOUT_S,
    )


def daemon_answers(host: str) -> bool:
    """Whether a Docker API answers its ping at unix://PATH or tcp://HOST:PORT."""
    answer = probe.get(host, "/_ping")
    return answer is not None and answer.status == 200


def _start_simulator(project: Project) -> Health:
    host, port = probe.host_and_port(project.endpoint_url)
    if not _is_loopback(host):
        raise Unavailable(f"no simulated AWS answers at {project.endpoint_url}, and it is not on this machine")
    place = simulator_place(project.directory)
    background.stop(place)  # one that runs at another address
    argv = background.kit_argv(
        "simulator",
        *("--host", host, "--port", str(port), "--region", project.region),
        *("--state-dir", str(place.directory / "simulator")),
    )
    found: list[Health] = []

    def ready() -> bool:
        answer = probe.get(project.endpoint_url, HEALTH_PATH)
        health = _health(answer) if answer else None
        found.extend([health] if health else [])
        return health is not None

    identity = background.start_and_wait(place, argv, dict(os.environ), ready, SIMULATOR_TIMEOUT_S)
    if found[-1].pid != identity.pid:
        background.stop(place)
        raise Conflict(f"{project.endpoint_url} was taken by another simulator meanwhile; run the same command again")
    return found[-1]


def _refuse_foreign_state(project: Project) -> None:
    """A state that was not made in a simulated AWS: on this disk, or in a bucket of AWS itself."""
    if _instance_path(project.directory).exists():
        return
    where = state.recorded(project)
    if where is not None and not where.endpoint_url:
        raise _foreign(str(where))
    if state.holds_resources(state.local(project)):
        raise _foreign(str(state.path_of(project)))


def _foreign(where: str) -> Conflict:
    return Conflict(
        f"{where} tells of resources that were not made in a simulated AWS; `sockerless-kit destroy` them with "
        'target = "aws" first, or use another directory'
    )


def _put_aside(project: Project) -> None:
    """Moves what an earlier simulator made true out of the way, and ends a daemon that serves it."""
    background.stop(daemon_place(project.directory))
    before = project.state_directory / _BEFORE
    shutil.rmtree(before, ignore_errors=True)
    names = (state.STATE_FILE, f"{state.STATE_FILE}.backup")
    paths = [*(project.directory / name for name in names), *(project.state_directory / n for n in _TIED_TO_SIMULATOR)]
    for path in paths:
        if path.exists():
            before.mkdir(mode=0o700, exist_ok=True)
            path.rename(before / path.name)
    if state.recorded(project) is not None:
        (project.directory / state.BACKEND_FILE).unlink()  # its bucket is gone


def _instance_path(directory: Path) -> Path:
    return directory / STATE_FOLDER / _INSTANCE_FILE


def _recorded_instance(directory: Path) -> str | None:
    """The simulator in which the deployment in directory lives."""
    try:
        return str(json.loads(_instance_path(directory).read_text())["instance"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def _health(answer: probe.Answer) -> Health | None:
    try:
        document = json.loads(answer.body)
        health = Health(str(document["instance"]), int(document["pid"]), str(document["region"]))
        return health if answer.status == 200 else None
    except (ValueError, KeyError, TypeError):
        return None


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
