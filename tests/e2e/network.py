"""Faults of the network between this machine, where the daemon is, and one task."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator

from tests.machine import withhold


def cut(address: str) -> None:
    """Resets every TCP connection between this machine and address, in either direction of dialling."""
    _require("ss")
    before = _connections(address)
    subprocess.run(["ss", "--kill", "dst", address], capture_output=True, check=True)
    assert before
    assert not before & _connections(address), "this kernel resets no connection that it is asked to"


@contextlib.contextmanager
def held(address: str) -> Iterator[None]:
    """Drops every packet between this machine and address while it lasts."""
    _require("iptables")
    rules = (["INPUT", "-s", address, "-j", "DROP"], ["OUTPUT", "-d", address, "-j", "DROP"])
    with contextlib.ExitStack() as stack:
        for rule in rules:
            subprocess.run(["iptables", "-I", *rule], capture_output=True, check=True)
            stack.callback(subprocess.run, ["iptables", "-D", *rule], capture_output=True, check=True)
        yield


def _connections(address: str) -> set[tuple[str, str]]:
    """The local and the other end of every one."""
    listed = subprocess.run(["ss", "-Htn", "dst", address], capture_output=True, check=True, text=True)
    return {(fields[-2], fields[-1]) for fields in map(str.split, listed.stdout.splitlines())}


def _require(command: str) -> None:
    if not shutil.which(command):
        withhold(f"no {command} on this machine")
