"""GET /_ping, /version, /info and /plugins: what the daemon says about itself. No AWS call."""

from __future__ import annotations

import time

from aiohttp import web

from sockerless.api import versions
from sockerless.api.call import Call
from sockerless.api.replies import json_reply
from sockerless.types import JsonObject
from sockerless.wire.timestamps import rfc3339

_NEVER_CACHED = {"Cache-Control": "no-cache, no-store, must-revalidate", "Pragma": "no-cache"}
_NO_SWARM: JsonObject = {
    "NodeID": "",
    "NodeAddr": "",
    "LocalNodeState": "inactive",
    "ControlAvailable": False,
    "Error": "",
    "RemoteManagers": None,
}
_INFO_DEFAULTS: JsonObject = {
    "Plugins": {"Volume": [], "Network": [], "Authorization": None, "Log": ["json-file", "awslogs"]},
    "MemoryLimit": True,
    "SwapLimit": False,
    "CpuCfsPeriod": True,
    "CpuCfsQuota": True,
    "CPUShares": False,
    "CPUSet": False,
    "PidsLimit": False,
    "OomKillDisable": False,
    "IPv4Forwarding": True,
    "Debug": False,
    "CgroupDriver": "none",
    "IndexServerAddress": "https://index.docker.io/v1/",
    "Labels": [],
    "ExperimentalBuild": False,
    "Runtimes": {"runc": {"path": "runc"}},
    "DefaultRuntime": "runc",
    "Swarm": _NO_SWARM,
    "LiveRestoreEnabled": True,
    "Isolation": "",
    "InitBinary": "",
    "SecurityOptions": [],
    "Warnings": None,
}
"""SystemInfo's fields that are the same for every deployment, as clients expect them to be there."""


async def ping(call: Call) -> web.StreamResponse:
    """OK, without a newline; HEAD says that there is no swarm."""
    swarm = {"Swarm": "inactive"} if call.request.method == "HEAD" else {}
    return web.Response(body=b"OK", content_type="text/plain", charset="utf-8", headers=_NEVER_CACHED | swarm)


async def version(call: Call) -> web.StreamResponse:
    """SystemVersion."""
    known = call.verbs.version()
    spoken = {"ApiVersion": versions.API_VERSION, "MinAPIVersion": versions.MIN_API_VERSION}
    components = [
        component | {"Details": {**component["Details"], **spoken}} if component["Name"] == "Engine" else component
        for component in known.get("Components", [])
    ]
    unknown = {"GitCommit": "", "GoVersion": "", "KernelVersion": "", "BuildTime": ""}
    return json_reply({**unknown, **known, "Components": components, **spoken})


async def info(call: Call) -> web.StreamResponse:
    """SystemInfo."""
    moment = {"SystemTime": rfc3339(time.time_ns())}
    return json_reply({**_INFO_DEFAULTS, **moment, **call.verbs.info()})


async def plugins(call: Call) -> web.StreamResponse:
    """The installed plugins: none."""
    return json_reply([])
