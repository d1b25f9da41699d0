"""The default store: one SQLite file, one row a record, the record itself as JSON.

Owns the directory's layout (records.sqlite3, lock). Knows nothing of what records mean, beyond the two rules of the
interface: a container's name is one container's, a repo_tag is one image's.
Laws: a save has reached the disk when it returns; one process at a time has a store open.
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from sockerless import errors
from sockerless.store import lock
from sockerless.store.base import KEPT_EVENTS
from sockerless.store.database import committed, make_private, medium, open_database, unsynced
from sockerless.store.documents import from_text, to_text
from sockerless.types import Container, Event, Image, TaskDefinitionRecord


class SqliteStore:
    """store/base.py's Store in a directory; open_store() makes one. Calls may come from any thread."""

    def __init__(self, directory: Path, database: sqlite3.Connection, lock_descriptor: int) -> None:
        self._directory = directory
        self._database = database
        self._lock_descriptor = lock_descriptor
        self._one_at_a_time = threading.Lock()

    def installation_id(self) -> str:
        """16 hex digits made once for this store."""
        return str(self._rows("SELECT id FROM installation")[0])

    def containers(self) -> list[Container]:
        """All records, newest first."""
        rows = self._rows("SELECT document FROM containers ORDER BY created_at_ns DESC, rowid DESC")
        return [from_text(Container, row) for row in rows]

    def container(self, container_id: str) -> Container:
        """The record with this full id; errors.NotFound when there is none."""
        rows = self._rows("SELECT document FROM containers WHERE id = ?", container_id)
        if not rows:
            raise errors.NotFound(f"No such container: {container_id}")
        return from_text(Container, rows[0])

    def find_containers(self, prefix_or_name: str) -> list[Container]:
        """The record of exactly this name, else those whose id starts with it; [] for none, and for ""."""
        rows = self._rows("SELECT document FROM containers WHERE name = ?", prefix_or_name)
        if not rows and prefix_or_name:
            rows = self._rows(
                "SELECT document FROM containers WHERE substr(id, 1, length(?1)) = ?1 "
                "ORDER BY created_at_ns DESC, rowid DESC",
                prefix_or_name,
            )
        return [from_text(Container, row) for row in rows]

    def save_container(self, container: Container) -> None:
        """Inserts or replaces by id; errors.Conflict when another container has the name."""
        with self._transaction() as database:
            holders = database.execute(
                "SELECT id FROM containers WHERE name = ? AND id != ?", (container.name, container.id)
            ).fetchall()
            if holders:
                raise errors.Conflict(
                    f'Conflict. The container name "/{container.name}" is already in use by container '
                    f'"{holders[0][0]}". You have to remove (or rename) that container to be able to reuse that name.'
                )
            database.execute(
                "INSERT INTO containers (id, name, created_at_ns, document) VALUES (?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET name = excluded.name, created_at_ns = excluded.created_at_ns, "
                "document = excluded.document",
                (container.id, container.name, container.created_at_ns, to_text(container)),
            )

    def delete_container(self, container_id: str) -> None:
        """Forgets the record; does nothing when it is gone already."""
        self._change("DELETE FROM containers WHERE id = ?", container_id)

    def images(self) -> list[Image]:
        """All known images, the one recorded last first."""
        return [from_text(Image, row) for row in self._rows("SELECT document FROM images ORDER BY sequence DESC")]

    def save_image(self, image: Image) -> None:
        """Inserts or replaces by id; a repo_tag moves from the image that held it to this one."""
        with self._transaction() as database:
            for holder in _other_holders(database, image):
                kept = tuple(tag for tag in holder.repo_tags if tag not in image.repo_tags)
                _put_image(database, replace(holder, repo_tags=kept))
            _put_image(database, image)

    def delete_image(self, image_id: str) -> None:
        """Forgets the image; does nothing when it is gone already."""
        self._change("DELETE FROM images WHERE id = ?", image_id)

    def task_definitions(self) -> list[TaskDefinitionRecord]:
        """All registered definitions on record."""
        rows = self._rows("SELECT document FROM task_definitions ORDER BY rowid")
        return [from_text(TaskDefinitionRecord, row) for row in rows]

    def save_task_definition(self, record: TaskDefinitionRecord) -> None:
        """Inserts or replaces by shape."""
        self._change(
            "INSERT INTO task_definitions (shape, document) VALUES (?, ?) "
            "ON CONFLICT (shape) DO UPDATE SET document = excluded.document",
            record.shape,
            to_text(record),
        )

    def delete_task_definition(self, shape: str) -> None:
        """Forgets the definition; does nothing when it is gone already."""
        self._change("DELETE FROM task_definitions WHERE shape = ?", shape)

    def add_event(self, event: Event) -> int:
        """Appends to the journal, which keeps the newest KEPT_EVENTS; survives the daemon, not a power failure."""
        with self._one_at_a_time, medium(self._directory), unsynced(self._database), committed(self._database):
            added = self._database.execute("INSERT INTO events (document) VALUES (?)", (to_text(event),))
            sequence = int(added.lastrowid or 0)
            self._database.execute("DELETE FROM events WHERE sequence <= ?", (sequence - KEPT_EVENTS,))
        return sequence

    def events(self, after: int, limit: int) -> list[Event]:
        """At most limit kept events whose sequence is above after, oldest first."""
        query = "SELECT sequence, document FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?"
        with self._one_at_a_time, medium(self._directory):
            rows = self._database.execute(query, (after, limit)).fetchall()
        return [replace(from_text(Event, document), sequence=sequence) for sequence, document in rows]

    def last_event(self) -> int:
        """The sequence of the newest event ever added, 0 when there was none."""
        return int((self._rows("SELECT seq FROM sqlite_sequence WHERE name = 'events'") or ["0"])[0])

    def close(self) -> None:
        """Releases the file and its lock."""
        self._database.close()
        os.close(self._lock_descriptor)

    def _rows(self, query: str, *parameters: str) -> list[str]:
        with self._one_at_a_time, medium(self._directory):
            return [row[0] for row in self._database.execute(query, parameters)]

    def _change(self, statement: str, *parameters: str) -> None:
        with self._transaction() as database:
            database.execute(statement, parameters)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._one_at_a_time, medium(self._directory), committed(self._database):
            yield self._database


def open_store(directory: Path) -> SqliteStore:
    """Opens the store in this directory, making both when missing.

    errors.Conflict: another process has it open. errors.NotSupported: a newer version wrote it.
    errors.InvalidParameter: the directory is open to others and holds other things.
    errors.SystemFailure, errors.DataLoss: the medium failed, or what it holds is damaged.
    """
    with medium(directory):
        make_private(directory)
        descriptor = lock.acquire(directory / "lock")
    try:
        with medium(directory):
            database = open_database(directory / "records.sqlite3")
    except errors.SockerlessError:
        os.close(descriptor)
        raise
    return SqliteStore(directory, database, descriptor)


def _other_holders(database: sqlite3.Connection, image: Image) -> list[Image]:
    """Images other than this one that hold one of its repo_tags."""
    marks = ", ".join("?" * len(image.repo_tags))
    rows = database.execute(
        "SELECT DISTINCT document FROM images JOIN repo_tags ON repo_tags.image_id = images.id "  # noqa: S608 - marks
        f"WHERE repo_tags.repo_tag IN ({marks}) AND images.id != ?",
        (*image.repo_tags, image.id),
    )
    return [from_text(Image, row[0]) for row in rows.fetchall()]


def _put_image(database: sqlite3.Connection, image: Image) -> None:
    database.execute(
        "INSERT INTO images (id, document) VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET document = excluded.document",
        (image.id, to_text(image)),
    )
    database.execute("DELETE FROM repo_tags WHERE image_id = ?", (image.id,))
    database.executemany(
        "INSERT INTO repo_tags (repo_tag, image_id) VALUES (?, ?)",
        [(tag, image.id) for tag in dict.fromkeys(image.repo_tags)],
    )
