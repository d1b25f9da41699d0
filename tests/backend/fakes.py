"""An ECS and an agent small enough to read: what the backend's tests run against.

FakeEcs answers the AWS operations the daemon uses and can fail or "kill the daemon" at any of them. FakeAgent is a
real TLS WebSocket server that speaks wire/agent.py and plays a scripted process.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from sockerless.errors import NotFound, SystemFailure
from sockerless.store.base import Store
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_health import HealthReport
from tests.backend.fake_exec import FakeExecs
from tests.backend.fake_output import FakeOutput

_WRITES = ("save_", "delete_", "add_")
CLUSTER_ARN = "arn:aws:ecs:us-east-1:123456789012"


class FillingDisk:
    """A store that can be full: then what writes fails as it does with SQLite, and is counted in refused.

    written: the methods that wrote.
    """

    def __init__(self, store: Store) -> None:
        self.full = False
        self.refused = 0
        self.written: list[str] = []
        self._store = store

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def write(*arguments: Any) -> Any:
            if self.full:
                self.refused += 1
                raise SystemFailure("the records cannot be used: database or disk is full")
            self.written.append(name)
            return method(*arguments)

        return write if name.startswith(_WRITES) else method


class FakeEcs:
    """Stands in for aws.session.Aws. tasks: ARN -> Task; on_run is called with each new task and its overrides.

    runs: RunTask's requests. public: EC2's public address of every network interface.
    """

    def __init__(self) -> None:
        self.runs: list[dict[str, Any]] = []
        self.public: str | None = None
        self.tasks: dict[str, dict[str, Any]] = {}
        self.calls: Counter[tuple[str, str]] = Counter()
        self.by_token: dict[str, str] = {}
        self.definitions: list[dict[str, Any]] = []
        self.inactive: set[str] = set()
        self.archive: dict[str, list[str]] = {}
        self.before: Callable[[str], None] = lambda operation: None
        self.on_run: Callable[[dict[str, Any], dict[str, str]], None] = lambda task, env: None

    async def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        self.calls[service, operation] += 1
        self.before(operation)
        answer: dict[str, Any] = getattr(self, operation)(**request)
        return answer

    async def warm(self) -> None:
        return None

    def close(self) -> None:
        return None

    def RegisterTaskDefinition(self, **request: Any) -> dict[str, Any]:  # noqa: N802 - AWS's names
        self.definitions.append(request)
        arn = f"{CLUSTER_ARN}:task-definition/{request['family']}:{len(self.definitions)}"
        return {"taskDefinition": {"taskDefinitionArn": arn}}

    def ListTaskDefinitions(self, familyPrefix: str, **request: Any) -> dict[str, Any]:  # noqa: N802, N803
        arns = [f"{CLUSTER_ARN}:task-definition/{d['family']}:{n}" for n, d in enumerate(self.definitions, start=1)]
        return {"taskDefinitionArns": [arn for arn in arns if f"/{familyPrefix}:" in arn and arn not in self.inactive]}

    def DeregisterTaskDefinition(self, taskDefinition: str) -> dict[str, Any]:  # noqa: N802, N803
        self.inactive.add(taskDefinition)
        return {}

    def RunTask(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        self.runs.append(request)
        token = request["clientToken"]
        if token not in self.by_token:
            arn = f"{CLUSTER_ARN}:task/test/{len(self.tasks):032x}"
            self.by_token[token] = arn
            self.tasks[arn] = {
                "taskArn": arn,
                "lastStatus": "PROVISIONING",
                "desiredStatus": "RUNNING",
                "containers": [{"name": "main", "lastStatus": "PENDING"}],
                "attachments": [],
                "startedBy": request["startedBy"],
                "tags": request["tags"],
                "asked": request,
            }
            override = request["overrides"]["containerOverrides"][0]["environment"]
            self.on_run(self.tasks[arn], {entry["name"]: entry["value"] for entry in override})
        return {"tasks": [self.tasks[self.by_token[token]]], "failures": []}

    def DescribeTasks(self, cluster: str, tasks: list[str], include: object = None) -> dict[str, Any]:  # noqa: N802
        known = [self.tasks[arn] for arn in tasks if arn in self.tasks]
        missing = [{"arn": arn, "reason": "MISSING"} for arn in tasks if arn not in self.tasks]
        return {"tasks": known, "failures": missing}

    def ListTasks(self, cluster: str, desiredStatus: str, startedBy: str = "") -> dict[str, Any]:  # noqa: N802, N803
        return {
            "taskArns": [
                arn
                for arn, task in self.tasks.items()
                if task["desiredStatus"] == desiredStatus and task["startedBy"] == startedBy
            ]
        }

    def StopTask(self, cluster: str, task: str, reason: str) -> dict[str, Any]:  # noqa: N802
        if task not in self.tasks:
            raise NotFound("The referenced task was not found.")
        self.end(task, None, reason, "UserInitiated")
        return {}

    def GetLogEvents(self, **request: Any) -> dict[str, Any]:  # noqa: N802
        if request["logStreamName"] not in self.archive:
            raise NotFound("The specified log stream does not exist.")
        lines = self.archive[request["logStreamName"]]
        events = [{"timestamp": 1, "message": line} for line in lines[int(request.get("nextToken", "0")) :]]
        return {"events": events, "nextForwardToken": str(len(lines))}

    def DescribeNetworkInterfaces(self, NetworkInterfaceIds: list[str]) -> dict[str, Any]:  # noqa: N802, N803
        association = {"Association": {"PublicIp": self.public}} if self.public else {}
        return {"NetworkInterfaces": [{"NetworkInterfaceId": eni, **association} for eni in NetworkInterfaceIds]}

    def address(self, arn: str, address: str) -> None:
        """Attaches the network interface."""
        details = [{"name": "networkInterfaceId", "value": "eni-1"}, {"name": "privateIPv4Address", "value": address}]
        self.tasks[arn]["attachments"] = [{"type": "ElasticNetworkInterface", "status": "ATTACHED", "details": details}]

    def end(
        self,
        arn: str,
        exit_code: int | None,
        reason: str = "Essential container in task exited",
        stop_code: str = "EssentialContainerExited",
        stopping_at: datetime | None = None,
    ) -> None:
        """Stops a task."""
        container: dict[str, Any] = {"name": "main", "lastStatus": "STOPPED"}
        if exit_code is not None:
            container["exitCode"] = exit_code
        self.tasks[arn].update(
            lastStatus="STOPPED",
            desiredStatus="STOPPED",
            containers=[container],
            stopCode=stop_code,
            stoppedReason=reason,
            stoppingAt=stopping_at or datetime.now(UTC),
            stoppedAt=datetime.now(UTC),
        )


class FakeAgent:
    """One agent on its own loopback address. script: the process's (stream, bytes) output; exit_on: None = at once."""

    def __init__(self, address: str, env: dict[str, str]) -> None:
        self.address, self.env = address, env
        self.output: list[tuple[int, bytes]] = [(stdcopy.STDOUT, b"hello\n")]
        self.exit_code: int | None = 0
        self.refusal: tuple[wire.ErrorKind, str] | None = None
        self.on_start: Callable[[], None] = lambda: None
        self.ignores: set[int] = set()
        self.cut_at: list[str] = []
        """Requests at which the control connection breaks before they are carried out, each once."""
        self.cut_behind: list[str] = []
        """Requests at which it breaks when they are carried out and not answered, each once."""
        self.starts = 0
        self.started_at_ns = 0
        self.signals: list[int] = []
        self.pending: int | None = None
        self.paused = False
        self.health: HealthReport | None = None
        self.samples: list[dict[str, Any]] = []
        self.finished = asyncio.Event()
        self.execs = FakeExecs()
        self.streams = FakeOutput()
        self._exited: wire.Exited | None = None
        self._controls: set[ServerConnection] = set()
        self._server: Server | None = None

    async def listen(self) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        with tempfile.TemporaryDirectory() as folder:
            pem = Path(folder) / "agent.pem"
            pem.write_text(self.env[wire.ENV_KEY] + self.env[wire.ENV_CERTIFICATE])
            context.load_cert_chain(pem)
        self._server = await serve(self._serve, self.address, wire.PORT, ssl=context, process_request=self._admit)

    async def close(self) -> None:
        """The agent leaves: connections break, the port closes."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    def _admit(self, connection: ServerConnection, request: Any) -> Any:
        if request.headers.get("Authorization") != f"Bearer {self.env[wire.ENV_TOKEN]}":
            return connection.respond(401, "")
        return None

    async def _serve(self, connection: ServerConnection) -> None:
        path, _, query = connection.request.path.partition("?") if connection.request else ("", "", "")
        if path == wire.CONTROL:
            await self._serve_control(connection)
        elif path == wire.EXEC:
            await self.execs.serve(connection)
        else:
            await self.streams.serve(connection, path, query)

    async def _serve_control(self, connection: ServerConnection) -> None:
        self._controls.add(connection)
        status = "exited" if self._exited else "running" if self.starts else "waiting"
        run = {"started_at_ns": self.started_at_ns, "exited": self._exited}
        hello = wire.Hello("test", status, paused=self.paused, health=self.health, **run)  # type: ignore[arg-type]
        await connection.send(wire.encode(hello))
        async for message in connection:
            request = wire.decode(message)
            assert isinstance(request, wire.Request)
            if request.op in self.cut_at:
                self.cut_at.remove(request.op)
                connection.transport.abort()
                break
            answer = self._answer(request)
            if request.op in self.cut_behind:
                self.cut_behind.remove(request.op)
                connection.transport.abort()
            else:
                await connection.send(wire.encode(answer))
            if request.op == "start" and self.refusal is None:
                await self._run()
            if request.op == "signal" and request.arguments["signal"] not in self.ignores:
                await self._take(request.arguments["signal"])
            if request.op == "unpause" and self.pending is not None:
                await self._take(self.pending)
            if request.op == "finish":
                self.finished.set()
        self._controls.discard(connection)

    async def _take(self, number: int) -> None:
        """A signal that ends the process: at once, or after the pause unless it is SIGKILL."""
        if self.paused and number != 9:
            self.pending = number
        else:
            self.pending, self.paused = None, False
            await self.exit(128 + number)

    async def report(self, health: HealthReport) -> None:
        """A probe has ended: every control connection is told."""
        self.health = health
        await self._tell(health)

    def _answer(self, request: wire.Request) -> wire.Reply:
        if request.op == "start":
            self.on_start()
        if request.op == "start" and self.refusal is not None:
            return wire.Reply(request.id, error_kind=self.refusal[0], message=self.refusal[1])
        if request.op == "start":
            self.starts += 1
            self.started_at_ns = time.time_ns()
            self._exited = None
            self.process = wire.process_from(request.arguments["process"])
            place = {"run": self.streams.next_run, "position": len(self.streams.chunks)}
            return wire.Reply(request.id, {"pid": 7, "started_at_ns": self.started_at_ns, **place})
        if request.op == "exec_state":
            return wire.Reply(request.id, self.execs.states[request.arguments["exec"]])
        if request.op == "resize" and "exec" in request.arguments:
            return replace(self.execs.resize(**request.arguments), id=request.id)
        if request.op in {"pause", "unpause"}:
            if self.paused is (request.op == "pause"):
                return wire.Reply(request.id, error_kind="conflict", message="no")
            self.paused = request.op == "pause"
        if request.op == "top":
            return wire.Reply(request.id, {"titles": ["PID"], "processes": [[request.arguments["ps_args"]]]})
        if request.op == "stats":
            return wire.Reply(request.id, self.samples.pop(0))
        if request.op == "signal":
            self.signals.append(request.arguments["signal"])
        return wire.Reply(request.id)

    async def _run(self) -> None:
        self.streams.begin()
        for number, data in self.output:
            self.streams.write(number, data)
        if self.exit_code is not None:
            await self.exit(self.exit_code)

    async def exit(self, code: int) -> None:
        """The process ends: streams close, every control connection is told, but for those of a daemon that died."""
        self._exited = wire.Exited(code, False, time.time_ns(), self.streams.last_ns, self.started_at_ns)
        self.streams.end()
        await self._tell(self._exited)

    async def _tell(self, news: HealthReport | wire.Exited) -> None:
        for control in list(self._controls):
            with contextlib.suppress(ConnectionClosed):  # a daemon that is just leaving
                await control.send(wire.encode(news))
