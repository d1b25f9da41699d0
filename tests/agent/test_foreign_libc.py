"""The bundle runs beside any C library: musl alone, an older glibc, a newer one; their programs run as theirs."""

from __future__ import annotations

import platform
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.container import AgentContainer, Engine
from tests.agent.foreign_libc import glibc_root, musl_root
from tests.machine import withhold

pytestmark = [pytest.mark.engine, pytest.mark.slow]


@pytest.fixture(scope="module")
def import_root(engine: Engine) -> Iterator[Callable[[Path], str]]:
    """A function that makes an image of a root file system."""
    images: list[str] = []

    def one_more(root: Path) -> str:
        packed = subprocess.run(["tar", "--create", "--directory", str(root), "."], capture_output=True, check=True)
        done = subprocess.run(
            ["docker", "--host", engine.address, "import", "-"], input=packed.stdout, capture_output=True, check=True
        )
        images.append(done.stdout.decode().strip())
        return images[-1]

    yield one_more
    for image in images:
        engine("rmi", image)


async def test_an_image_that_has_musl_only(
    launch: Callable[..., AgentContainer], import_root: Callable[[Path], str], tmp_path: Path
) -> None:
    container = launch(image=import_root(musl_root(tmp_path)))
    output, exited = await container.run("/program", env={})
    assert (output.stdout, output.stderr, exited.code) == (b"linked to musl\n", b"", 7)


@pytest.mark.parametrize(("suite", "older"), [("bullseye", True), ("trixie", False)])
async def test_an_image_with_an_older_and_with_a_newer_glibc(
    launch: Callable[..., AgentContainer],
    import_root: Callable[[Path], str],
    tmp_path: Path,
    suite: str,
    older: bool,
) -> None:
    root = glibc_root(suite, tmp_path)
    theirs = next(path.name for path in (tmp_path / "debs").glob("libc6_*")).split("_")[1].split("-")[0]
    if (_number(theirs) < _number(platform.libc_ver()[1])) != older:
        withhold(f"{suite}'s glibc {theirs} is not {'older' if older else 'newer'} than this machine's")
    container = launch(image=import_root(root))
    output, exited = await container.run("/bin/busybox", "sh", "-c", "echo fine; exit 7", env={})
    assert (output.stdout, output.stderr, exited.code) == (b"fine\n", b"", 7)


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
