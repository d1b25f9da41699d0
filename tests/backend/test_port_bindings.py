"""Which ports a create body publishes."""

from __future__ import annotations

import pytest

from sockerless.backend.port_bindings import Wanted, left_out, wanted
from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import JsonObject


@pytest.mark.parametrize(
    ("config", "host", "expected"),
    [
        ({}, {}, []),
        ({}, {"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}}, [Wanted(80, "", 8080, 8080)]),
        (
            {},
            {"PortBindings": {"80": [{"HostIp": "127.0.0.1", "HostPort": "8000-8010"}]}},
            [Wanted(80, "127.0.0.1", 8000, 8010)],
        ),
        ({}, {"PortBindings": {"80/tcp": None}}, [Wanted(80, "", 0, 0)]),
        ({"ExposedPorts": {"80/tcp": {}}}, {}, []),
        (
            {"ExposedPorts": {"80/tcp": {}, "81": {}, "53/udp": {}}},
            {"PublishAllPorts": True, "PortBindings": {"80/tcp": [{"HostPort": "1"}]}},
            [Wanted(80, "", 1, 1), Wanted(81, "", 0, 0)],
        ),
    ],
)
def test_bindings_ranges_and_all_exposed_ports(config: JsonObject, host: JsonObject, expected: list[Wanted]) -> None:
    assert wanted(config, host) == expected


@pytest.mark.parametrize("port", ["x", "99999", "8010-8000", "-1", "1-2-3"])
def test_a_malformed_host_port_is_refused(port: str) -> None:
    with pytest.raises(InvalidParameter, match="invalid port specification"):
        wanted({}, {"PortBindings": {"80/tcp": [{"HostPort": port}]}})


def test_udp_is_refused_with_the_reason() -> None:
    with pytest.raises(NotSupported, match="port 53/udp cannot be published: only TCP ports can be"):
        wanted({}, {"PortBindings": {"53/udp": [{"HostPort": "53"}]}})


def test_an_exposed_port_that_cannot_be_published_is_warned_of_when_all_are_to_be() -> None:
    config = {"ExposedPorts": {"80/tcp": {}, "81": {}, "53/UDP": {}}}
    assert left_out(config, {}) == []
    [warning] = left_out(config, {"PublishAllPorts": True})
    assert warning.startswith("port 53/UDP is exposed and not published")
