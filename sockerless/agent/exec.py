"""Execs: processes beside the main one, each with a client and a connection of its own.

Owns EXEC of wire/agent.py. An exec's output is not kept: it is read as fast as its client takes it, so a slow client
slows its exec and nothing else. A client that is gone leaves the process running and its output discarded, as in
Docker. Every exec ends with the main process, because PID 1 kills what is left then.
"""

from __future__ import annotations

import asyncio
import os
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from sockerless.agent.child import StartRefused
from sockerless.agent.exec_output import ExecOutput
from sockerless.agent.lifecycle import Lifecycle
from sockerless.agent.run import Conflict
from sockerless.agent.spawn import Spawned, resize
from sockerless.agent.stdin import Stdin
from sockerless.wire import stdcopy
from sockerless.wire.agent import STDIN_EOF
from sockerless.wire.agent_exec import DISCARD, Ended, Exec, Refused, Started, decode_exec, encode

NORMAL = 1000
SETTLE_S = 2.0
"""How long after the process's end its output may still come, from what it left behind. Docker's time."""
REMEMBERED = 1000


class Execs:
    """The execs by id: those that run, and the codes of the last ones that ended, for a daemon that lost touch."""

    def __init__(self, lifecycle: Lifecycle) -> None:
        self._lifecycle = lifecycle
        self._running: dict[str, Execution] = {}
        self._codes: dict[str, int] = {}

    async def serve(self, connection: ServerConnection) -> None:
        """One exec, from its opening frame to its end."""
        try:
            started = await self._start(connection)
        except ConnectionClosed:
            return
        if isinstance(started, Refused):
            await _tell(connection, started)
        else:
            await self._run(connection, started)
        await connection.close(NORMAL)

    def resize(self, exec_id: str, height: int, width: int) -> None:
        """Sets the size of an exec's terminal, if it has one. Conflict when it does not run."""
        if exec_id not in self._running:
            raise Conflict("no such exec")
        terminal = self._running[exec_id].terminal
        if terminal is not None:
            resize(terminal, height, width)

    def state(self, exec_id: str) -> dict[str, Any]:
        """{"running": true}, {"running": false, "code": 0..255}, or code null when it is not known (any more)."""
        return {"running": exec_id in self._running, "code": self._codes.get(exec_id)}

    async def _start(self, connection: ServerConnection) -> Execution | Refused:
        opening = await connection.recv()
        try:
            asked = decode_exec(opening)
            if asked.id in self._running or asked.id in self._codes:
                return Refused("conflict", f"exec {asked.id} has already run")
            execution = Execution(asked, await self._lifecycle.spawn_beside(asked.process), connection)
        except StartRefused as refused:
            return Refused(refused.kind, refused.message)
        except Conflict as conflict:
            return Refused("conflict", str(conflict))
        except (TypeError, ValueError, AttributeError) as error:
            return Refused("invalid", f"malformed exec request: {error}")
        except OSError as error:
            return Refused("failed", f"exec: {error}")
        self._running[asked.id] = execution
        return execution

    async def _run(self, connection: ServerConnection, execution: Execution) -> None:
        await _tell(connection, Started(execution.pid))
        try:
            code = await execution.run()
        finally:
            del self._running[execution.id]
        self._codes[execution.id] = code
        if len(self._codes) > REMEMBERED:
            del self._codes[next(iter(self._codes))]
        await _tell(connection, Ended(code))


class Execution:
    """One running exec and its client."""

    def __init__(self, asked: Exec, spawned: Spawned, connection: ServerConnection) -> None:
        self.id = asked.id
        self.pid = spawned.pid
        self.terminal = spawned.terminal
        self._code = spawned.code
        self._connection = connection
        wanted = {stdcopy.STDOUT: asked.stdout, stdcopy.STDERR: asked.stderr}
        self._outputs = [
            ExecOutput(descriptor, None if asked.raw else stream, connection, discarding=not wanted[stream])
            for descriptor, stream in spawned.outputs.items()
        ]
        self._stdin = None if spawned.stdin is None else Stdin(spawned.stdin, once=not asked.process.tty)

    async def run(self) -> int:
        """Carries bytes until the process has ended and its output is delivered; its exit code."""
        receiving = asyncio.create_task(self._receive())
        sending = [asyncio.create_task(output.run()) for output in self._outputs]
        try:
            code = await self._code
            await asyncio.wait(sending, timeout=SETTLE_S)
            for output in self._outputs:
                output.finish()
            await asyncio.gather(*sending)
        finally:
            for task in (receiving, *sending):
                task.cancel()
            await asyncio.gather(receiving, *sending, return_exceptions=True)
            await self._close()
        return code

    async def _receive(self) -> None:
        """Passes input on until the client goes; what it would still be sent is discarded then."""
        try:
            async for frame in self._connection:
                if frame == DISCARD:
                    self._discard()
                elif frame == STDIN_EOF:
                    await self._end_stdin()
                elif isinstance(frame, bytes) and self._stdin is not None:
                    await self._stdin.write(frame)
        except ConnectionClosed:
            pass
        self._discard()
        await self._end_stdin()

    def _discard(self) -> None:
        for output in self._outputs:
            output.discarding = True

    async def _end_stdin(self) -> None:
        if self._stdin is not None:
            await self._stdin.client_ended()

    async def _close(self) -> None:
        if self._stdin is not None:
            await self._stdin.close()
        if self.terminal is not None:
            os.close(self.terminal)


async def _tell(connection: ServerConnection, answer: Started | Refused | Ended) -> None:
    try:
        await connection.send(encode(answer))
    except ConnectionClosed:
        return
