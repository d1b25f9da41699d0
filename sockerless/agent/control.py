"""Control connections: hello, requests and replies, and the news of an exit.

Owns the translation between wire/agent.py's messages and the lifecycle's verbs. Several connections may be open.
"""

from __future__ import annotations

import asyncio
from typing import Any, Literal

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.child import StartRefused
from sockerless.agent.exec import Execs
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.ps_options import PsError
from sockerless.agent.run import Conflict
from sockerless.agent.stats import sample
from sockerless.agent.top import top
from sockerless.agent.tunnel import own_address
from sockerless.wire.agent import Hello, Message, Reply, Request, decode, encode, process_from

GOING_AWAY, POLICY_VIOLATION = 1001, 1008


class ControlConnections:
    """Serves each control connection until it closes, or until everything queued is sent after close()."""

    def __init__(self, lifecycle: Lifecycle, execs: Execs, agent_version: str) -> None:
        self._lifecycle = lifecycle
        self._execs = execs
        self._agent_version = agent_version
        self._sending: dict[asyncio.Task[None], asyncio.Queue[Message | None]] = {}

    async def close(self, timeout_s: float) -> None:
        """Ends every connection once what it was to be told is sent, within the time."""
        for queue in self._sending.values():
            queue.put_nowait(None)
        if self._sending:
            await asyncio.wait(self._sending, timeout=timeout_s)

    async def serve(self, connection: ServerConnection) -> None:
        """One connection's life."""
        queue: asyncio.Queue[Message | None] = asyncio.Queue()
        queue.put_nowait(self._hello())
        self._lifecycle.listeners.add(queue.put_nowait)
        sending = asyncio.create_task(_send(connection, queue))
        self._sending[sending] = queue
        try:
            async for frame in connection:
                try:
                    message = decode(frame)
                except ValueError as error:
                    await connection.close(POLICY_VIOLATION, str(error)[:100])
                    return
                if isinstance(message, Request):
                    queue.put_nowait(await self._answer(message))
        except ConnectionClosed:
            return
        finally:
            self._lifecycle.listeners.discard(queue.put_nowait)
            del self._sending[sending]
            sending.cancel()

    def _hello(self) -> Hello:
        run, version, address = self._lifecycle.run, self._agent_version, own_address()
        if run is None:
            return Hello(version, "waiting", address=address)
        status: Literal["running", "exited"] = "running" if run.exited is None else "exited"
        health = run.health.state if run.health is not None else None
        return Hello(version, status, run.pid, run.started_at_ns, run.exited, address, run.paused, health)

    async def _answer(self, request: Request) -> Reply:
        try:
            return Reply(request.id, await self._perform(request.op, request.arguments))
        except StartRefused as refused:
            return Reply(request.id, error_kind=refused.kind, message=refused.message)
        except Conflict as conflict:
            return Reply(request.id, error_kind="conflict", message=str(conflict))
        except (KeyError, TypeError, ValueError) as error:
            return Reply(request.id, error_kind="invalid", message=f"malformed {request.op} request: {error}")
        except PsError as error:
            return Reply(request.id, error_kind="failed", message=str(error))
        except OSError as error:
            return Reply(request.id, error_kind="failed", message=f"{request.op}: {error}")

    async def _perform(self, op: str, arguments: dict[str, Any]) -> dict[str, Any]:
        match op:
            case "start":
                return await self._lifecycle.start(process_from(arguments["process"]))
            case "signal":
                self._lifecycle.signal(int(arguments["signal"]))
            case "resize" if "exec" in arguments:
                self._execs.resize(arguments["exec"], int(arguments["height"]), int(arguments["width"]))
            case "exec_state":
                return self._execs.state(arguments["exec"])
            case "resize":
                self._lifecycle.resize(int(arguments["height"]), int(arguments["width"]))
            case "pause":
                await self._lifecycle.running().pause()
            case "unpause":
                self._lifecycle.running().unpause()
            case "top":
                return top(arguments["ps_args"])
            case "stats":
                return sample()
            case "finish":
                self._lifecycle.finish()
            case _:
                raise ValueError(f"unknown operation {op!r}")
        return {}


async def _send(connection: ServerConnection, queue: asyncio.Queue[Message | None]) -> None:
    try:
        while (message := await queue.get()) is not None:
            await connection.send(encode(message))
        await connection.close(GOING_AWAY)
    except ConnectionClosed:
        return
