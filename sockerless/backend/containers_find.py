"""Looking containers up as Docker's clients name them: full id, unique prefix, name with or without slash."""

from __future__ import annotations

from sockerless.backend.context import Backend
from sockerless.errors import Conflict, InvalidParameter, NotFound
from sockerless.types import Container


def find(backend: Backend, reference: str) -> Container:
    """The container meant; NotFound or, for an ambiguous prefix, InvalidParameter in Docker's words."""
    found = backend.store.find_containers(reference.removeprefix("/"))
    if not found:
        raise NotFound(f"No such container: {reference}")
    if len(found) > 1:
        raise InvalidParameter(f"multiple IDs found with provided prefix: {reference}")
    return found[0]


def on_record(backend: Backend, container_id: str) -> Container | None:
    """The container of this full id; None once it has been removed."""
    try:
        return backend.store.container(container_id)
    except NotFound:
        return None


def require_running(container: Container) -> None:
    """Conflict in Docker's words unless the main process runs."""
    if container.state.status == "restarting":
        raise Conflict(f"Container {container.id} is restarting, wait until the container is running")
    if container.state.status not in {"running", "paused"}:
        raise Conflict(f"Container {container.id} is not running")
