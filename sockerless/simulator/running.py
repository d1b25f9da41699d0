"""A started container: its logs' pump, its exit and its end.

Source: ECS developer guide, stopTimeout; Engine API, ContainerWait and ContainerStop (the image's STOPSIGNAL first).
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from threading import Thread

from sockerless.errors import SockerlessError, Unavailable
from sockerless.simulator import dependencies
from sockerless.simulator.awslogs import LogStream, Pump
from sockerless.simulator.containers import stop_timeout_s
from sockerless.simulator.engine import EngineError
from sockerless.simulator.failures import CannotStartContainerError
from sockerless.simulator.fargate import Fargate
from sockerless.simulator.tasks import Task, TaskContainer

OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"


class RunningContainer:
    """Starts a created container and follows it; puts to wake whenever its state changed."""

    def __init__(
        self, fargate: Fargate, task: Task, container: TaskContainer, stream: LogStream | None, wake: SimpleQueue[None]
    ) -> None:
        self.container = container
        self._fargate, self._task, self._wake = fargate, task, wake
        tty = bool(container.definition.get("pseudoTerminal"))
        self._pump = Pump(fargate.engine, container.engine_id, tty, stream.put) if stream else None
        self._waiter = Thread(target=self._wait, name=f"wait-{container.engine_id[:12]}", daemon=True)

    def start(self) -> None:
        """Starts it; CannotStartContainerError when the runtime cannot run its program."""
        engine_id = self.container.engine_id
        try:
            if self._pump:
                self._pump.attach()
            if self.container.definition.get("healthCheck"):
                self._fargate.health.watch(engine_id, self._report_health)
            self._fargate.engine.start(engine_id)
        except SockerlessError as error:
            raise CannotStartContainerError(
                f"ResourceInitializationError: failed to create new container runtime task: {error}",
                self.container.name,
            ) from error
        with self._fargate.lock:
            self.container.last_status = "RUNNING"
            self.container.runtime_id = f"{self._task.id}-{random.randrange(10**9, 10**10)}"  # noqa: S311
        self._waiter.start()

    def _report_health(self, status: str) -> None:
        with self._fargate.lock:
            self.container.health_status = status
        self._wake.put(None)

    def _wait(self) -> None:
        engine = self._fargate.engine
        try:
            code: int | None = engine.wait(self.container.engine_id)
            out_of_memory = bool(engine.inspect(self.container.engine_id)["State"]["OOMKilled"])
        except SockerlessError:
            code, out_of_memory = None, False  # the engine lost it: no exit code is known, as when a host is lost
        with self._fargate.lock:
            self.container.last_status, self.container.exit_code = "STOPPED", code
            if out_of_memory:
                self.container.reason = OUT_OF_MEMORY
        self._wake.put(None)

    def stop(self) -> None:
        """Ends it: its stop signal, then SIGKILL after its stopTimeout; returns once its exit is recorded."""
        query = {"t": stop_timeout_s(self.container)}
        try:
            self._fargate.engine.call("POST", f"/containers/{self.container.engine_id}/stop", query)
        except EngineError as error:
            if error.status not in {304, 404}:
                self._fargate.engine.remove(self.container.engine_id)
        except Unavailable:
            pass  # the engine is gone, and so is the waiter: the exit is recorded as unknown
        self._waiter.join()

    def drain(self) -> None:
        """Returns once all its output is in its log stream."""
        if self._pump:
            self._pump.drain()


def stop_all(running: Sequence[RunningContainer]) -> None:
    """Stops containers, those that depend on others first, the rest of each wave side by side."""
    remaining = list(running)
    while remaining:
        containers = [each.container for each in remaining]
        wave = [each for each in remaining if not dependencies.dependents(each.container, containers)] or remaining
        with ThreadPoolExecutor(len(wave), thread_name_prefix="stop") as stops:
            list(stops.map(RunningContainer.stop, wave))
        remaining = [each for each in remaining if each not in wave]
