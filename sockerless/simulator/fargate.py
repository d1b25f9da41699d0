"""The capacity tasks run on: one container engine, its network, pause containers, images and volumes.

Owns everything that is made in the engine and its labels, so that whatever a simulator leaves is found again.
Knows no ECS action and no HTTP.
"""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Any

from sockerless.simulator.engine import Engine, EngineError
from sockerless.simulator.failures import TaskFailure
from sockerless.simulator.health import HealthWatch
from sockerless.simulator.images import Images
from sockerless.simulator.interfaces import PausePool
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.pause import build_image
from sockerless.simulator.tasks import new_id
from sockerless.simulator.volumes import Volumes

LABEL = "io.sockerless.simulator"
"""On every object made in the engine: the simulator's instance id."""
LABEL_OWNER = LABEL + ".owner"
"""host/pid/start time of the process that made it: what tells leftovers of the dead from the living's."""
LABEL_TASK = LABEL + ".task"
"""On a task's containers: its ARN."""
PAUSE_REPOSITORY = "localhost/sockerless-simulator-pause"

_LABELLED = {"filters": json.dumps({"label": [LABEL_OWNER]})}


def owner(pid: int) -> str:
    """What identifies a process on this machine for as long as it lives: host name, pid and start time."""
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{socket.gethostname()}/{pid}/{started}"


def _is_leftover(owned_by: str) -> bool:
    host, _, rest = owned_by.partition("/")
    pid = rest.partition("/")[0]
    if host != socket.gethostname() or not pid.isdigit():
        return False
    try:
        return owner(int(pid)) != owned_by
    except FileNotFoundError:
        return True


class Fargate:
    """The engine side of a simulator. lock guards every task and every record of the simulated AWS."""

    def __init__(
        self,
        engine: Engine,
        images: Images,
        state_dir: Path,
        options: SimulatorOptions,
        lock: AbstractContextManager[Any],
    ) -> None:
        self.engine, self.images, self.options, self.lock = engine, images, options, lock
        self.id = new_id()[:12]
        self.labels = {LABEL: self.id, LABEL_OWNER: owner(os.getpid())}
        self.volumes = Volumes(state_dir)
        self.health = HealthWatch(engine, f"{LABEL}={self.id}")
        self._network = f"sockerless-simulator-{self.id}"
        self._ready = Lock()
        self._pool: PausePool | None = None
        self._cpus = 1
        self._architecture = ""

    @property
    def pool(self) -> PausePool:
        """The pause containers; the first use makes network and pause image. EngineError, Unavailable."""
        with self._ready:
            if self._pool is None:
                info = self.engine.call("GET", "/info")
                self._cpus, self._architecture = int(info["NCPU"]), str(info["Architecture"])
                image = build_image(self.engine, PAUSE_REPOSITORY, self.id, LABEL_OWNER, self.labels[LABEL_OWNER])
                network = {"Name": self._network, "Driver": "bridge", "CheckDuplicate": True, "Labels": self.labels}
                self.engine.call("POST", "/networks/create", document=network)
                self._pool = PausePool(self.engine, image, self._network, self.labels, self.options.spare_interfaces)
            return self._pool

    def check_architecture(self, wanted: str) -> None:
        """TaskFailure when the engine's machine is not of the architecture a task asks for (x86_64 or arm64)."""
        served = {"aarch64": "arm64", "amd64": "x86_64"}.get(self._architecture, self._architecture)
        if served != wanted:
            raise TaskFailure(f"the task asks for {wanted} and the simulator's container engine runs on {served}")

    def cpus(self, cpu_units: int) -> float | None:
        """The vCPU limit for a container of a task of this size, at most what the machine has; None without limits."""
        return min(cpu_units / 1024, float(self._cpus)) if self.options.limit_cpu else None

    def warm_up(self) -> None:
        """Makes the first spares and removes dead simulators' leftovers; without an engine there is nothing to do."""
        if self.engine.reachable():
            self.pool.refill()
            self._remove_all(lambda labels: _is_leftover(labels.get(LABEL_OWNER, "")))
            self.images.remove_leftovers()

    def end_containers(self) -> None:
        """Removes every container this simulator made, running or not."""
        if self.engine.reachable():
            self._remove_containers(self._is_mine)

    def close(self) -> None:
        """Removes everything this simulator made in the engine, and its volumes."""
        if self._pool:
            self._pool.close()
        if self.engine.reachable():
            self._remove_all(self._is_mine)
            self.images.forget()
        self.volumes.clear()

    def _is_mine(self, labels: Mapping[str, str]) -> bool:
        return labels.get(LABEL_OWNER) == self.labels[LABEL_OWNER]

    def _remove_all(self, chosen: Callable[[Mapping[str, str]], bool]) -> None:
        self._remove_containers(chosen)
        for network in self.engine.call("GET", "/networks", _LABELLED):
            if chosen(network["Labels"]):
                self._delete(f"/networks/{network['Id']}")
        for image in self.engine.call("GET", "/images/json", _LABELLED):
            if chosen(image["Labels"] or {}):
                self._delete(f"/images/{image['Id']}")

    def _remove_containers(self, chosen: Callable[[Mapping[str, str]], bool]) -> None:
        containers = self.engine.call("GET", "/containers/json", {"all": "1", **_LABELLED})
        mine = [container for container in containers if chosen(container["Labels"])]
        in_tasks = [container["Id"] for container in mine if LABEL_TASK in container["Labels"]]
        others = [container["Id"] for container in mine if container["Id"] not in in_tasks]
        with ThreadPoolExecutor(8, thread_name_prefix="remove") as removals:
            list(removals.map(self.engine.remove, in_tasks))  # before the pause containers they depend on
            list(removals.map(self.engine.remove, others))

    def _delete(self, path: str) -> None:
        try:
            self.engine.call("DELETE", path, {"force": "1"})
        except EngineError as error:
            if error.status not in {403, 404, 409}:  # 403, 409: still in use, so somebody else's to remove
                raise
