"""Published ports: opened before the process starts, closed at its end, opened again by the next daemon.

Law: only the agent's own port is open on the task; every published connection goes through the agent.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterable
from typing import NamedTuple

from sockerless.backend.context import Backend
from sockerless.backend.port_bindings import Wanted, wanted
from sockerless.backend.port_listener import PortListener, Tunnel, bind
from sockerless.backend.reach import reachable
from sockerless.errors import SystemFailure
from sockerless.types import Container, PublishedPort
from sockerless.wire.agent import TUNNEL

EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104 - what Docker publishes on when no address is asked for
ATTEMPTS_FOR_A_FREE_PORT = 20


class Bound(NamedTuple):
    """A socket that listens for a container port; connections wait in its backlog until it is served."""

    container_port: int
    listening: socket.socket


def bind_all(container: Container) -> list[Bound]:
    """Takes every port the container publishes; SystemFailure in Docker's words when one is taken."""
    bound: list[Bound] = []
    try:
        for entry in wanted(container.config, container.host_config):
            bound += [Bound(entry.container_port, one) for one in _bind_first_free(container, entry)]
    except BaseException:
        release(bound)
        raise
    return bound


def release(bound: Iterable[Bound]) -> None:
    """Gives up ports that were taken and are not served."""
    for one in bound:
        one.listening.close()


async def serve(backend: Backend, container: Container, bound: Iterable[Bound]) -> tuple[PublishedPort, ...]:
    """Serves them through the container's agent; what is published."""
    ports: list[PublishedPort] = []
    for container_port, listening in bound:
        address, port = listening.getsockname()[:2]
        ports.append(PublishedPort(container_port, address, port))
        await _serve(backend, container, listening, container_port)
    return tuple(ports)


async def publish_again(backend: Backend, container: Container) -> None:
    """Listens where an earlier daemon did, for a container it left running; SystemFailure when a port is taken."""
    for port in container.ports:
        try:
            listening = bind(port.host_ip, port.host_port)
        except OSError as error:
            raise _taken(container, port.host_ip, port.host_port, error) from error
        await _serve(backend, container, listening, port.container_port)


async def close(backend: Backend, container_id: str) -> None:
    """Closes the container's listeners and their connections."""
    listeners = backend.lives.of(container_id).listeners
    closing = [listener.close() for listener in listeners]
    listeners.clear()
    await asyncio.gather(*closing)


async def _serve(backend: Backend, container: Container, listening: socket.socket, container_port: int) -> None:
    async def open_tunnel() -> Tunnel:
        link = await reachable(backend, container)
        return await link.open(TUNNEL, "")

    listener = PortListener(listening, container_port, open_tunnel)
    backend.lives.of(container.id).listeners.append(listener)
    await listener.start()


def _bind_first_free(container: Container, entry: Wanted) -> list[socket.socket]:
    failure: OSError | None = None
    for port in _candidates(entry):
        try:
            return _bind(entry.host_ip, port)
        except OSError as error:
            failure = error
    raise _taken(container, entry.host_ip or EVERY_ADDRESS[0], entry.first, failure) from failure


def _candidates(entry: Wanted) -> Iterable[int]:
    if entry.first == 0:
        return (0 for _ in range(ATTEMPTS_FOR_A_FREE_PORT))
    return range(entry.first, entry.last + 1)


def _bind(host_ip: str, port: int) -> list[socket.socket]:
    """One socket for a given address; for none, the same port on IPv4 and, where the machine has it, on IPv6."""
    if host_ip:
        return [bind(host_ip, port)]
    first = bind(EVERY_ADDRESS[0], port)
    if not socket.has_ipv6 or not _has_ipv6():
        return [first]
    try:
        return [first, bind(EVERY_ADDRESS[1], first.getsockname()[1])]
    except OSError:
        first.close()
        raise


def _has_ipv6() -> bool:
    with contextlib.suppress(OSError), socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
        probe.bind(("::1", 0))
        return True
    return False


def _taken(container: Container, address: str, port: int, error: OSError | None) -> SystemFailure:
    return SystemFailure(
        f"driver failed programming external connectivity on endpoint {container.name}: "
        f"Bind for {address}:{port} failed: {(error.strerror or str(error)).lower() if error else 'no free port'}"
    )
