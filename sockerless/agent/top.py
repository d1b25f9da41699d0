"""The container's processes as ps would list them, with no ps needed in the image. The agent itself is not shown."""

from __future__ import annotations

import os
import time
from typing import Any

from sockerless.agent import users
from sockerless.agent.processes import Process, processes, read
from sockerless.agent.ps_columns import VALUES, Machine, Shown
from sockerless.agent.ps_options import columns


def top(ps_args: str) -> dict[str, Any]:
    """{"titles": [...], "processes": [[...]]} for ps's arguments, by blanks. ps_options.PsError in dockerd's words."""
    asked = columns(ps_args.split())
    machine = Machine(
        now_s=time.time(),
        uptime_s=float(read("/proc/uptime").split()[0]),
        memory_bytes=os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"),
        users=users.user_names(),
        groups=users.group_names(),
    )
    shown = (_shown(process, machine) for process in sorted(processes(), key=lambda process: process.pid))
    rows = [[VALUES[column.value](one) for column in asked] for one in shown if one is not None]
    return {"titles": [column.title for column in asked], "processes": rows}


def _shown(process: Process, machine: Machine) -> Shown | None:
    """All that is shown of a process; None when it has just ended."""
    directory = f"/proc/{process.pid}"
    status = dict(line.split(":", 1) for line in read(f"{directory}/status").splitlines() if ":" in line)
    if "Uid" not in status:
        return None
    return Shown(
        process=process,
        machine=machine,
        arguments=_arguments(process, read(f"{directory}/cmdline")),
        wchan=read(f"{directory}/wchan"),
        uids=_two(status["Uid"]),
        gids=_two(status["Gid"]),
        locked=status.get("VmLck", "0").split()[0] != "0",
    )


def _two(text: str) -> tuple[int, int]:
    real, effective = text.split()[:2]
    return int(real), int(effective)


def _arguments(process: Process, cmdline: str) -> str:
    if cmdline:
        return " ".join(cmdline.rstrip("\0").split("\0"))
    return f"{process.comm} <defunct>" if process.state == "Z" else f"[{process.comm}]"
