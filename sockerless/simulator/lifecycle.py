"""One task's life, from PROVISIONING to STOPPED, on its own thread.

Owns the order of things: interface and images side by side, containers in dependency order, essential exits, stop
signals, logs drained before STOPPED. The task's values change only under the lock. Nothing polls: exits come from
the engine's wait, health from its events, stop requests from the queue.
Source: ECS developer guide, "Amazon ECS task lifecycle"; ContainerDependency.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from threading import Event, Thread

from sockerless.errors import SockerlessError, Unavailable
from sockerless.simulator import dependencies, iam_tasks, interfaces, kms_keys, secrets
from sockerless.simulator.awslogs import LogStream
from sockerless.simulator.containers import Surroundings, engine_document
from sockerless.simulator.failures import CannotCreateContainerError, ResourceInitializationError, TaskFailure
from sockerless.simulator.fargate import LABEL_TASK, Fargate
from sockerless.simulator.images import Pulled
from sockerless.simulator.interfaces import Pause
from sockerless.simulator.running import RunningContainer, stop_all
from sockerless.simulator.tasks import Task, TaskContainer, TaskStatus, now


class StopRequested(Exception):
    """Somebody asked the task to stop before it ran."""


class TaskRunner:
    """Runs one task. changed: called under the lock after every change of its status or its containers'."""

    def __init__(self, fargate: Fargate, task: Task, changed: Callable[[Task], None]) -> None:
        self.task = task
        self._fargate, self._changed = fargate, changed
        _, _, _, self._region, self._account_id, _ = task.task_arn.split(":", 5)
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._stop = Event()
        self._pause: Pause | None = None
        self._running: dict[str, RunningContainer] = {}
        self._streams: dict[str, LogStream] = {}
        self._thread = Thread(target=self._run, name=f"task-{task.id[:12]}", daemon=True)

    def start(self) -> None:
        """Begins the task's life."""
        self._thread.start()

    def request_stop(self) -> None:
        """Ends the task; the caller has recorded why (Task.stop)."""
        self._stop.set()
        self._wake.put(None)

    def join(self) -> None:
        """Returns once the task has stopped and nothing of it is left in the engine."""
        self._thread.join()

    def _run(self) -> None:
        try:
            self._launch()
            self._supervise()
        except TaskFailure as failure:
            self._record_failure(failure)
        except StopRequested:
            pass
        except SockerlessError as error:
            self._record_failure(CannotCreateContainerError(str(error)))
        finally:
            self._wind_down()

    def _advance(self, status: TaskStatus) -> None:
        with self._fargate.lock:
            self.task.advance(status)
            self._changed(self.task)
        self._stop.wait(self._fargate.options.step_delay_s)

    def _check_stop(self) -> None:
        if self._stop.is_set():
            raise StopRequested

    def _launch(self) -> None:
        self._check_storage_key()
        with ThreadPoolExecutor(4, thread_name_prefix="pull") as pulls:
            self._stamp("pullStartedAt")
            references = {str(container.definition["image"]) for container in self.task.containers}
            images = {reference: pulls.submit(self._obtain, reference) for reference in references}
            self._stop.wait(self._fargate.options.step_delay_s)
            self._pause = self._fargate.pool.take()
            self._fargate.check_architecture(self.task.architecture())
            with self._fargate.lock:
                interfaces.assign(self._account_id, self._region, self.task.interface, self._pause.address)
                self.task.times.setdefault("connectivityAt", now())
            self._advance("PENDING")
            self._check_stop()
            self._make_streams()
            self._create_containers(images, self._pause)
        self._check_stop()
        self._advance("ACTIVATING")

    def _obtain(self, reference: str) -> Pulled:
        images = self._fargate.images
        own = images.repository(reference)
        if own is not None and self._fargate.options.enforce_iam:
            with self._fargate.lock:
                iam_tasks.check_pull(self.task, own[0], (*iam_tasks.PULL, *images.filling(*own)))
        return images.obtain(reference)

    def _check_storage_key(self) -> None:
        with self._fargate.lock:
            key = self.task.storage_key
            cluster = self.task.cluster_arn.rpartition("/")[2]
            if key and not kms_keys.lets_fargate(self._account_id, self._region, key, cluster):
                raise ResourceInitializationError(f"Fargate may not use the key of the ephemeral storage, {key}")

    def _stamp(self, name: str) -> None:
        with self._fargate.lock:
            self.task.times.setdefault(name, now())

    def _make_streams(self) -> None:
        for container in self.task.containers:
            if (container.definition.get("logConfiguration") or {}).get("logDriver") == "awslogs":
                if self._fargate.options.enforce_iam:
                    with self._fargate.lock:
                        iam_tasks.check_log(self.task, container)
                self._streams[container.name] = LogStream(self._account_id, self._fargate.lock, self.task, container)

    def _create_containers(self, images: dict[str, Future[Pulled]], pause: Pause) -> None:
        volumes, read_only = self._volumes(), self._read_only()
        pulled = {reference: image.result() for reference, image in images.items()}
        self._stamp("pullStoppedAt")
        engine_ids: dict[str, str] = {}
        for container in dependencies.volumes_first(self.task.containers):
            self._check_stop()
            image = pulled[str(container.definition["image"])]
            around = Surroundings(
                image=image.reference,
                pause_id=pause.container_id,
                region=self._region,
                labels=self._fargate.labels | {LABEL_TASK: self.task.task_arn},
                volumes=volumes,
                read_only=read_only,
                secrets=self._secrets(container),
                volumes_from=engine_ids,
                cpus=self._fargate.cpus(self.task.cpu_units),
                open_files=self._fargate.pool.open_files,
            )
            document = engine_document(self.task, container, around)
            try:
                engine_id = self._fargate.engine.create(f"sockerless-{self.task.id[:12]}-{container.name}", document)
            except SockerlessError as error:
                raise CannotCreateContainerError(str(error), container.name) from error
            engine_ids[container.name] = engine_id
            with self._fargate.lock:
                container.engine_id, container.image_digest = engine_id, image.digest or None

    def _volumes(self) -> dict[str, Path]:
        with self._fargate.lock:
            return {
                str(volume["name"]): self._fargate.volumes.directory(self._account_id, self._region, self.task, volume)
                for volume in self.task.definition.get("volumes") or []
            }

    def _read_only(self) -> set[str]:
        if not self._fargate.options.enforce_iam:
            return set()
        with self._fargate.lock:
            volumes = self.task.definition.get("volumes") or []
            return {str(volume["name"]) for volume in volumes if not iam_tasks.may_write(self.task, volume)}

    def _secrets(self, container: TaskContainer) -> dict[str, str]:
        with self._fargate.lock:
            return secrets.resolve(self._account_id, self._region, container.definition.get("secrets") or [])

    def _supervise(self) -> None:
        while True:
            self._check_stop()
            while startable := dependencies.startable(self.task.containers):
                for container in startable:
                    self._start_container(container)
            if self.task.last_status == "ACTIVATING" and all(c.last_status != "PENDING" for c in self.task.containers):
                self._advance("RUNNING")
                self._fargate.pool.refill()
            if self._ended():
                return
            self._wake.get()
            self._tell_of_containers()

    def _tell_of_containers(self) -> None:
        with self._fargate.lock:
            self.task.version += 1
            self._changed(self.task)

    def _start_container(self, container: TaskContainer) -> None:
        running = RunningContainer(self._fargate, self.task, container, self._streams.get(container.name), self._wake)
        running.start()
        self._running[container.name] = running

    def _ended(self) -> bool:
        with self._fargate.lock:
            containers = self.task.containers
            if any(c.essential and c.last_status == "STOPPED" for c in containers):
                self.task.stop("EssentialContainerExited", "Essential container in task exited")
                return True
            dependencies.check(containers)
            return all(c.last_status == "STOPPED" for c in containers)

    def _record_failure(self, failure: TaskFailure) -> None:
        with self._fargate.lock:
            self.task.stop("TaskFailedToStart", str(failure))
            for container in self.task.containers:
                if container.name == failure.container:
                    container.reason = str(failure)

    def _wind_down(self) -> None:
        if self.task.last_status == "RUNNING":
            self._advance("DEACTIVATING")
        self._advance("STOPPING")
        try:
            stop_all(list(self._running.values()))
        finally:  # whatever the engine says, ECS's task ends
            self._deprovision()
        self._remove()

    def _deprovision(self) -> None:
        with self._fargate.lock:
            for container in self.task.containers:
                container.last_status = "STOPPED"
            self.task.times.setdefault("executionStoppedAt", now())
        for running in self._running.values():
            running.drain()
        self._advance("DEPROVISIONING")
        with self._fargate.lock:
            interfaces.detach(self._account_id, self._region, self.task.interface)
        self._advance("STOPPED")

    def _remove(self) -> None:
        """Clears the engine; what an engine that is gone keeps carries the labels and is removed with them later."""
        ids = [container.engine_id for container in self.task.containers if container.engine_id]
        try:
            for engine_id in [*ids, *([self._pause.container_id] if self._pause else [])]:
                self._fargate.health.forget(engine_id)
                self._fargate.engine.remove(engine_id)
            self._fargate.pool.refill()
        except Unavailable:
            return
        finally:
            self._fargate.volumes.forget_task(self.task.id)
