"""The API over the real backend (its AWS and agents faked): the verbs fit where they are bound."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sockerless.api.server import serve
from tests.api.conftest import Served
from tests.api.fake_engine import FakeEngine
from tests.backend.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    """The fakes behind the backend."""
    return Rig(tmp_path / "state")


@pytest.fixture
async def real(rig: Rig, tmp_path: Path) -> AsyncIterator[Served]:
    """The real backend served; its engine attribute is unused."""
    path = tmp_path / "d.sock"
    backend = await rig.boot()
    stopped, listening = asyncio.Event(), asyncio.Event()
    serving = asyncio.create_task(serve(backend, [f"unix://{path}"], stopped, listening))
    async with asyncio.timeout(10):
        await listening.wait()
    yield Served(FakeEngine(), path)
    stopped.set()
    await serving
    await rig.close()


async def test_docker_run_ends_with_what_the_agent_reports(real: Served, rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", 7)
    assert await real.docker("run", "--rm", "img:latest", "x") == (7, b"hello\n", b"")
    assert await real.docker("ps", "-aq") == (0, b"", b"")


async def test_a_program_that_is_not_found_is_127(real: Served, rig: Rig) -> None:
    refusal = ("not_found", 'exec: "x": executable file not found in $PATH')
    rig.prepare = lambda agent: setattr(agent, "refusal", refusal)
    code, out, err = await real.docker("run", "--rm", "img:latest", "x")
    assert (code, out) == (127, b"")
    assert b"executable file not found" in err
    assert await real.docker("ps", "-aq") == (0, b"", b"")


async def test_the_cli_speaks_with_the_real_backend(real: Served, rig: Rig) -> None:
    rig.prepare = lambda agent: setattr(agent, "exit_code", None)  # runs until it is stopped
    code, out, err = await real.docker("version", "--format", "{{.Server.APIVersion}}")
    assert (code, out) == (0, b"1.44\n"), err
    code, out, err = await real.docker("info", "--format", "{{.Driver}} {{.Images}}")
    assert (code, out) == (0, b"fargate 1\n"), err
    code, out, err = await real.docker("create", "--name", "web", "-m", "600m", "img:latest", "sleep", "1")
    assert code == 0, err
    assert b"WARNING: Fargate has fixed sizes: 600 MiB of memory rounded up to " in err
    code, out, err = await real.docker("ps", "-a", "--filter", "ancestor=img", "--format", "{{.Names}} {{.Status}}")
    assert (code, out) == (0, b"web Created\n"), err
    code, out, err = await real.docker("inspect", "--type", "container", "-f", "{{.Config.Env}} {{.Path}}", "web")
    assert (code, out) == (0, b"[A=image B=image] sleep\n"), err
    code, out, err = await real.docker("start", "web")
    assert (code, out) == (0, b"web\n"), err
    code, out, err = await real.docker("ps", "--format", "{{.Names}} {{.State}}")
    assert (code, out) == (0, b"web running\n"), err
    code, out, err = await real.docker("rm", "web")
    assert code == 1
    assert b"You cannot remove a running container" in err
    code, out, err = await real.docker("rm", "-f", "web")
    assert (code, out) == (0, b"web\n"), err
    code, out, err = await real.docker("logs", "web")
    assert code == 1
    assert b"No such container: web" in err
    code, out, err = await real.docker("tag", "img", "other:1")
    assert code == 0, err
    code, out, err = await real.docker("rmi", "other:1")
    assert (code, out) == (0, b"Untagged: other:1\n"), err
    code, out, err = await real.docker("load", stdin=b"junk")
    assert code == 1
    assert b"SOCKERLESS_ECR_REPOSITORY is not set" in err
    code, out, err = await real.docker("images", "-q")
    assert (code, out) == (0, b"111111111111\n"), err
