"""The bundle runs in any image: without libc, without users, without write access, with another user."""

from __future__ import annotations

import io
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.agent.container import AgentContainer, Engine, static_busybox

pytestmark = pytest.mark.engine


@pytest.fixture(scope="module")
def import_image(
    engine: Engine, engine_image: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[..., str]]:
    """A function that makes an image of one static binary, /busybox, with `docker import`'s changes."""
    binary = static_busybox(engine, engine_image, tmp_path_factory.mktemp("busybox"))
    images: list[str] = []

    def one_more(*changes: str) -> str:
        options = [part for change in changes for part in ("--change", change)]
        done = subprocess.run(
            ["docker", "--host", engine.address, "import", *options, "-"],
            input=_tar_of(binary), capture_output=True, check=True,
        )  # fmt: skip
        images.append(done.stdout.decode().strip())
        return images[-1]

    yield one_more
    engine("rmi", *set(images))


def _tar_of(binary: Path) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        entry = tarfile.TarInfo("busybox")
        entry.size, entry.mode = binary.stat().st_size, 0o755
        archive.addfile(entry, io.BytesIO(binary.read_bytes()))
    return buffer.getvalue()


async def test_an_image_of_one_static_binary(
    launch: Callable[..., AgentContainer], import_image: Callable[..., str]
) -> None:
    container = launch(image=import_image())
    output, exited = await container.run(
        "/busybox", "sh", "-c", "echo $HOME; exec /busybox id -u", user="1000:1000", env={}
    )
    assert (output.stdout, output.stderr, exited.code) == (b"/\n1000\n", b"", 0)


async def test_an_image_of_another_user(
    launch: Callable[..., AgentContainer], import_image: Callable[..., str]
) -> None:
    container = launch(image=import_image("USER 1000"))
    output, _ = await container.run("/busybox", "id", "-u", user="1000")
    assert output.stdout == b"1000\n"


async def test_an_image_whose_environment_is_not_for_the_agent(
    launch: Callable[..., AgentContainer], import_image: Callable[..., str]
) -> None:
    container = launch(
        image=import_image(
            "ENV LD_LIBRARY_PATH=/nosuch", "ENV PYTHONHOME=/nosuch", "ENV PYTHONPATH=/nosuch",
            "ENV OPENSSL_CONF=/nosuch", "ENV LANG=xx_XX", "ENV LC_ALL=C", "ENV LD_PRELOAD=/busybox",
        )
    )  # fmt: skip
    output, _ = await container.run("/busybox", "echo", "fine")
    assert output.stdout == b"fine\n"
    await container.ended()
    assert container.engine.stderr("logs", container.id) == ""


async def test_a_read_only_root(launch: Callable[..., AgentContainer]) -> None:
    container = launch("--read-only")
    output, exited = await container.run("sh", "-c", "echo x >/x || echo read-only")
    assert (output.stdout, exited.code) == (b"read-only\n", 0)


async def test_host_names_a_read_only_root_cannot_take_are_refused(launch: Callable[..., AgentContainer]) -> None:
    control = await launch("--read-only").control()
    reply = await control.start("true", hosts=["10.0.0.9 db"])
    assert (reply.error_kind, reply.message) == (
        "failed", "cannot set names: write /etc/hosts: read-only file system",
    )  # fmt: skip


async def test_a_task_without_any_capability(launch: Callable[..., AgentContainer]) -> None:
    container = launch("--cap-drop", "ALL")
    output, exited = await container.run("sh", "-c", "echo fine; kill -9 $$")
    assert (output.stdout, exited.code) == (b"fine\n", 137)
