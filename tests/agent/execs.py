"""A client of EXEC of wire/agent.py: starts an exec in an agent's container and takes what comes."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import replace
from typing import Any

from websockets.asyncio.client import ClientConnection

from sockerless.wire import agent as wire
from sockerless.wire import agent_exec
from tests.agent.container import DEADLINE_S, AgentContainer, Output, demultiplexed

USUAL = wire.Process(["true"], {"PATH": "/bin:/usr/bin"})


class RunningExec:
    """An exec that was answered; answer says how. id is the daemon's."""

    def __init__(self, exec_id: str, connection: ClientConnection, answer: agent_exec.Started | agent_exec.Refused):
        self.id = exec_id
        self.connection = connection
        self.answer = answer

    async def received(self, *, raw: bool = False) -> tuple[Output, int]:
        """All output and the exit code, once the agent has closed the stream, which it must do with 1000."""
        parts: list[bytes] = []
        ended: list[agent_exec.Ended] = []
        async with asyncio.timeout(3 * DEADLINE_S):
            async for frame in self.connection:
                assert not ended, "something came behind the result"
                if isinstance(frame, bytes):
                    parts.append(frame)
                else:
                    answer = agent_exec.decode(frame)
                    assert isinstance(answer, agent_exec.Ended)
                    ended.append(answer)
        assert self.connection.close_code == 1000
        whole = b"".join(parts)
        return Output(whole) if raw else demultiplexed(whole), ended[0].code


async def begin(
    container: AgentContainer, *argv: str, exec_id: str = "", raw: bool = False, **process: Any
) -> RunningExec:
    """Opens an exec with all of its output."""
    connection = await container.dial(wire.EXEC)
    exec_id = exec_id or secrets.token_hex(32)
    asked = replace(USUAL, argv=list(argv), **process)
    await connection.send(agent_exec.encode_exec(agent_exec.Exec(exec_id, asked, stdout=True, stderr=True, raw=raw)))
    answer = agent_exec.decode(await asyncio.wait_for(connection.recv(), DEADLINE_S))
    assert not isinstance(answer, agent_exec.Ended)
    return RunningExec(exec_id, connection, answer)


async def run(container: AgentContainer, *argv: str, **process: Any) -> tuple[Output, int]:
    """Output and exit code of an exec without stdin."""
    running = await begin(container, *argv, **process)
    assert isinstance(running.answer, agent_exec.Started), running.answer
    return await running.received(raw=bool(process.get("raw")))
