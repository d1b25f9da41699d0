"""A deployment in a simulated AWS of its own, driven by the command line as a user drives it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3

from sockerless.kit import serve
from tests.conftest import free_port

KEYS = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}


@dataclass(frozen=True, slots=True)
class Live:
    """A directory with a sockerless.toml, and the simulated AWS it asks for."""

    directory: Path
    endpoint_url: str
    region: str

    def kit(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """`sockerless-kit ARGUMENTS` in the directory."""
        return kit(self.directory, *arguments)

    def done(self, *arguments: str) -> str:
        """What kit() printed; the test fails when it failed."""
        ended = self.kit(*arguments)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def client(self, service: str) -> Any:
        """A boto3 client of the simulated AWS."""
        return boto3.client(service, endpoint_url=self.endpoint_url, region_name=self.region, **KEYS)

    def variables(self) -> dict[str, str]:
        """What daemon.env says."""
        path = self.directory / ".sockerless" / "daemon.env"
        return serve.parse_env(path.read_text(), str(path))

    def set(self, **keys: str) -> None:
        """Edits sockerless.toml: the line of each key, whose value is given as TOML."""
        path = self.directory / "sockerless.toml"
        lines = path.read_text().splitlines()
        edited = [
            next((f"{key} = {value}" for key, value in keys.items() if line.startswith(f"{key} = ")), line)
            for line in lines
        ]
        path.write_text("\n".join(edited) + "\n")

    def inject(self, **fault: Any) -> None:
        """Has the simulated AWS fail as the fault says (simulator/faults.py)."""
        request = urllib.request.Request(f"{self.endpoint_url}/_sockerless/faults", json.dumps(fault).encode())  # noqa: S310
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - the simulator's own address


def kit(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """sockerless-kit by this interpreter, in a shell whose AWS and terraform settings lead nowhere."""
    return subprocess.run(
        argv(*arguments), cwd=directory, env=environment(), capture_output=True, text=True, timeout=400, check=False
    )


def argv(*arguments: str) -> list[str]:
    """The command line of sockerless-kit by this interpreter."""
    return [sys.executable, "-m", "sockerless.kit", *arguments]


def environment() -> dict[str, str]:
    """That shell's."""
    return os.environ | {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "TF_CLI_CONFIG_FILE": "/nowhere/rc"}


def init(directory: Path, *flags: str, region: str = "us-east-1") -> Live:
    """`init` for a simulated AWS at a free port; nothing runs yet. down(), at the end, ends what will."""
    made = Live(directory, f"http://127.0.0.1:{free_port()}", region)
    made.done("init", "--yes", "--simulator", "--endpoint-url", made.endpoint_url, "--region", region, *flags)
    return made
