"""Elastic network interfaces: a record in the simulated EC2 and a pause container that owns the address.

Pause containers are kept ready ahead of tasks (spares), as Fargate keeps capacity ready, because making a network
namespace is most of what a local engine needs to start a task. Security groups are recorded, not enforced: tasks
share one bridge network and reach each other. Knows no ECS.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from threading import Lock
from typing import Any

from moto.ec2.models import ec2_backends

from sockerless.errors import Conflict, SystemFailure
from sockerless.simulator.engine import Engine, EngineError
from sockerless.simulator.pause import PROGRAM_PATH
from sockerless.simulator.tasks import Interface, new_id

FARGATE_OPEN_FILES = 65535
"""Soft and hard nofile limit of a Fargate container that sets none."""


@dataclass(frozen=True, slots=True)
class Pause:
    """A running pause container: its engine id and its address on the simulator's network."""

    container_id: str
    address: str


class PausePool:
    """Makes pause containers on one engine network and keeps some ready. Thread-safe."""

    def __init__(self, engine: Engine, image: str, network: str, labels: Mapping[str, str], spares: int) -> None:
        self._engine, self._image, self._network, self._labels = engine, image, network, dict(labels)
        self._wanted = spares
        self._lock = Lock()
        self._spares: list[Future[Pause]] = []
        self._maker = ThreadPoolExecutor(1, thread_name_prefix="spare-interfaces")
        self._closed = False
        self.open_files: int | None = FARGATE_OPEN_FILES
        """Fargate's default nofile limit, or None once the engine was found unable to set it."""

    def _make(self) -> Pause:
        open_files = self.open_files
        try:
            return self._make_with(open_files)
        except EngineError as error:
            if open_files is None or "rlimit" not in str(error):
                raise
        self.open_files = None
        return self._make_with(None)

    def _make_with(self, open_files: int | None) -> Pause:
        limits = [{"Name": "nofile", "Soft": open_files, "Hard": open_files}] if open_files else []
        container_id = self._engine.create(
            f"sockerless-eni-{new_id()[:12]}",
            {
                "Image": self._image,
                "Entrypoint": [PROGRAM_PATH],
                "Labels": self._labels,
                "HostConfig": {"NetworkMode": self._network, "LogConfig": {"Type": "none"}, "Ulimits": limits},
            },
        )
        try:
            self._engine.start(container_id)
            networks: dict[str, Any] = self._engine.inspect(container_id)["NetworkSettings"]["Networks"]
            address = str(networks[self._network]["IPAddress"])
        except (EngineError, KeyError):
            self._engine.remove(container_id)
            raise
        if not address:
            self._engine.remove(container_id)
            raise SystemFailure("the container engine gave a pause container no address")
        return Pause(container_id, address)

    def refill(self) -> None:
        """Starts making spares, in the background, until as many as wanted are ready or on their way."""
        with self._lock:
            while not self._closed and len(self._spares) < self._wanted:
                self._spares.append(self._maker.submit(self._make))

    def take(self) -> Pause:
        """A pause container of the caller's own, ready-made when there is one."""
        with self._lock:
            if self._closed:
                raise Conflict("the simulator is stopping")
            ready = next((spare for spare in self._spares if spare.done()), None)
            if ready:
                self._spares.remove(ready)
        if ready and not ready.exception():
            return ready.result()
        return self._make()

    def close(self) -> None:
        """Makes no more; the spares that exist are removed with everything else that carries the labels."""
        with self._lock:
            self._closed = True
        self._maker.shutdown(wait=True, cancel_futures=True)


def attach(
    account_id: str, region: str, subnet_id: str, security_groups: list[str], public: bool, task_arn: str
) -> Interface:
    """Makes the interface's record in EC2, in a subnet known to exist; its address comes later (assign)."""
    ec2 = ec2_backends[account_id][region]
    record = ec2.create_network_interface(
        subnet=subnet_id, private_ip_address="", group_ids=security_groups, description=task_arn
    )
    record.status = "in-use"
    record.requester_managed = True
    record.interface_type = "interface"
    return Interface(
        id=record.id,
        subnet_id=subnet_id,
        availability_zone=record.subnet.availability_zone,
        mac_address=record.mac_address,
        attachment_id=new_id(),
        public=public,
    )


def assign(account_id: str, region: str, interface: Interface, address: str) -> None:
    """Gives the interface its address, in EC2's record and in the task's."""
    record = ec2_backends[account_id][region].get_network_interface(interface.id)
    name = f"ip-{address.replace('.', '-')}.{'ec2' if region == 'us-east-1' else region + '.compute'}.internal"
    record.private_ip_address = address
    record.private_ip_addresses = [{"Primary": True, "PrivateIpAddress": address, "PrivateDnsName": name}]
    record.private_dns_name = name
    if interface.public:
        record.public_ip = address  # the engine's network is all there is: the one address serves as both
    interface.address, interface.private_dns_name = address, name
    interface.status = "ATTACHED"


def detach(account_id: str, region: str, interface: Interface) -> None:
    """Deletes the interface's record; does nothing when somebody deleted it."""
    ec2_backends[account_id][region].enis.pop(interface.id, None)
    interface.status = "DELETED"
