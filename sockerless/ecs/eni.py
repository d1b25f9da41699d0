"""Where a task's elastic network interface stands in DescribeTasks' answer and in task state change events.

Knows no EC2: the interface's public address is aws/ec2.py's to ask for.
Source: Amazon ECS API reference, Task.attachments (type ElasticNetworkInterface) and Attachment.details; developer
guide, "Amazon ECS task state change events", where the type is eni.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockerless.types import JsonObject

_ENI = frozenset({"ElasticNetworkInterface", "eni"})
_GONE = frozenset({"DETACHED", "DELETED"})


@dataclass(frozen=True, slots=True)
class NetworkInterface:
    """A task's ENI: its id (eni-...) and private IPv4 address, each None until ECS tells it."""

    eni_id: str | None = None
    private_address: str | None = None


def network_interface(task: JsonObject) -> NetworkInterface:
    """The interface in a task's attachments; both fields None while there is none, or no more."""
    for attachment in task.get("attachments", []):
        if attachment.get("type") in _ENI and attachment.get("status") not in _GONE:
            details = {detail.get("name"): detail.get("value") for detail in attachment.get("details", [])}
            return NetworkInterface(details.get("networkInterfaceId"), details.get("privateIPv4Address"))
    return NetworkInterface()
