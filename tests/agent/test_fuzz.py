"""Ten thousand malformed connections, requests and frames at the agent's port: it goes on serving, keeping nothing."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import random
import ssl
import struct
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest

from sockerless.wire import agent as wire
from tests.agent.container import DEADLINE_S, AgentContainer, received

pytestmark = [pytest.mark.engine, pytest.mark.slow]

ATTEMPTS = 10_000
AT_ONCE = 24
PATHS = (wire.CONTROL, wire.STREAMS, wire.LOGS, wire.EXEC, wire.FILES, wire.TUNNEL)
TARGETS = (
    *PATHS,
    "/",
    "//",
    "/" + "a" * 9000,
    "*",
    "/v1/\x00",
    f"{wire.LOGS}?tail=\xff",
    f"{wire.STREAMS}?stdin=maybe&stdin=1",
    "http://elsewhere/v1/control",
)
TEXTS = (
    "",
    "{}",
    "[]",
    "null",
    '{"type":"request"}',
    '{"type":"request","id":"x","op":"start","arguments":7}',
    "{" * 900,
)
PATIENCE_S = 0.2
"""How long a peer that sent half of something stays: the agent may wait for the rest."""


class Fuzzer:
    """What it sends is chosen by a seed, so that a failure can be seen again."""

    def __init__(self, container: AgentContainer, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chooses tests, not secrets
        self._address = (container.address, wire.PORT)
        self._token = container.credentials.token
        self._tls = ssl.create_default_context(cadata=container.credentials.certificate_pem)
        self._tls.check_hostname = False
        self.sent: Counter[str] = Counter()
        self.statuses: Counter[bytes] = Counter()

    async def attempt(self) -> None:
        """One of the four kinds."""
        kinds: tuple[Callable[[], Awaitable[None]], ...] = (self._noise, self._request, self._upgrade, self._frames)
        kind = self._random.choices(kinds, weights=(3, 3, 1, 3))[0]
        self.sent[kind.__name__] += 1
        try:
            async with asyncio.timeout(DEADLINE_S):
                await kind()
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # to be hung up on is an answer

    async def _noise(self) -> None:
        """Bytes that are no TLS, cut off anywhere."""
        reader, writer = await asyncio.open_connection(*self._address)
        writer.write(self._random.choice((b"\x16\x03\x01", b"GET / HTTP/1.1\r\n", b"")) + self._bytes(300))
        await _hung_up(reader, writer, self._random.random() < 0.5)

    async def _request(self) -> None:
        """Bytes that are no request, inside TLS."""
        reader, writer = await asyncio.open_connection(*self._address, ssl=self._tls)
        head = f"GET {self._random.choice(TARGETS)} HTTP/1.1\r\n".encode("latin-1")
        writer.write(self._random.choice((head, b"", b"POST / HTTP/1.1\r\n")) + self._bytes(300) + b"\r\n\r\n")
        await _hung_up(reader, writer, self._random.random() < 0.5)

    async def _upgrade(self) -> None:
        """An upgrade without the token, or with a header that no upgrade has."""
        reader, writer = await asyncio.open_connection(*self._address, ssl=self._tls)
        wrong = self._random.choice((b"", b"Bearer ", b"Bearer \xff\xfe", b"Basic eDp5", self._token.encode()))
        writer.write(_upgrade(self._random.choice(PATHS), b"Authorization: " + wrong))
        self.statuses[(await reader.readline()).split()[1]] += 1
        await _hung_up(reader, writer, at_once=True)

    async def _frames(self) -> None:
        """A stream as it should be opened, and then what is no frame or no message of it."""
        reader, writer = await asyncio.open_connection(*self._address, ssl=self._tls)
        writer.write(_upgrade(self._random.choice(PATHS), b"Authorization: Bearer " + self._token.encode()))
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(self._random.randint(1, 3)):
            writer.write(self._frame())
        await _hung_up(reader, writer, self._random.random() < 0.5)

    def _frame(self) -> bytes:
        choices = (
            self._bytes(40),  # anything
            bytes([self._random.choice((0xB1, 0xC2, 0x83, 0x8B)), 0x80, 0, 0, 0, 0]),  # reserved bits, unknown opcodes
            b"\x82\x05plain",  # not masked
            b"\x82\xff" + struct.pack("!Q", 1 << self._random.randint(24, 62)) + bytes(4),  # longer than any frame
            b"\x09\x80\0\0\0\0",  # a ping in pieces
            b"\x89\xfe\x00\x7e" + bytes(4 + 126),  # a ping too long
            b"\x81\x82\0\0\0\0\xff\xfe",  # text that is not UTF-8
            b"\x80\x80\0\0\0\0",  # goes on with nothing
            _masked(0x1, self._random.choice(TEXTS).encode()),
            _masked(0x2, self._bytes(100)),
        )
        return self._random.choice(choices)

    def _bytes(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randint(0, most))


def _upgrade(path: str, header: bytes) -> bytes:
    key = base64.b64encode(bytes(16))
    return b"\r\n".join(
        (
            f"GET {path} HTTP/1.1".encode(),
            b"Host: agent",
            b"Connection: Upgrade",
            b"Upgrade: websocket",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Key: " + key,
            header,
            b"\r\n",
        )
    )


def _masked(opcode: int, payload: bytes) -> bytes:
    size = bytes([0x80 | len(payload)]) if len(payload) < 126 else b"\xfe" + struct.pack("!H", len(payload))
    return bytes([0x80 | opcode]) + size + bytes(4) + payload


async def _hung_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at_once: bool) -> None:
    """Goes away at once, or stays a while and takes what the agent says."""
    if not at_once:
        await writer.drain()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_S):
                await reader.read()
    writer.transport.abort()


def descriptors(container: AgentContainer) -> int:
    """How many files PID 1 has open."""
    return len(container.engine("exec", container.id, "ls", "/proc/1/fd").split())


def resident_kib(container: AgentContainer) -> int:
    """PID 1's resident memory."""
    status = container.engine("exec", container.id, "grep", "VmRSS", "/proc/1/status")
    return int(status.split()[1])


async def attempts(fuzzer: Fuzzer, count: int) -> None:
    """So many, some at once."""
    remaining = iter(range(count))

    async def worker() -> None:
        for _ in remaining:
            await fuzzer.attempt()

    await asyncio.gather(*(worker() for _ in range(AT_ONCE)))


async def test_ten_thousand_malformed_messages_leave_the_agent_serving(container: AgentContainer) -> None:
    (await container.control()).connection.transport.abort()
    before = descriptors(container)
    fuzzer = Fuzzer(container, seed=20)
    await attempts(fuzzer, ATTEMPTS // 2)
    half_way_kib = resident_kib(container)  # the most it ever held at once; it must not go on growing
    await attempts(fuzzer, ATTEMPTS // 2)
    assert resident_kib(container) < half_way_kib * 1.2
    assert fuzzer.sent.total() == ATTEMPTS
    assert set(fuzzer.statuses) == {b"401"}
    control = await container.control()
    stream = await container.streams()
    assert (await control.start("sh", "-c", "echo still here; exit 7")).error_kind is None
    assert (await received(stream)).stdout == b"still here\n"
    assert (await control.exited()).code == 7
    async with asyncio.timeout(DEADLINE_S):
        while descriptors(container) > before + 4:  # this test's own two connections among them
            await asyncio.sleep(0.2)
