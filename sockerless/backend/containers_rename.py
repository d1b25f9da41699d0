"""docker rename."""

from __future__ import annotations

from dataclasses import replace

from sockerless.backend import events, names
from sockerless.backend.containers_find import find
from sockerless.backend.context import Backend
from sockerless.errors import InvalidParameter


async def rename(backend: Backend, reference: str, new_name: str) -> None:
    """Gives the container another name; InvalidParameter or Conflict in Docker's words."""
    if not new_name:
        raise InvalidParameter("Neither old nor new names may be empty")
    container = find(backend, reference)
    name = names.checked(new_name)
    if name == container.name:
        raise InvalidParameter("Renaming a container with the same name as its current name")
    async with backend.lives.of(container.id).lock:
        renamed = replace(backend.store.container(container.id), name=name)
        backend.store.save_container(renamed)
        events.emit(backend, renamed, "rename", oldName=f"/{container.name}")
