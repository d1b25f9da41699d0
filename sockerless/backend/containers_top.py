"""docker top: the agent lists the task's processes as ps would, itself left out."""

from __future__ import annotations

from sockerless.backend import events
from sockerless.backend.containers_find import find, require_running
from sockerless.backend.context import Backend
from sockerless.backend.reach import reachable
from sockerless.types import JsonObject

DEFAULT_PS_ARGS = "-ef"


async def top(backend: Backend, reference: str, ps_args: str) -> JsonObject:
    """ContainerTopResponse. ps_args: ps's own, by blanks ("" = -ef).

    Conflict when it does not run; SystemFailure in dockerd's words for what ps would not do.
    """
    container = find(backend, reference)
    require_running(container)
    link = await reachable(backend, container)
    listed = await link.request("top", ps_args=ps_args or DEFAULT_PS_ARGS)
    events.emit(backend, container, "top")
    return {"Processes": listed["processes"], "Titles": listed["titles"]}
