"""The rows of ExecConfig and ExecStartConfig: the bodies of exec create and exec start.

Source: Engine API 1.44, POST /containers/{id}/exec and POST /exec/{id}/start.
"""

from __future__ import annotations

from sockerless.api.create_options import FLAG, NUMBERS, TEXT, TEXTS, Option, echoed, honoured, impossible
from sockerless.errors import InvalidParameter

SIZED_SINCE = (1, 42)
"""The API version that knows ConsoleSize; older clients' is not read."""


def _check_size(size: list[int]) -> None:
    if len(size) != 2 or min(size) < 0:
        raise InvalidParameter("ConsoleSize must be [height, width]")


_CONSOLE_SIZE = honoured("ConsoleSize", NUMBERS, "The terminal's first size.", check=_check_size)

EXEC_CREATE: tuple[Option, ...] = (
    honoured("Cmd", TEXTS, "The program and its arguments, passed as they are."),
    honoured("Env", TEXTS, "Over the container's own environment.", "--env"),
    honoured("User", TEXT, "A name or number, with or without group, resolved in the container.", "--user"),
    honoured("WorkingDir", TEXT, "Must exist.", "--workdir"),
    honoured("Tty", FLAG, "A terminal of its own.", "--tty"),
    _CONSOLE_SIZE,
    honoured("AttachStdin", FLAG, "The client's input reaches the process.", "--interactive"),
    honoured("AttachStdout", FLAG, "The process's output reaches the client."),
    honoured("AttachStderr", FLAG, "The process's errors reach the client."),
    honoured("DetachKeys", TEXT, "What the client types to leave a terminal.", "--detach-keys"),
    echoed("Detach", FLAG, "The start's own Detach decides."),
    impossible(
        "Privileged", FLAG, "no process is privileged.",
        "Leave the option out, or use an engine of your own.", "--privileged",
    ),
)  # fmt: skip
EXEC_START: tuple[Option, ...] = (
    honoured("Detach", FLAG, "Answers as soon as the process runs; its output is discarded.", "--detach"),
    honoured("Tty", FLAG, "The client wants raw bytes."),
    _CONSOLE_SIZE,
)
