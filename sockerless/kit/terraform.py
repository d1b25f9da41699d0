"""The only place that runs terraform, through python-terraform.

Owns: the command lines, the raw log DIR/.sockerless/terraform.log, Ctrl-C. Knows no template and no screen.
Laws: terraform writes its output into the log itself and the kit reads it from there, so that the kit's own death,
however sudden, never breaks terraform off in the middle; Ctrl-C is passed on once and then waited for; whatever fails,
terraform_failures.py makes one sentence of it that names the log.
Source: Terraform CLI 1.5 to 1.11.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal

import python_terraform

from sockerless.errors import NotFound, NotSupported, SystemFailure
from sockerless.kit import background, events, render, terraform_failures
from sockerless.kit.background import Identity, Place
from sockerless.kit.events import Diagnostic, Event
from sockerless.kit.project import Project
from sockerless.kit.terraform_launch import HERMETIC

LOG_FILE = "terraform.log"
PLAN_FILE = "plan.tfplan"
DRIFT_FILE = "drift.tfplan"
LEAST_VERSION = (1, 5)
INSTALL_URL = "https://developer.hashicorp.com/terraform/install"
_LEAST = ".".join(map(str, LEAST_VERSION))
_LAUNCH = "-P -m sockerless.kit.terraform_launch"
_NO_STATE = "terraform.tfstate.none"
_POLL_INTERVAL_S = 0.1

logging.getLogger("python_terraform").setLevel(logging.CRITICAL)  # it logs failures that this module reports itself

Listener = Callable[[Event], None]


class Interrupted(KeyboardInterrupt):
    """Ctrl-C came while terraform worked; terraform has ended in good order and its state is sound."""


class Killed(SystemFailure):
    """Something killed terraform while it worked: its state may lack what it has made."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What `terraform init` is told of the backend: settings that its block leaves out, and what a change of it means.

    change: "migrate-state" moves the state along, "reconfigure" forgets the backend before, "" refuses a change.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    change: Literal["", "migrate-state", "reconfigure"] = ""


@dataclass(frozen=True, slots=True)
class Result:
    """How one command ended: its exit code, its diagnostics, and what it wrote from its start on."""

    exit_code: int
    diagnostics: tuple[Diagnostic, ...]
    text: str


def version() -> tuple[int, ...]:
    """The installed terraform's version, like (1, 11, 4). NotFound when it is missing, NotSupported when too old."""
    if shutil.which("terraform") is None:
        raise NotFound(f"terraform is not on PATH; install {_LEAST} or newer: {INSTALL_URL}")
    code, out, err = _captured(None, "version", json=python_terraform.IsFlagged)
    try:
        text = str(json.loads(out)["terraform_version"])
        found = tuple(int(part) for part in text.partition("-")[0].split("."))
    except (ValueError, KeyError):
        raise SystemFailure(f"`terraform version` does not work (exit code {code}): {(err or out).strip()}") from None
    if found < LEAST_VERSION:
        raise NotSupported(f"terraform {text} is too old; install {_LEAST} or newer: {INSTALL_URL}")
    return found


def start_log(project: Project) -> None:
    """Begins DIR/.sockerless/terraform.log anew; everything terraform says from here on is in it.

    The one before becomes terraform.log.1: a terraform that outlived its kit still writes there.
    """
    path = render.private_directory(project.state_directory) / LOG_FILE
    if path.exists():
        path.rename(path.with_name(f"{LOG_FILE}.1"))
    render.replace_file(path, "", 0o600)


def init(project: Project, plugin_dir: Path | None, backend: Backend = Backend()) -> None:
    """Installs the provider (from the mirror plugin_dir alone, when given) and the modules, and sets the backend up."""
    flags = {"migrate-state": ("migrate_state", "force_copy"), "reconfigure": ("reconfigure",), "": ()}
    _run(
        project,
        "init",
        plugin_dir=str(plugin_dir) if plugin_dir else None,
        no_color=python_terraform.IsFlagged,
        backend_config=dict(backend.settings) or None,
        **dict.fromkeys(flags[backend.change], python_terraform.IsFlagged),
    )


def validate(project: Project) -> None:
    """Checks the configuration against the provider's schema; makes no call to AWS."""
    code, out, err = _captured(project, "validate", json=python_terraform.IsFlagged)
    with _log(project) as log:
        log.write(out + err)
    if code != 0:
        document = json.loads(out) if out.startswith("{") else {}
        found = tuple(events.diagnostic(one) for one in document.get("diagnostics", []))
        raise terraform_failures.failure("validate", found, out + err, log_path(project))


def plan(project: Project, listener: Listener, destroy: bool = False, targets: Sequence[str] = ()) -> Path:
    """Plans into DIR/.sockerless/plan.tfplan (mode 0600) and returns its path; listener hears each planned change.

    targets: the addresses to plan for, with what they depend on; none: all.
    """
    flag = python_terraform.IsFlagged if destroy else None
    return _plan(project, plan_path(project), listener, destroy=flag, target=list(targets))


def plan_refresh(project: Project, listener: Listener | None = None) -> Path:
    """Plans to take over what is there, and nothing else, into DIR/.sockerless/drift.tfplan; its path."""
    return _plan(project, project.state_directory / DRIFT_FILE, listener, refresh_only=python_terraform.IsFlagged)


def _plan(project: Project, path: Path, listener: Listener | None, **options: Any) -> Path:
    render.replace_file(path, "", 0o600)  # terraform keeps the mode of a file that exists
    out = str(path.relative_to(project.directory))
    try:
        _run(project, "plan", listener, json=python_terraform.IsFlagged, out=out, **options)
    except BaseException:
        path.unlink()
        raise
    return path


def apply(project: Project, planned: Path, listener: Listener | None = None) -> None:
    """Applies this very plan; listener hears each resource start and finish. The plan is used up afterwards."""
    try:
        _run(project, "apply", listener, str(planned.relative_to(project.directory)), json=python_terraform.IsFlagged)
    finally:
        planned.unlink()


def unlock(project: Project, lock_id: str) -> None:
    """Frees the lock of the state that has this id; SystemFailure when terraform cannot."""
    _run(project, "force-unlock", None, lock_id, force=python_terraform.IsFlagged, input=None)


def earlier(project: Project) -> Identity | None:
    """The terraform of an earlier command that still works here: it outlives a kit that was killed."""
    return background.find(_place(project))


def show(project: Project, planned: Path) -> dict[str, Any]:
    """What the plan holds, as `terraform show -json` tells it: planned_values, prior_state, resource_drift and more.

    It holds values that are nobody's business: pick what is asked for, print nothing of it as it is.
    """
    code, out, err = _captured(
        project, "show", str(planned.relative_to(project.directory)), json=python_terraform.IsFlagged
    )
    if code != 0:
        raise terraform_failures.failure("show", (), err, log_path(project))
    document: dict[str, Any] = json.loads(out)
    return document


def log_path(project: Project) -> Path:
    """Where everything terraform said since start_log() is."""
    return project.state_directory / LOG_FILE


def plan_path(project: Project) -> Path:
    """Where plan() leaves the plan that apply() takes."""
    return project.state_directory / PLAN_FILE


def _run(project: Project, command: str, listener: Listener | None = None, *arguments: str, **options: Any) -> None:
    """Runs one command into the log, telling listener what happens; raises terraform_failures' failure."""
    result = _follow(project, command, listener, arguments, options)
    if result.exit_code < 0:
        raise Killed(
            f"terraform {command} was killed (signal {-result.exit_code}); run the same command again: what it made is "
            f"found; the whole log is {log_path(project)}"
        )
    if result.exit_code != 0:
        raise terraform_failures.failure(command, result.diagnostics, result.text, log_path(project))


def _follow(
    project: Project, command: str, listener: Listener | None, arguments: tuple[str, ...], options: dict[str, Any]
) -> Result:
    heard: list[Event] = []
    lines: list[str] = []
    with _log(project) as log, _CtrlC() as ctrl_c, log_path(project).open(encoding="utf-8", errors="replace") as reader:
        log.write(f"== terraform {command}\n")
        log.flush()
        reader.seek(0, os.SEEK_END)
        process = _start(project, command, log, arguments, options)
        background.leave_pid(_place(project), process.pid)
        ctrl_c.watch(process)
        for line in _lines(process, reader):
            lines.append(line)
            event = events.parse(line)
            if event is not None:
                heard.append(event)
                (listener or _nobody)(event)
    if ctrl_c.came:
        raise Interrupted
    return Result(process.returncode, tuple(one for one in heard if isinstance(one, Diagnostic)), "".join(lines))


def _nobody(_: Event) -> None:
    """Hears nothing: for a command whose progress nobody follows."""


class _CtrlC:
    """While terraform works, the first Ctrl-C is passed on to it and further ones are not; came: whether one came."""

    def __init__(self) -> None:
        self.came = False
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> _CtrlC:
        self._before = signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)

    def watch(self, process: subprocess.Popen[bytes]) -> None:
        """Names the process that is to end; one that came too late for a Ctrl-C gets it now."""
        self._process = process
        if self.came:
            process.send_signal(signal.SIGINT)

    def _heard(self, *_: object) -> None:
        if not self.came and self._process is not None:
            self._process.send_signal(signal.SIGINT)
        self.came = True


def _lines(process: subprocess.Popen[bytes], reader: IO[str]) -> Iterator[str]:
    """What the process writes, line by line, until it has ended."""
    pending = ""
    ended = False
    while not ended:
        ended = _ended(process)
        pending += reader.read()
        *complete, pending = pending.split("\n")
        yield from (f"{line}\n" for line in complete)
    if pending:
        yield pending


def _ended(process: subprocess.Popen[bytes]) -> bool:
    try:
        process.wait(_POLL_INTERVAL_S)
    except subprocess.TimeoutExpired:
        return False
    return True


def _start(
    project: Project, command: str, log: IO[str], arguments: tuple[str, ...], options: dict[str, Any]
) -> subprocess.Popen[bytes]:
    """Starts terraform with its output going to the log. python-terraform hands a child sys.stdout and sys.stderr."""
    with contextlib.redirect_stdout(log), contextlib.redirect_stderr(log):
        process, _, _ = _terraform(project).cmd(
            _command_line(project, command),
            *arguments,
            **{"input": False, **options},
            capture_output=False,
            synchronous=None,  # "do not wait"; False would also reach terraform's command line
        )
    return process  # type: ignore[no-any-return]


def _captured(project: Project | None, command: str, *arguments: str, **options: Any) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a short command."""
    code, out, err = _terraform(project).cmd(_command_line(project, command), *arguments, **options)
    return int(code), str(out), str(err)


def _command_line(project: Project | None, command: str) -> str:
    hermetic = f"{HERMETIC} " if project is not None and project.simulator else ""
    return f"{_LAUNCH} {hermetic}{command}"


def _terraform(project: Project | None) -> Any:
    """python-terraform would read the state, too, and fail over one that is half written: it is led to none."""
    directory = str(project.directory) if project is not None else None
    return python_terraform.Terraform(working_dir=directory, terraform_bin_path=sys.executable, state=_NO_STATE)


def _place(project: Project) -> Place:
    return Place("terraform", project.state_directory)


def _log(project: Project) -> IO[str]:
    return log_path(project).open("a", encoding="utf-8")
