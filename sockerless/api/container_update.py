"""POST /containers/{name}/update: the members of HostConfig that may change, treated as create treats them."""

from __future__ import annotations

from aiohttp import web

from sockerless.api.call import Call
from sockerless.api.create_host_config import HOST_CONFIG
from sockerless.api.create_options import is_empty, read
from sockerless.api.replies import json_reply

_MEMBERS = (
    "CpuShares Memory CgroupParent BlkioWeight BlkioWeightDevice BlkioDeviceReadBps BlkioDeviceWriteBps "
    "BlkioDeviceReadIOps BlkioDeviceWriteIOps CpuPeriod CpuQuota CpuRealtimePeriod CpuRealtimeRuntime CpusetCpus "
    "CpusetMems Devices DeviceCgroupRules DeviceRequests KernelMemory KernelMemoryTCP MemoryReservation MemorySwap "
    "MemorySwappiness NanoCpus OomKillDisable Init PidsLimit Ulimits CpuCount CpuPercent IOMaximumIOps "
    "IOMaximumBandwidth RestartPolicy"
)
"""Resources and RestartPolicy (Engine API 1.44, ContainerUpdate)."""
UPDATABLE = tuple(option for option in HOST_CONFIG if option.name in _MEMBERS.split())


async def update(call: Call) -> web.StreamResponse:
    """POST /containers/{name}/update."""
    changes, warnings = read("HostConfig", UPDATABLE, await call.json_object())
    more = await call.verbs.update(call.name, {name: value for name, value in changes.items() if not is_empty(value)})
    return json_reply({"Warnings": [*warnings, *more] or None})
