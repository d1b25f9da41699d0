"""The real HTTP server over the fake engine: the API's own tests see bytes, statuses and clients only."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sockerless.api.app import application
from sockerless.api.server import serve_app
from tests.api.fake_engine import FakeEngine


@dataclass(frozen=True)
class Served:
    """The engine and where it answers."""

    engine: FakeEngine
    path: Path

    @property
    def host(self) -> str:
        return f"unix://{self.path}"

    async def exchange(self, request: bytes, *, half_close: bool = False) -> bytes:
        """Everything the server sends back to these bytes until it closes."""
        reader, writer = await asyncio.open_unix_connection(str(self.path))
        writer.write(request)
        if half_close:
            writer.write_eof()
        try:
            async with asyncio.timeout(10):
                return await reader.read()
        finally:
            writer.close()

    async def request(
        self, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers with lower-case names, body (chunks joined)."""
        data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data else {}
        lines = [f"{method} {target} HTTP/1.1", "Host: x", "Connection: close", f"Content-Length: {len(data)}"]
        lines += [f"{name}: {value}" for name, value in (given | (headers or {})).items()]
        answer = await self.exchange("\r\n".join(lines).encode() + b"\r\n\r\n" + data)
        head, _, payload = answer.partition(b"\r\n\r\n")
        first, *rest = head.decode().split("\r\n")
        got = {name.lower(): value for name, _, value in (line.partition(": ") for line in rest)}
        return int(first.split()[1]), got, _unchunk(payload) if "transfer-encoding" in got else payload

    async def docker(self, *arguments: str, stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
        """The unmodified docker CLI: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            "docker",
            *arguments,
            stdin=asyncio.subprocess.DEVNULL if stdin is None else asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": os.environ["PATH"], "DOCKER_HOST": self.host, "HOME": str(self.path.parent)},
        )
        async with asyncio.timeout(30):
            out, err = await process.communicate(stdin)
        return process.returncode or 0, out, err


def _unchunk(payload: bytes) -> bytes:
    whole = b""
    while payload:
        size, _, rest = payload.partition(b"\r\n")
        length = int(size, 16)
        whole, payload = whole + rest[:length], rest[length + 2 :] if length else b""
    return whole


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """The API on a unix socket of its own over a fresh fake engine."""
    engine, path = FakeEngine(), tmp_path / "d.sock"
    stopped, listening = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve_app(application(engine.verbs()), [f"unix://{path}"], stopped, listening))
    ready = asyncio.create_task(listening.wait())
    await asyncio.wait({serving, ready}, return_when=asyncio.FIRST_COMPLETED)
    try:
        yield Served(engine, path)
    finally:
        stopped.set()
        ready.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
