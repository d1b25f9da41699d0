"""What is SQLite's store's own: one daemon, private files, versions, durability, damage."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from sockerless import errors
from sockerless.store.sqlite import open_store
from sockerless.types import Event
from tests.store.conftest import container

HOLD = """
import sys
from pathlib import Path
from sockerless.store.sqlite import open_store
from tests.store.conftest import container
store = open_store(Path(sys.argv[1]))
store.save_container(container(1))
print("saved", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def held(tmp_path: Path) -> subprocess.Popen[str]:
    """Another process that has the store open and has saved container 1."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "state")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "saved\n"
    return process


def test_two_daemons_cannot_share_a_store_and_the_second_learns_the_firsts_pid(
    held: subprocess.Popen[str], tmp_path: Path
) -> None:
    with pytest.raises(errors.Conflict, match=rf"in use by another daemon \(pid {held.pid}\)"):
        open_store(tmp_path / "state")
    held.communicate("")
    open_store(tmp_path / "state").close()


def test_a_killed_daemon_leaves_its_last_save_and_no_lock(held: subprocess.Popen[str], tmp_path: Path) -> None:
    held.send_signal(signal.SIGKILL)
    held.communicate()
    store = open_store(tmp_path / "state")
    assert store.containers() == [container(1)]
    store.close()


def test_a_store_opened_twice_in_one_process_is_a_conflict_that_names_no_earlier_pid(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state" / "lock").write_text("12345678901234567890\n")
    store = open_store(tmp_path / "state")
    with pytest.raises(errors.Conflict, match=rf"\(pid {os.getpid()}\)"):
        open_store(tmp_path / "state")
    store.close()
    open_store(tmp_path / "state").close()


def test_directory_and_files_are_their_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        store = open_store(tmp_path / "state")
        store.save_container(container(1))
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "state").iterdir()}
    assert {"lock", "records.sqlite3", "records.sqlite3-wal"} <= modes.keys()
    assert set(modes.values()) == {0o600}
    store.close()


def test_an_empty_directory_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir(mode=0o755)
    open_store(tmp_path / "state").close()
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o700


def test_a_directory_of_other_things_that_others_can_read_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(0o755)
    (tmp_path / "state" / "something").touch()
    with pytest.raises(errors.InvalidParameter, match="chmod 700"):
        open_store(tmp_path / "state")
    assert stat.S_IMODE((tmp_path / "state").stat().st_mode) == 0o755


def test_a_store_of_a_newer_version_is_refused_with_what_to_do_and_stays_usable_for_it(tmp_path: Path) -> None:
    open_store(tmp_path / "state").close()
    database = sqlite3.connect(tmp_path / "state" / "records.sqlite3")
    database.execute("PRAGMA user_version = 99")
    with pytest.raises(errors.NotSupported, match=r"schema 99, this one knows 2.*SOCKERLESS_STATE_DIR"):
        open_store(tmp_path / "state")
    database.execute("PRAGMA user_version = 2")
    database.close()
    open_store(tmp_path / "state").close()


def test_a_store_of_the_first_version_is_brought_up_with_what_it_holds(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")
    store.save_container(container(1))
    store.close()
    database = sqlite3.connect(tmp_path / "state" / "records.sqlite3")
    database.execute("DROP TABLE events")
    database.execute("PRAGMA user_version = 1")
    database.close()
    store = open_store(tmp_path / "state")
    assert store.containers() == [container(1)]
    assert store.add_event(Event("container", "start", "1", {}, 1)) == 1
    store.close()


def test_a_save_syncs_the_write_ahead_log_before_it_returns(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")
    database = store._database
    assert database.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert database.execute("PRAGMA synchronous").fetchone() == (2,)
    store.close()


def test_a_file_that_is_no_database_is_data_loss(tmp_path: Path) -> None:
    open_store(tmp_path / "state").close()
    (tmp_path / "state" / "records.sqlite3").write_bytes(b"not a database at all" * 100)
    with pytest.raises(errors.DataLoss, match="cannot be used"):
        open_store(tmp_path / "state")


@pytest.mark.parametrize("document", ["{", "[]", "null", '{"id": "1"}', '{"size": 5}'])
def test_a_record_that_cannot_be_read_is_data_loss(tmp_path: Path, document: str) -> None:
    store = open_store(tmp_path / "state")
    store.save_container(container(1))
    store._database.execute("UPDATE containers SET document = ?", (document,))
    with pytest.raises(errors.DataLoss, match="Container"):
        store.containers()
    store.close()


def test_a_record_of_an_older_version_gets_defaults_and_one_of_a_newer_loses_what_is_unknown(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")
    store.save_container(container(1))
    store._database.execute(
        "UPDATE containers SET document = json_set(json_remove(document, '$.restart_count'), '$.tomorrow', 1)"
    )
    assert store.container(container(1).id) == container(1, restart_count=0)
    store.close()


def test_a_medium_that_fails_is_a_system_failure(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(errors.SystemFailure, match="cannot be used"):
        open_store(tmp_path / "file" / "state")
    store = open_store(tmp_path / "state")
    store._database.execute("DROP TABLE images")
    with pytest.raises(errors.SystemFailure, match="no such table"):
        store.images()
    store.close()


def test_a_save_that_fails_half_way_leaves_nothing_behind(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")
    store._database.execute("DROP TABLE containers")
    with pytest.raises(errors.SystemFailure):
        store.save_container(container(1))
    assert not store._database.in_transaction
    store.close()


def test_threads_take_turns(tmp_path: Path) -> None:
    store = open_store(tmp_path / "state")

    def save(first: int) -> None:
        for number in range(first, first + 25):
            store.save_container(container(number))

    threads = [threading.Thread(target=save, args=(first,)) for first in range(0, 100, 25)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(store.containers()) == 100
    store.close()
