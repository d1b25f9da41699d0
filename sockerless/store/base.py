"""The store's one small interface: what was asked and how it ended.

Every save is durable before it returns, but for add_event's. Methods are synchronous and short (one SQL statement
each).
"""

from __future__ import annotations

from typing import Protocol

from sockerless.types import Container, Event, Image, TaskDefinitionRecord

KEPT_EVENTS = 4096
"""How many of the newest events a store keeps."""


class Store(Protocol):
    """Where the daemon's records live. Everything raises errors.SystemFailure when the medium fails."""

    def installation_id(self) -> str:
        """16 hex digits made once for this store; names this daemon's tasks on a shared cluster."""

    def containers(self) -> list[Container]:
        """All records, newest first."""

    def container(self, container_id: str) -> Container:
        """The record with this full id; errors.NotFound when there is none."""

    def find_containers(self, prefix_or_name: str) -> list[Container]:
        """The record of exactly this name (without slash), else those whose id starts with it; [] for none."""

    def save_container(self, container: Container) -> None:
        """Inserts or replaces by id; errors.Conflict (Docker's words, naming the holder) when the name is taken."""

    def delete_container(self, container_id: str) -> None:
        """Forgets the record; does nothing when it is gone already."""

    def images(self) -> list[Image]:
        """All known images, newest record first."""

    def save_image(self, image: Image) -> None:
        """Inserts or replaces by id; a repo_tag moves from the image that held it to this one."""

    def delete_image(self, image_id: str) -> None:
        """Forgets the image; does nothing when it is gone already."""

    def task_definitions(self) -> list[TaskDefinitionRecord]:
        """All registered definitions on record."""

    def save_task_definition(self, record: TaskDefinitionRecord) -> None:
        """Inserts or replaces by shape."""

    def delete_task_definition(self, shape: str) -> None:
        """Forgets the definition; does nothing when it is gone already."""

    def add_event(self, event: Event) -> int:
        """Appends to the journal of events, which keeps the newest KEPT_EVENTS; the event's sequence, from 1 on.

        The one write that may be lost with the machine (not with the daemon): an event is news, not a record.
        """

    def events(self, after: int, limit: int) -> list[Event]:
        """At most limit kept events whose sequence is above after, oldest first."""

    def last_event(self) -> int:
        """The sequence of the newest event ever added, 0 when there was none."""

    def close(self) -> None:
        """Releases the medium."""
