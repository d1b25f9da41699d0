"""A container of the local engine whose PID 1 is the agent, and a small client of wire/agent.py to talk to it."""

from __future__ import annotations

import asyncio
import datetime
import secrets
import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidMessage, InvalidStatus

from sockerless.kit.agent_bundle import Bundle
from sockerless.types import AgentCredentials
from sockerless.wire import agent as wire
from sockerless.wire import chunks, stdcopy
from sockerless.wire.agent_output import KeptQuery, Opened, StreamQuery, unframed
from sockerless.wire.logs import Renderer, parse_archive_line

DEADLINE_S = 20.0


def new_credentials() -> AgentCredentials:
    """Credentials as the daemon makes them for one container."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "agent")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return AgentCredentials(
        secrets.token_hex(16), secrets.token_urlsafe(32), certificate.public_bytes(pem).decode(), private.decode()
    )


@dataclass(frozen=True)
class Engine:
    """The docker CLI against the local engine."""

    address: str

    def __call__(self, *arguments: str, check: bool = True) -> str:
        """Its stdout and, for `logs`, only that; fails with its stderr when check is on and it does not end with 0."""
        done = subprocess.run(["docker", "--host", self.address, *arguments], capture_output=True, check=False)
        assert not check or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def stderr(self, *arguments: str) -> str:
        """Its stderr."""
        return subprocess.run(
            ["docker", "--host", self.address, *arguments], capture_output=True, check=True
        ).stderr.decode()


class Control:
    """A control connection: hello, then replies by request, and the exit."""

    def __init__(self, connection: ClientConnection, hello: wire.Hello) -> None:
        self.connection = connection
        self.hello = hello
        self._ids = 0
        self._exits: list[wire.Exited] = []

    async def request(self, op: Any, **arguments: Any) -> wire.Reply:
        """The reply to one request."""
        self._ids += 1
        await self.connection.send(wire.encode(wire.Request(self._ids, op, arguments)))
        while True:
            message = await self._receive()
            if isinstance(message, wire.Reply) and message.id == self._ids:
                return message

    async def start(self, *argv: str, **process: Any) -> wire.Reply:
        """The reply to the start of a process with a usual PATH."""
        described = {"env": {"PATH": "/bin:/usr/bin"}, **process}
        return await self.request("start", process=wire.asdict(wire.Process(list(argv), **described)))

    async def exited(self) -> wire.Exited:
        """The news of the process's exit."""
        while not self._exits:
            await self._receive()
        return self._exits.pop(0)

    async def _receive(self) -> wire.Message:
        message = wire.decode(await asyncio.wait_for(self.connection.recv(), DEADLINE_S))
        if isinstance(message, wire.Exited):
            self._exits.append(message)
        return message


@dataclass
class Output:
    """What a stream carried, apart, and as it came."""

    raw: bytes = b""
    stdout: bytes = b""
    stderr: bytes = b""


@dataclass
class AgentContainer:
    """One running container and what its agent can be asked for."""

    engine: Engine
    id: str
    address: str
    credentials: AgentCredentials

    def dial(self, path: str, query: str = "", token: str | None = None) -> connect:
        """A connection to be opened, with the container's own token unless another is given."""
        context = ssl.create_default_context(cadata=self.credentials.certificate_pem)
        context.check_hostname = False
        given = self.credentials.token if token is None else token
        return connect(
            f"wss://{self.address}:{wire.PORT}{path}?{query}",
            ssl=context,
            additional_headers={"Authorization": f"Bearer {given}"} if given else {},
            max_size=None,
            compression=None,
        )

    async def control(self) -> Control:
        """A control connection, as soon as the agent listens."""
        async with asyncio.timeout(DEADLINE_S):
            while True:
                try:
                    connection = await self.dial(wire.CONTROL)
                    break
                except (OSError, InvalidMessage):
                    await asyncio.sleep(0.02)
        hello = wire.decode(await connection.recv())
        assert isinstance(hello, wire.Hello)
        return Control(connection, hello)

    async def streams(self, **query: Any) -> Stream:
        """A stream of the main process."""
        return await opened(await self.dial(wire.STREAMS, StreamQuery(**query).to_query()))

    async def kept(self, query: KeptQuery | None = None) -> Stream:
        """Kept output as the agent sends it."""
        return await opened(await self.dial(wire.LOGS, (query or KeptQuery()).to_query()))

    async def logs(self, *, tty: bool = False, **query: Any) -> Output:
        """The kept output that a query selects, shown as the daemon does."""
        select = wire.LogQuery(**query)
        sent = await received(await self.kept(KeptQuery(select)), tty=True)
        shown = Renderer(select, tty).render(chunks.unpack(sent.raw)[0])
        return Output(shown) if tty else demultiplexed(shown)

    async def status_of_upgrade(self, path: str, token: str, query: str = "") -> tuple[int, bytes]:
        """How an upgrade that is refused is answered."""
        try:
            await self.dial(path, query, token)
        except InvalidStatus as refused:
            return refused.response.status_code, refused.response.body or b""
        raise AssertionError("the upgrade was not refused")

    async def ended(self, timeout_s: float = DEADLINE_S) -> int:
        """The exit code of the container, once it has ended."""
        waiting = asyncio.to_thread(self.engine, "wait", self.id)
        return int(await asyncio.wait_for(waiting, timeout_s))

    def archive(self) -> list[str]:
        """The lines of the container's log."""
        return self.engine("logs", self.id).split("\n")[:-1]

    def archived(self, **query: Any) -> Output:
        """What a query selects of the container's log, read back as the daemon does."""
        renderer = Renderer(wire.LogQuery(**query), tty=False)
        pieces = (parse_archive_line(line) for line in self.archive())
        return demultiplexed(b"".join(renderer.feed(piece) for piece in pieces if piece is not None))

    async def run(self, *argv: str, **process: Any) -> tuple[Output, wire.Exited]:
        """Starts a process, takes its output from byte 0, and waits for its exit."""
        control = await self.control()
        stream = await self.streams()
        reply = await control.start(*argv, **process)
        assert reply.error_kind is None, reply.message
        output = await received(stream)
        return output, await control.exited()


class Stream:
    """A connection of wire/agent_output.py. told: the agent's messages after the first, position: of the last frame."""

    def __init__(self, connection: ClientConnection, opened: Opened) -> None:
        self.connection, self.opened = connection, opened
        self.position, self.left_out = opened.position, 0
        self.told: list[str] = []

    async def recv(self) -> bytes:
        """The next output."""
        while True:
            frame = await self.connection.recv()
            if isinstance(frame, str):
                self.told.append(frame)
                continue
            self.position, self.left_out, data = unframed(frame)
            if data:
                return data

    async def until(self, text: bytes) -> None:
        """Takes output up to the frame that has text; what a stream's frames hold depends on when the agent read."""
        while text not in await self.recv():
            pass

    async def send(self, message: str | bytes) -> None:
        """Input, or its end."""
        await self.connection.send(message)

    async def close(self, code: int = 1000) -> None:
        """The client leaves."""
        await self.connection.close(code)

    def cut(self) -> None:
        """The connection breaks."""
        self.connection.transport.abort()


async def opened(connection: ClientConnection) -> Stream:
    """The stream, once its agent has said what it begins with."""
    return Stream(connection, Opened.decode(await asyncio.wait_for(connection.recv(), DEADLINE_S)))


async def received(stream: Stream, *, tty: bool = False, code: int = 1000) -> Output:
    """Everything until the agent closes the stream, which it must do with 1000 or the code given."""
    parts: list[bytes] = []
    async with asyncio.timeout(3 * DEADLINE_S):
        while True:
            try:
                parts.append(await stream.recv())
            except ConnectionClosed:
                break
    assert stream.connection.close_code == code
    return Output(b"".join(parts)) if tty else demultiplexed(b"".join(parts))


def demultiplexed(raw: bytes) -> Output:
    """The two streams in a multiplexed stream."""
    frames = stdcopy.Decoder().feed(raw)
    both = {
        number: b"".join(frame.payload for frame in frames if frame.stream == number)
        for number in (stdcopy.STDOUT, stdcopy.STDERR)
    }
    return Output(raw, both[stdcopy.STDOUT], both[stdcopy.STDERR])


def start_agent(
    engine: Engine, bundle: Bundle, image: str, *options: str, patience_s: float | None = None, state: str = ""
) -> AgentContainer:
    """Runs image with the agent as PID 1, mounted as a task definition mounts it; state: options of a tmpfs."""
    credentials = new_credentials()
    variables = {
        wire.ENV_AGENT_ID: credentials.agent_id,
        wire.ENV_TOKEN: credentials.token,
        wire.ENV_CERTIFICATE: credentials.certificate_pem,
        wire.ENV_KEY: credentials.key_pem,
        **dict.fromkeys(wire.BLANK_VARIABLES, ""),
        **({} if patience_s is None else {wire.ENV_PATIENCE_S: str(patience_s)}),
    }
    environment = [part for name, value in variables.items() for part in ("--env", f"{name}={value}")]
    loader, *arguments = wire.agent_argv(bundle.version, ["serve"])
    state_mount = ["--tmpfs", f"{wire.STATE_DIR}:{state}"] if state else ["--volume", wire.STATE_DIR]
    mounts = ["--volume", f"{bundle.path}:{wire.AGENT_DIR}/{bundle.version}:ro", *state_mount]
    container = engine(
        "run", "--detach", "--user", "0", *mounts, *environment, *options, "--entrypoint", loader, image, *arguments
    ).strip()
    address = engine("inspect", "--format", "{{.NetworkSettings.IPAddress}}", container).strip()
    return AgentContainer(engine, container, address, credentials)


def static_busybox(engine: Engine, image: str, directory: Path) -> Path:
    """busybox, statically linked, copied out of the image that has it."""
    container = engine("create", image, "true").strip()
    engine("cp", f"{container}:/bin/busybox", str(directory / "busybox"))
    engine("rm", container)
    return directory / "busybox"
