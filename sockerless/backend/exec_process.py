"""What an exec runs: Docker's ExecConfig over what the container's own process has. Pure.

Source: moby's daemon/exec.go.
"""

from __future__ import annotations

from sockerless.backend import container_config
from sockerless.errors import InvalidParameter
from sockerless.types import Container, Exec, JsonObject
from sockerless.wire import agent as wire
from sockerless.wire import agent_exec
from sockerless.wire import detach_keys as keys

STREAMS = ("AttachStdin", "AttachStdout", "AttachStderr")
_DEFAULTS: JsonObject = {**dict.fromkeys((*STREAMS, "Tty"), False), "Env": [], "DetachKeys": ""}


def completed(config: JsonObject, container: Container) -> JsonObject:
    """ExecConfig with every field that is read here, and the container's user and directory where it names none.

    InvalidParameter for malformed detach keys.
    """
    given = {**_DEFAULTS, **{key: value for key, value in config.items() if value is not None}}
    try:
        detach_keys(given)
    except ValueError as error:
        raise InvalidParameter(f"Invalid escape keys ({given['DetachKeys']}) provided") from error
    for key in ("User", "WorkingDir"):
        given[key] = given.get(key) or container.config.get(key) or ""
    return given


def detach_keys(config: JsonObject) -> bytes:
    """The sequence that detaches its client; ValueError when it is malformed."""
    return keys.parse(config["DetachKeys"] or keys.DEFAULT)


def command(config: JsonObject) -> str:
    """The command as events tell it: the program, a space, its arguments."""
    program, *arguments = config["Cmd"]
    return f"{program} {' '.join(arguments)}"


def request(
    view: Exec, container: Container, *, detach: bool, raw: bool, console_size: tuple[int, int] | None
) -> agent_exec.Exec:
    """What the agent is asked. console_size: (height, width) given at the start, which goes before create's."""
    config = view.config
    main = container_config.process(container, linger_s=0)
    inherited = {**container.config, "Tty": config["Tty"]}
    inherited["Env"] = [*(container.config.get("Env") or []), *config["Env"]]
    height, width = console_size or config.get("ConsoleSize") or (0, 0)
    process = wire.Process(
        argv=config["Cmd"],
        env=container_config.environment(inherited, container.config.get("Hostname") or container.id[:12]),
        user=config["User"],
        working_dir=config["WorkingDir"] or "/",
        tty=config["Tty"],
        height=height,
        width=width,
        open_stdin=config["AttachStdin"] and not detach,
        capabilities_drop=main.capabilities_drop,
        no_new_privileges=main.no_new_privileges,
    )
    wanted = {"stdout": config["AttachStdout"] and not detach, "stderr": config["AttachStderr"] and not detach}
    return agent_exec.Exec(view.id, process, raw=raw, **wanted)
