"""A container's files through its agent, by tarfile's reading and the container's own tools; no tar in the image."""

from __future__ import annotations

import os
import stat
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sockerless.wire import agent as wire
from sockerless.wire.agent_files import FilesRequest, ListingDecoder
from tests.agent.container import AgentContainer, static_busybox
from tests.agent.files import Files, Refusal, archive, content, member, names

pytestmark = pytest.mark.engine

GO_DIRECTORY, GO_SYMLINK, GO_SETUID = 1 << 31, 1 << 27, 1 << 23


def shell(container: AgentContainer, script: str) -> str:
    """What a shell in the container prints."""
    return container.engine("exec", container.id, "sh", "-c", script)


def output(*command: str, stdin: bytes = b"") -> bytes:
    """What a command of this machine prints."""
    return subprocess.run(command, input=stdin, capture_output=True, check=True).stdout


@pytest.fixture
def files(container: AgentContainer) -> Files:
    """The container's files."""
    return Files(container)


async def test_a_path_is_described_as_go_and_docker_describe_it(files: Files) -> None:
    shell(files.container, "mkdir -m 1755 /d; echo hello > /d/f; chmod 4750 /d/f; ln -s d/f /link; ln -s /nowhere /l2")
    directory, file = await files.stat("/d"), await files.stat("/d/f")
    assert (directory.name, directory.mode) == ("d", GO_DIRECTORY | 1 << 20 | 0o755)
    assert (file.name, file.size_bytes, file.mode, file.link_target) == ("f", 6, GO_SETUID | 0o750, "")
    assert file.mtime_ns == int(shell(files.container, "stat -c %Y /d/f")) * 10**9 + file.mtime_ns % 10**9
    link = await files.stat("/link")
    assert (link.mode & GO_SYMLINK, link.link_target) == (GO_SYMLINK, "/d/f")
    assert (await files.stat("/l2")).link_target == "/nowhere"


async def test_a_followed_path_is_what_the_link_points_to(files: Files) -> None:
    shell(files.container, "mkdir /d; touch /d/f; ln -s d /link")
    assert names(await files.get("/link")) == ["link"]
    assert names(await files.get("/link/.")) == [".", "./f"]


@pytest.mark.parametrize(
    ("path", "kind"), [("/nosuch", "not_found"), ("/etc/passwd/", "invalid"), ("/etc/passwd/x", "invalid")]
)
async def test_what_is_not_there_is_refused_with_its_kind(files: Files, path: str, kind: str) -> None:
    with pytest.raises(Refusal) as refused:
        await files.stat(path)
    assert refused.value.kind == kind


async def test_every_kind_of_file_comes_out_with_its_attributes(files: Files) -> None:
    shell(
        files.container,
        "mkdir /t; cd /t; echo data > f; chmod 640 f; chown 12:34 f; touch -d @1000000000 f; ln f hard; ln -s f soft; "
        "mkfifo pipe; mknod null c 1 3; mkdir -m 700 sub; echo x > 'sub/a name\twith tab'",
    )
    found = {one.name: one for one in await files.get("/t")}
    assert {"t", "t/f", "t/hard", "t/soft", "t/pipe", "t/null", "t/sub", "t/sub/a name\twith tab"} == set(found)
    first, second = sorted((found["t/f"], found["t/hard"]), key=lambda one: one.islnk())
    assert (first.mode & 0o7777, first.uid, first.gid, first.mtime, first.size) == (0o640, 12, 34, 1000000000, 5)
    assert second.islnk()
    assert second.linkname == first.name
    assert (found["t/soft"].linkname, found["t/pipe"].isfifo(), found["t/sub"].mode & 0o777) == ("f", True, 0o700)
    assert (found["t/null"].ischr(), found["t/null"].devmajor, found["t/null"].devminor) == (True, 1, 3)


async def test_what_is_put_is_there_with_its_attributes(files: Files) -> None:
    packed = archive(
        member("d", type=tarfile.DIRTYPE, mode=0o2750, uid=7, gid=8, mtime=1000000000),
        member("d/f", b"hello", mode=0o4755, uid=7, gid=8, mtime=1000000001),
        member("d/hard", type=tarfile.LNKTYPE, linkname="d/f"),
        member("d/soft", type=tarfile.SYMTYPE, linkname="f", uid=9),
        member("d/pipe", type=tarfile.FIFOTYPE, mode=0o600),
        member("d/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3),
        member("deep/er/file", b"made its way"),
    )
    await files.put("/tmp", packed)
    seen = shell(files.container, "cd /tmp; stat -c '%n %a %u %g %Y %h' d d/f; stat -c %F d/soft d/pipe d/null")
    assert seen.splitlines() == [
        "d 2750 7 8 1000000000 2",
        "d/f 4755 7 8 1000000001 2",
        "symbolic link",
        "fifo",
        "character special file",
    ]
    assert shell(files.container, "cat /tmp/deep/er/file") == "made its way"
    assert shell(files.container, "stat -c %u /tmp/d/soft; readlink /tmp/d/soft; cat /tmp/d/hard") == "9\nf\nhello"


@pytest.mark.parametrize("piece", [1, 511, 513, 1 << 18])
async def test_an_archive_may_be_cut_into_pieces_anywhere(files: Files, piece: int) -> None:
    await files.put("/tmp", archive(member("a", b"x" * 700), member("b", b"y")), piece=piece)
    assert shell(files.container, "cd /tmp; wc -c < a; cat b") == "700\ny"


async def test_a_directory_is_not_replaced_by_a_file_nor_the_other_way_when_kinds_are_kept(files: Files) -> None:
    shell(files.container, "mkdir -p /tmp/d/inner; touch /tmp/f")
    with pytest.raises(Refusal, match="cannot overwrite directory"):
        await files.put("/tmp", archive(member("d", b"now a file")), keep_kinds=True)
    with pytest.raises(Refusal, match="cannot overwrite non-directory"):
        await files.put("/tmp", archive(member("f", type=tarfile.DIRTYPE)), keep_kinds=True)
    assert shell(files.container, "ls -d /tmp/d/inner; test -f /tmp/f && echo file") == "/tmp/d/inner\nfile\n"
    await files.put("/tmp", archive(member("d", b"now a file"), member("f", type=tarfile.DIRTYPE)))
    assert shell(files.container, "cat /tmp/d; test -d /tmp/f && echo ' directory'") == "now a file directory\n"


async def test_an_owner_that_was_asked_for_owns_everything(files: Files) -> None:
    await files.put("/tmp", archive(member("f", b"", uid=7, gid=8)), owner="1000:1001")
    assert shell(files.container, "stat -c '%u %g' /tmp/f") == "1000 1001\n"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (member("../../outside", b"x"), None),
        (member("link", type=tarfile.SYMTYPE, linkname="../../../../etc"), "invalid symlink"),
        (member("agent", type=tarfile.LNKTYPE, linkname="../.sockerless/agent/version"), None),
    ],
)
async def test_nothing_lands_outside_the_destination_by_its_name(
    files: Files, entry: tuple[tarfile.TarInfo, bytes], words: str | None
) -> None:
    before = shell(files.container, "ls -a / /etc")
    with pytest.raises(Refusal, match=words):
        await files.put("/tmp", archive(entry))
    assert shell(files.container, "ls -a / /etc") == before


async def test_the_agent_s_own_mount_is_neither_shown_nor_written(files: Files) -> None:
    with pytest.raises(Refusal) as refused:
        await files.stat(wire.AGENT_DIR)
    assert refused.value.kind == "not_found"
    assert not [name for name in names(await files.get("/")) if "sockerless/agent" in name]
    with pytest.raises(Refusal, match="holds the agent"):
        await files.put("/", archive(member(".sockerless/agent/x", b"")))


async def test_kernel_file_systems_are_empty_directories(files: Files) -> None:
    found = names(await files.get("/"))
    assert not [name for name in found if name.startswith(("/proc/", "proc/", "./proc/1", "/sys/", "sys/"))]


async def test_sparse_files_keep_their_holes_both_ways(files: Files, tmp_path: Path) -> None:
    shell(files.container, "truncate -s 64M /tmp/holes; echo end >> /tmp/holes")
    sent = await files.bytes("/tmp/holes")
    assert len(content(sent, "holes")) == (64 << 20) + 4
    sparse = tmp_path / "big"
    with sparse.open("wb") as file:
        file.truncate(64 << 20)
        file.seek(32 << 20)
        file.write(b"middle")
    packed = output("tar", "--create", "--sparse", "--format=gnu", "--directory", str(tmp_path), "big")
    assert len(packed) < 1 << 20
    await files.put("/tmp", packed)
    size, blocks = shell(files.container, "stat -c '%s %b' /tmp/big").split()
    assert int(size) == 64 << 20
    assert int(blocks) * 512 < 1 << 20
    assert shell(files.container, "dd if=/tmp/big bs=1M skip=32 count=1 2>/dev/null | head -c 6") == "middle"


async def test_an_archive_that_is_none_or_is_cut_is_refused_and_the_agent_goes_on(files: Files) -> None:
    for garbage in (b"no archive" * 200, archive(member("a", b"x" * 5000))[:1024]):
        with pytest.raises(Refusal):
            await files.put("/tmp", garbage)
    await files.put("/tmp", archive(member("fine", b"fine")))
    assert shell(files.container, "cat /tmp/fine") == "fine"


@pytest.mark.parametrize(
    ("path", "words"), [("/etc/passwd", "extraction point is not a directory"), ("/proc", "file system of the kernel")]
)
async def test_what_is_no_place_to_unpack_is_refused(files: Files, path: str, words: str) -> None:
    with pytest.raises(Refusal, match=words):
        await files.put(path, archive(member("x", b"")))


async def test_a_read_only_root_and_a_read_only_volume_are_told_apart(
    launch: Callable[..., AgentContainer], tmp_path: Path
) -> None:
    files = Files(launch("--read-only", "--volume", f"{tmp_path}:/data:ro", "--tmpfs", "/scratch"))
    with pytest.raises(Refusal, match="container rootfs is marked read-only"):
        await files.put("/", archive(member("x", b"")))
    with pytest.raises(Refusal, match="mounted volume is marked read-only"):
        await files.put("/data", archive(member("x", b"")))
    await files.put("/scratch", archive(member("x", b"taken")))
    assert content(await files.bytes("/scratch/x"), "x") == b"taken"


async def test_a_listing_tells_what_changed_since_the_start(files: Files) -> None:
    await (await files.container.control()).connection.close()
    shell(files.container, "echo x > /new; echo y >> /etc/passwd")
    _, listing = await files.ask(FilesRequest("list"))
    listed = {one.path: one for one in ListingDecoder().feed(listing)}
    assert listed["/new"].changed
    assert listed["/etc/passwd"].changed
    assert not listed["/bin/busybox"].changed
    assert listed["/proc"].kind == "mount"


async def test_an_image_of_one_static_binary_gives_and_takes_files(
    launch: Callable[..., AgentContainer], files: Files, engine_image: str, tmp_path: Path
) -> None:
    binary = static_busybox(files.container.engine, engine_image, tmp_path)
    packed = output("tar", "--create", "--directory", str(tmp_path), binary.name)
    made = output("docker", "--host", files.container.engine.address, "import", "-", stdin=packed).decode().strip()
    bare = Files(launch(image=made))
    await bare.put("/", archive(member("made/here", b"without tar or sh")))
    assert content(await bare.bytes("/made/here"), "here") == b"without tar or sh"
    assert stat.S_IMODE((await bare.get("/busybox"))[0].mode) == os.stat(binary).st_mode & 0o777
