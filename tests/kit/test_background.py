"""Background processes: found again by their pid file, never mistaken for a stranger, ended by deadline."""

from __future__ import annotations

import json
import os
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sockerless.errors import Conflict, DeadlineExceeded, SystemFailure
from sockerless.kit import background
from sockerless.kit.background import Place

SLEEPER = [sys.executable, "-c", "import time; print('awake', flush=True); time.sleep(600)"]
STUBBORN = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('awake', flush=True); time.sleep(600)",
]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place("sleeper", tmp_path / ".sockerless")
    yield place
    background.stop(place, timeout_s=5)


def awake(place: Place) -> bool:
    return place.log_path.exists() and "awake" in place.log_path.read_text()


def begin(place: Place, argv: list[str]) -> int:
    return background.start_and_wait(place, argv, dict(os.environ), lambda: awake(place), timeout_s=20).pid


def test_a_started_process_is_found_and_leads_its_own_session(place: Place) -> None:
    pid = begin(place, SLEEPER)
    found = background.find(place)
    assert found is not None
    assert found.pid == pid
    assert os.getsid(pid) == pid


def test_its_files_are_private(place: Place) -> None:
    begin(place, SLEEPER)
    for path in (place.pid_path, place.log_path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_second_start_is_refused_while_the_first_runs(place: Place) -> None:
    begin(place, SLEEPER)
    with pytest.raises(Conflict, match="already runs as process"):
        background.start(place, SLEEPER, dict(os.environ))


def test_stop_ends_it_and_removes_the_pid_file(place: Place) -> None:
    pid = begin(place, SLEEPER)
    assert background.stop(place, timeout_s=5)
    assert not Path(f"/proc/{pid}").exists()
    assert not place.pid_path.exists()
    assert not background.stop(place)


def test_a_process_that_ignores_term_is_killed_after_the_deadline(place: Place) -> None:
    pid = begin(place, STUBBORN)
    before = time.monotonic()
    assert background.stop(place, timeout_s=0.3)
    assert 0.3 <= time.monotonic() - before < 5
    assert not Path(f"/proc/{pid}").exists()


def test_a_reused_pid_is_not_ours_and_survives_stop(place: Place) -> None:
    place.directory.mkdir()
    stranger = {"pid": os.getpid(), "started": 1, "boot": Path("/proc/sys/kernel/random/boot_id").read_text().strip()}
    place.pid_path.write_text(json.dumps(stranger))
    assert background.find(place) is None
    assert not background.stop(place)


@pytest.mark.parametrize("text", ["", "12", "{}", '{"pid": "x"}', "\x00"])
def test_a_damaged_pid_file_counts_as_none(place: Place, text: str) -> None:
    place.directory.mkdir()
    place.pid_path.write_text(text)
    assert background.find(place) is None


def test_a_process_from_another_boot_is_not_ours(place: Place) -> None:
    begin(place, SLEEPER)
    document = json.loads(place.pid_path.read_text())
    place.pid_path.write_text(json.dumps(document | {"boot": "another"}))
    assert background.find(place) is None
    place.pid_path.write_text(json.dumps(document))


def test_the_log_of_one_that_dies_while_starting_is_shown(place: Place) -> None:
    argv = [sys.executable, "-c", "import sys; print('the port is taken', file=sys.stderr); sys.exit(3)"]
    with pytest.raises(SystemFailure, match="the port is taken"):
        background.start_and_wait(place, argv, dict(os.environ), lambda: False, timeout_s=20)


def test_one_that_is_never_ready_is_not_left_behind(place: Place) -> None:
    with pytest.raises(DeadlineExceeded, match="not ready within"):
        background.start_and_wait(place, SLEEPER, dict(os.environ), lambda: False, timeout_s=0.2)
    assert background.find(place) is None
    assert not place.pid_path.exists()


def test_the_log_before_is_kept_once(place: Place) -> None:
    begin(place, SLEEPER)
    background.stop(place, timeout_s=5)
    begin(place, STUBBORN)
    assert place.log_path.with_suffix(".log.1").read_text() == "awake\n"
