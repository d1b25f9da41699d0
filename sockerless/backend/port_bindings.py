"""Which ports a container publishes, from its create body. Pure.

Source: Engine API 1.44, HostConfig.PortBindings and PublishAllPorts; a HostPort may be a range, of which the first
free one is taken.
"""

from __future__ import annotations

from typing import NamedTuple

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import JsonObject

LARGEST_PORT = 65535
_ONLY_TCP = "only TCP ports can be, because connections reach a task through its agent"


class Wanted(NamedTuple):
    """One port to publish: on host_ip ("" = every address), at the first free port from first to last (0 = any)."""

    container_port: int
    host_ip: str
    first: int
    last: int


def wanted(config: JsonObject, host_config: JsonObject) -> list[Wanted]:
    """Every port to publish, bindings first. InvalidParameter in Docker's words; NotSupported for UDP and SCTP."""
    bindings = host_config.get("PortBindings") or {}
    found = [
        Wanted(_container_port(port), str(binding.get("HostIp") or ""), *_range(str(binding.get("HostPort") or "")))
        for port, given in bindings.items()
        for binding in given or [{}]
    ]
    if host_config.get("PublishAllPorts"):
        bound = {entry.container_port for entry in found}
        exposed = filter(_is_tcp, config.get("ExposedPorts") or {})
        found += [Wanted(number, "", 0, 0) for number in map(_container_port, exposed) if number not in bound]
    return found


def left_out(config: JsonObject, host_config: JsonObject) -> list[str]:
    """A warning for each exposed port that PublishAllPorts asks for and that cannot be published."""
    exposed = config.get("ExposedPorts") or {} if host_config.get("PublishAllPorts") else {}
    return [f"port {port} is exposed and not published: {_ONLY_TCP}" for port in exposed if not _is_tcp(port)]


def _is_tcp(port: str) -> bool:
    return port.partition("/")[2].lower() in {"", "tcp"}


def _container_port(text: str) -> int:
    if not _is_tcp(text):
        raise NotSupported(
            f"port {text} cannot be published: {_ONLY_TCP}; "
            "let clients inside the VPC use the task's own address for other protocols"
        )
    return _port(text.partition("/")[0], text)


def _range(text: str) -> tuple[int, int]:
    if not text:
        return 0, 0
    first, dash, last = text.partition("-")
    lower, upper = _port(first, text), _port(last, text) if dash else _port(first, text)
    if lower > upper:
        raise InvalidParameter(f"invalid port specification: {text!r}")
    return lower, upper


def _port(text: str, whole: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) <= LARGEST_PORT):
        raise InvalidParameter(f"invalid port specification: {whole!r}")
    return int(text)
