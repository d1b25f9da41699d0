"""The SQLite file under the store: its directory, schema and version, its transactions, its failures as errors.*.

Knows no record. Laws: a committed transaction has reached the disk (WAL with synchronous=FULL); directory and files
are their owner's alone, for the records hold the agents' keys.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sockerless import errors

SCHEMA_VERSION = 2

_FIRST_SCHEMA = """
CREATE TABLE installation (id TEXT NOT NULL);
CREATE TABLE containers (
    id TEXT PRIMARY KEY, name TEXT NOT NULL UNIQUE, created_at_ns INTEGER NOT NULL, document TEXT NOT NULL);
CREATE TABLE images (sequence INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, document TEXT NOT NULL);
CREATE TABLE repo_tags (repo_tag TEXT PRIMARY KEY, image_id TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE);
CREATE TABLE task_definitions (shape TEXT PRIMARY KEY, document TEXT NOT NULL);
PRAGMA user_version = 1;
"""
_UPGRADES = {
    2: """
CREATE TABLE events (sequence INTEGER PRIMARY KEY AUTOINCREMENT, document TEXT NOT NULL);
PRAGMA user_version = 2;
"""
}
"""What each version added to the one before."""


def make_private(directory: Path) -> None:
    """Makes the directory, or closes it to others; errors.InvalidParameter when it holds what is not ours."""
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not directory.stat().st_mode & 0o077:
        return
    if any(directory.iterdir()) and not (directory / "lock").exists():
        raise errors.InvalidParameter(
            f"{directory} is open to other users and holds other files; records would not be safe there. Choose "
            f"another SOCKERLESS_STATE_DIR, or run `chmod 700 {directory}`"
        )
    directory.chmod(0o700)


def open_database(path: Path) -> sqlite3.Connection:
    """The open file with its schema, made when missing; errors.NotSupported when a newer version wrote it."""
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    try:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = FULL")
        database.execute("PRAGMA foreign_keys = ON")
        _migrate(database, path)
    except (sqlite3.Error, errors.SockerlessError):
        database.close()
        raise
    return database


@contextmanager
def committed(database: sqlite3.Connection) -> Iterator[None]:
    """One transaction: committed at the end, rolled back by any exception."""
    database.execute("BEGIN IMMEDIATE")
    try:
        yield
        database.execute("COMMIT")
    except BaseException:
        if database.in_transaction:
            database.execute("ROLLBACK")
        raise


@contextmanager
def unsynced(database: sqlite3.Connection) -> Iterator[None]:
    """What is committed inside reaches the operating system at once and the disk later."""
    database.execute("PRAGMA synchronous = NORMAL")
    try:
        yield
    finally:
        database.execute("PRAGMA synchronous = FULL")


@contextmanager
def medium(directory: Path) -> Iterator[None]:
    """What the disk and SQLite fail with, as errors.*."""
    try:
        yield
    except OSError as error:
        raise errors.SystemFailure(f"the records in {directory} cannot be used: {error.strerror or error}") from error
    except sqlite3.DatabaseError as error:
        damaged = getattr(error, "sqlite_errorname", "") in {"SQLITE_CORRUPT", "SQLITE_NOTADB"}
        kind = errors.DataLoss if damaged else errors.SystemFailure
        raise kind(f"the records in {directory} cannot be used: {error}") from error


def _migrate(database: sqlite3.Connection, path: Path) -> None:
    found = database.execute("PRAGMA user_version").fetchone()[0]
    if found > SCHEMA_VERSION:
        raise errors.NotSupported(
            f"{path} was written by a newer sockerless-kit (schema {found}, this one knows {SCHEMA_VERSION}); "
            "install that version, or choose another SOCKERLESS_STATE_DIR"
        )
    with committed(database):
        if found == 0:
            _execute(database, _FIRST_SCHEMA)
            database.execute("INSERT INTO installation (id) VALUES (?)", (secrets.token_hex(8),))
        for version, statements in _UPGRADES.items():
            if version > found:
                _execute(database, statements)


def _execute(database: sqlite3.Connection, statements: str) -> None:
    for statement in filter(str.strip, statements.split(";")):
        database.execute(statement)
