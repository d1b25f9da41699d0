"""Reverse dialling by a real agent: call, pipes, patience, and the daemon's coming and going."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict

import aiohttp
import pytest

from sockerless.backend.agent_link import AgentLink
from sockerless.wire import agent as wire
from sockerless.wire import stdcopy
from sockerless.wire.agent_output import StreamQuery, unframed
from sockerless.wire.chunks import unpack
from tests.agent.callbacks import Daemon, daemon, tls_proxy
from tests.agent.container import DEADLINE_S, AgentContainer, Engine

pytestmark = pytest.mark.engine


@pytest.fixture
async def host() -> AsyncIterator[Daemon]:
    """A daemon that listens."""
    async with daemon() as one:
        yield one


@pytest.fixture(scope="module")
def gateway(engine: Engine, engine_image: str) -> str:
    """The address of this machine that containers reach."""
    container = engine("run", "--detach", engine_image, "sleep", "60").strip()
    address = engine("inspect", "--format", "{{.NetworkSettings.Gateway}}", container).strip()
    engine("rm", "--force", container)
    return address


def calling(launch: Callable[..., AgentContainer], url: str, **more: float) -> AgentContainer:
    """A container whose agent calls the URL."""
    return launch("--env", f"SOCKERLESS_CALLBACK_URL={url}", **more)


async def connected(host: Daemon, container: AgentContainer) -> tuple[AgentLink, wire.Hello]:
    """The link to the container's agent, once it stands."""
    link = host.link(container.credentials)
    async with asyncio.timeout(DEADLINE_S):
        while True:
            try:
                return link, await link.connect()
            except (OSError, aiohttp.ClientError, TimeoutError):
                await asyncio.sleep(0.02)


async def run(link: AgentLink, *argv: str, **more: bool) -> tuple[asyncio.Task[None], list[wire.Exited]]:
    """Starts a process; its exit will be in the list."""
    exits: list[wire.Exited] = []
    listening = asyncio.create_task(link.listen(exits.append))
    process = wire.Process(list(argv), {"PATH": "/bin"}, linger_s=30, **more)
    await link.request("start", process=asdict(process))
    return listening, exits


async def everything(stream: aiohttp.ClientWebSocketResponse) -> bytes:
    """What the frames carry until the agent closes the stream, which it must do with 1000."""
    frames = [message.data async for message in stream if message.type is aiohttp.WSMsgType.BINARY]
    assert stream.close_code == 1000
    return b"".join(unframed(frame)[2] for frame in frames)


async def stdout(stream: aiohttp.ClientWebSocketResponse) -> bytes:
    """The process's stdout."""
    frames = stdcopy.Decoder().feed(await everything(stream))
    return b"".join(frame.payload for frame in frames if frame.stream == stdcopy.STDOUT)


async def kept(link: AgentLink) -> bytes:
    """All kept output, of both streams."""
    return b"".join(chunk.data for chunk in unpack(await everything(await link.open(wire.LOGS, "")))[0])


async def test_an_agent_that_calls_is_controlled_and_streams_as_one_that_is_dialled(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"http://{gateway}:{host.port}/kept/prefix")
    link, hello = await connected(host, container)
    assert (hello.status, hello.address) == ("waiting", container.address)
    stream = await link.open(wire.STREAMS, StreamQuery(stdin=True).to_query())
    listening, exits = await run(link, "sh", "-c", "cat; exit 3", open_stdin=True, stdin_once=True)
    await stream.send_bytes(b"x" * 3_000_000)
    await stream.send_str(wire.STDIN_EOF)
    assert await stdout(stream) == b"x" * 3_000_000
    assert await kept(link) == b"x" * 3_000_000
    assert exits[0].code == 3
    assert host.paths[0] == f"/kept/prefix/v1/agents/{container.credentials.agent_id}"
    await link.request("finish")
    await listening
    assert await container.ended() == 3


@pytest.mark.parametrize("strip", ["", "/kept/prefix"])
async def test_a_proxy_with_a_certificate_of_its_own_may_stand_between(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str, strip: str
) -> None:
    async with tls_proxy(host.port, strip) as port:
        container = calling(launch, f"https://{gateway}:{port}/kept/prefix")
        link, hello = await connected(host, container)
        assert hello.status == "waiting"
        stream = await link.open(wire.STREAMS, StreamQuery().to_query())
        listening, _ = await run(link, "echo", "through")
        assert await stdout(stream) == b"through\n"
        await link.close()
        await listening


async def test_the_agent_of_another_container_is_not_taken_for_this_one(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    first, second = (calling(launch, f"ws://{gateway}:{host.port}") for _ in range(2))
    link, _ = await connected(host, first)
    await connected(host, second)
    other = host.link(first.credentials)
    other._pin = host.link(second.credentials)._pin
    with pytest.raises(aiohttp.ServerFingerprintMismatch):
        await other.connect()
    await link.close()


async def test_an_agent_that_calls_listens_on_no_port(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:{host.port}")
    await connected(host, container)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(container.address, wire.PORT)


async def test_twenty_streams_at_once_have_a_pipe_each(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:{host.port}")
    link, _ = await connected(host, container)
    opening = [link.open(wire.STREAMS, StreamQuery().to_query()) for _ in range(20)]
    streams = await asyncio.gather(*opening)
    await run(link, "seq", "1000")
    outputs = await asyncio.gather(*(stdout(stream) for stream in streams))
    assert set(outputs) == {b"".join(b"%d\n" % number for number in range(1, 1001))}
    assert len({path for path in host.paths if "/pipes/" in path}) == 21


async def test_the_process_goes_on_while_the_daemon_is_away_and_the_next_daemon_finds_it(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:{host.port}")
    link, _ = await connected(host, container)
    listening, _ = await run(link, "sh", "-c", "i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done")
    await host.forget_everything()
    await listening
    await host.listen()
    link, hello = await connected(host, container)
    assert hello.status == "running"
    lines = (await kept(link)).splitlines()
    assert lines == [b"%d" % number for number in range(1, len(lines) + 1)]


async def test_an_agent_that_nobody_expects_keeps_calling_until_it_is_expected(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:{host.port}")
    async with asyncio.timeout(DEADLINE_S):
        while len(host.paths) < 3:
            await asyncio.sleep(0.02)
    _, hello = await connected(host, container)
    assert hello.status == "waiting"
    assert sum("it answers 401; trying again" in line for line in container.archive()) == 1


async def test_without_a_daemon_the_agent_gives_up_with_125_and_says_why(
    launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:9", patience_s=1.5)
    assert await container.ended() == 125
    notices = "\n".join(container.archive())
    assert f"cannot call the daemon at {gateway}:9: " in notices
    assert "nobody started a process within 1.5 s, giving up" in notices


async def test_an_agent_that_leaves_says_so_and_no_pipe_is_waited_for(
    host: Daemon, launch: Callable[..., AgentContainer], gateway: str
) -> None:
    container = calling(launch, f"ws://{gateway}:{host.port}")
    link, _ = await connected(host, container)
    listening, exits = await run(link, "true")
    async with asyncio.timeout(DEADLINE_S):
        while not exits:
            await asyncio.sleep(0.02)
    await link.request("finish")
    await listening
    await container.ended()
    with pytest.raises(ConnectionRefusedError):
        async with asyncio.timeout(DEADLINE_S):
            await host.callbacks.pipe(container.credentials.agent_id)
