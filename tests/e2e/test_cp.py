"""docker cp, export and diff, as people, CI runners and SDKs know them: before the start, while it runs, after."""

from __future__ import annotations

import io
import os
import subprocess
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import docker as docker_sdk
import pytest
from docker.errors import APIError, NotFound

from tests.agent.files import archive, content, member, members, names
from tests.e2e.docker_cli import Docker, eventually
from tests.e2e.scene import Scene

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
SCRIPT = (
    "mkdir -p /d/sub; echo hi >/d/f; chown 12:34 /d/f; chmod 6751 /d/f; ln /d/f /d/hard; ln -s f /d/sym; "
    "ln -s /etc /d/abs; mkfifo /d/fifo; ln -s nowhere /d/broken; : >/d/empty; touch /ready; exec sleep 100000"
)


@pytest.fixture(scope="module")
def box(docker: Docker, image: str) -> Iterator[str]:
    """A container with files of all kinds that runs for all of this module's tests."""
    container = docker.ok("run", "-d", "--name", "cp-box", image, "sh", "-c", SCRIPT)
    eventually(lambda: docker("exec", container, "test", "-e", "/ready").returncode == 0)
    yield "cp-box"
    docker.ok("rm", "-f", container)


@pytest.fixture
def created(docker: Docker, image: str) -> Iterator[Callable[..., str]]:
    """A function that creates a container: options, then the command."""
    made: list[str] = []

    def create(*options: str, command: str = "sleep 100000", verb: tuple[str, ...] = ("create",)) -> str:
        made.append(docker.ok(*verb, *options, image, "sh", "-c", command))
        return made[-1]

    yield create
    for container in made:
        docker("rm", "-f", container)


def test_a_tree_comes_out_as_it_is(docker: Docker, box: str) -> None:
    raw = docker("cp", f"{box}:/d", "-").stdout
    found = {member.name: member for member in members(raw)}
    assert list(found) == [
        "d", "d/abs", "d/broken", "d/empty", "d/f", "d/fifo", "d/hard", "d/sub", "d/sym",
    ]  # fmt: skip
    file = found["d/f"]
    assert (file.mode & 0o7777, file.uid, file.gid, content(raw, "d/f")) == (0o6751, 12, 34, b"hi\n")
    assert (found["d/hard"].type, found["d/hard"].linkname) == (tarfile.LNKTYPE, "d/f")
    assert (found["d/sym"].linkname, found["d/abs"].linkname, found["d/fifo"].isfifo()) == ("f", "/etc", True)
    assert names(members(docker("cp", f"{box}:/d/.", "-").stdout))[:2] == [".", "./abs"]


def test_links_are_copied_or_followed_as_asked(docker: Docker, box: str, tmp_path: Path) -> None:
    docker.ok("cp", f"{box}:/d/sym", str(tmp_path / "link"))
    assert os.readlink(tmp_path / "link") == "f"
    docker.ok("cp", "-L", f"{box}:/d/sym", str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == b"hi\n"
    docker.ok("cp", f"{box}:/d/abs/passwd", str(tmp_path / "passwd"))
    assert (tmp_path / "passwd").read_bytes().startswith(b"root:")


def test_what_goes_in_is_what_comes_out(docker: Docker, box: str, tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "deep" / "er").mkdir(parents=True)
    (source / "deep" / "er" / ("n" * 200)).write_bytes(os.urandom(300_000))
    (source / "deep" / "ü").write_text("umlaut")
    (source / "link").symlink_to("deep/er")
    (source / "hard").hardlink_to(source / "deep" / "ü")
    (source / "deep" / "ü").chmod(0o640)
    os.utime(source / "deep" / "ü", (10**9, 10**9))
    docker.ok("cp", str(source), f"{box}:/tmp/target")
    docker.ok("cp", f"{box}:/tmp/target", str(tmp_path / "back"))
    assert subprocess.run(["diff", "-r", source, tmp_path / "back"], check=False).returncode == 0
    back = (tmp_path / "back" / "deep" / "ü").stat()
    assert (back.st_mode & 0o777, back.st_mtime, back.st_nlink) == (0o640, 1e9, 2)
    docker.ok("cp", f"{source}/.", f"{box}:/tmp/target/again")
    assert docker.ok("exec", box, "readlink", "/tmp/target/again/link") == "deep/er"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("cp-box:/nope", "-"), "Could not find the file /nope in container cp-box"),
        (("cp-box:/d/f/x", "-"), "lstat /d/f/x: not a directory"),
        (("cp-box:/proc/cpuinfo", "-"), "Could not find the file /proc/cpuinfo in container cp-box"),
        (("cp-box:/.sockerless/state", "-"), "Could not find the file /.sockerless/state in container cp-box"),
        (("/etc/passwd", "cp-box:/nope/x"), "Could not find the file /nope in container cp-box"),
        (("/etc/passwd", "cp-box:/d/f/x"), "extraction point is not a directory"),
        (("/etc/passwd", "cp-box:/etc/hosts"), "unlinkat /etc/hosts: device or resource busy"),
        (("/etc/passwd", "cp-box:/proc/x"), "/proc is a file system of the kernel's"),
        (("/etc/passwd", "cp-box:/.sockerless"), "/.sockerless lies in /.sockerless, which holds the agent"),
        (("nosuch:/x", "-"), "No such container: nosuch"),
    ],
)
def test_what_cannot_be_copied_is_told_in_dockers_words(
    docker: Docker, box: str, arguments: tuple[str, str], words: str
) -> None:
    done = docker("cp", *arguments)
    assert done.returncode == 1
    assert words in done.stderr.decode()


def test_the_sdk_puts_and_gets(sdk: docker_sdk.DockerClient, box: str) -> None:
    container = sdk.containers.get(box)
    raw = archive(member("a.txt", b"sdk", uid=1234, gid=4321, mode=0o604), member("sub/b", b""))
    assert container.put_archive("/tmp", raw)
    stream, stat = container.get_archive("/tmp/a.txt")
    assert (stat["name"], stat["size"], stat["mode"], stat["linkTarget"]) == ("a.txt", 3, 0o604, "")
    got = b"".join(stream)
    assert (content(got, "a.txt"), members(got)[0].uid, members(got)[0].gid) == (b"sdk", 1234, 4321)
    with pytest.raises(NotFound, match="Could not find the file /no in container"):
        container.get_archive("/no")
    with pytest.raises(APIError, match="archive/tar: invalid tar header"):
        container.put_archive("/tmp", b"garbage" * 200)
    with pytest.raises(APIError, match=r'"\.\./out" is outside of "/tmp"'):
        container.put_archive("/tmp", archive(member("../out", b"")))


@pytest.mark.parametrize("mode", ["w:gz", "w:bz2", "w:xz"])
def test_compressed_archives_are_unpacked(sdk: docker_sdk.DockerClient, docker: Docker, box: str, mode: str) -> None:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as opened:  # type: ignore[call-overload]  # a checked literal
        info, data = member("packed", mode.encode() * 100_000)
        opened.addfile(info, io.BytesIO(data))
    sdk.containers.get(box).put_archive("/tmp", buffer.getvalue())
    assert docker("exec", box, "cat", "/tmp/packed").stdout == mode.encode() * 100_000
    with pytest.raises(APIError, match="Error processing tar file"):
        sdk.containers.get(box).put_archive("/tmp", buffer.getvalue()[:-20])


def test_zstd_is_refused_with_what_to_do(sdk: docker_sdk.DockerClient, box: str) -> None:
    with pytest.raises(APIError, match="compressed with zstd, which this Python cannot read: send it as plain tar"):
        sdk.containers.get(box).put_archive("/tmp", b"\x28\xb5\x2f\xfd" + bytes(600))


def test_files_copied_before_the_start_are_there_when_it_starts(
    docker: Docker, created: Callable[..., str], tmp_path: Path, crash: Callable[[], None]
) -> None:
    container = created(command="cat /tmp/conf /etc/made/conf && exec sleep 100000")
    (tmp_path / "conf").write_text("hello\n")
    docker.ok("cp", str(tmp_path / "conf"), f"{container}:/tmp")
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "conf").write_text("again\n")
    docker.ok("cp", str(tmp_path / "made"), f"{container}:/etc")
    crash()
    assert content(docker("cp", f"{container}:/tmp/conf", "-").stdout, "conf") == b"hello\n"
    docker.ok("start", container)
    eventually(lambda: docker.ok("logs", container) == "hello\nagain")
    assert docker.ok("diff", container).split("\n") == [
        "C /etc", "A /etc/made", "A /etc/made/conf", "C /tmp", "A /tmp/conf",
    ]  # fmt: skip


def test_a_created_container_shows_its_image_s_files_and_refuses_what_would_fail(
    docker: Docker, created: Callable[..., str], tmp_path: Path
) -> None:
    container = created()
    got = docker("cp", f"{container}:/bin/busybox", "-").stdout
    assert members(got)[0].mode & 0o111
    assert content(got, "busybox")[:4] == b"\x7fELF"
    docker.ok("cp", "-L", f"{container}:/bin/sh", str(tmp_path / "sh"))
    assert (tmp_path / "sh").stat().st_size == members(got)[0].size
    assert docker.ok("diff", container) == ""
    exported = names(members(docker("export", container).stdout))
    assert {"bin", "bin/sh", "bin/busybox", "etc/passwd"} <= set(exported)
    for target, words in (
        ("/nope/x", "Could not find the file /nope"),
        ("/etc/passwd/x", "extraction point is not a directory"),
        ("/proc/x", "/proc is a file system of the kernel's"),
    ):
        done = docker("cp", "/etc/passwd", f"{container}:{target}")
        assert done.returncode == 1
        assert words in done.stderr.decode()


def test_the_sdk_puts_into_a_container_before_it_starts(
    sdk: docker_sdk.DockerClient, docker: Docker, created: Callable[..., str]
) -> None:
    container = sdk.containers.get(created(command="cat /new/deep/x; exec sleep 100000"))
    container.put_archive("/", archive(member("new/deep/x", b"sdk\n", uid=99)))
    stream, stat = container.get_archive("/new/deep/x")
    assert (stat["name"], content(b"".join(stream), "x")) == ("x", b"sdk\n")
    container.start()
    eventually(lambda: container.logs() == b"sdk\n")
    assert docker.ok("exec", container.id, "stat", "-c", "%u", "/new/deep/x") == "99"


def test_a_lingering_container_is_copied_from_and_to(
    docker: Docker, created: Callable[..., str], tmp_path: Path, scene: Scene
) -> None:
    container = created("-d", command="echo result >/tmp/result; rm /etc/group", verb=("run",))
    assert docker.ok("wait", container) == "0"
    docker.ok("cp", f"{container}:/tmp/result", str(tmp_path / "result"))
    assert (tmp_path / "result").read_text() == "result\n"
    docker.ok("cp", str(tmp_path / "result"), f"{container}:/etc/new")
    assert docker.ok("diff", container).split("\n") == [
        "C /etc", "D /etc/group", "A /etc/new", "C /tmp", "A /tmp/result",
    ]  # fmt: skip
    scene.end_task(container)
    done = docker("cp", f"{container}:/tmp/result", "-")
    assert done.returncode == 1
    assert "are gone with its task" in done.stderr.decode()
    assert "SOCKERLESS_LINGER_S" in done.stderr.decode()


def test_files_copied_before_the_first_start_are_in_every_task(
    docker: Docker, created: Callable[..., str], tmp_path: Path, scene: Scene
) -> None:
    container = created(command="cat /tmp/conf")
    (tmp_path / "conf").write_text("once\n")
    docker.ok("cp", str(tmp_path / "conf"), f"{container}:/tmp/conf")
    for _ in range(2):
        assert docker.ok("start", "-a", container) == "once"
        scene.end_task(container)


def test_a_user_s_container_takes_files_of_anybody(docker: Docker, created: Callable[..., str], tmp_path: Path) -> None:
    container = created("-d", "-u", "nobody", verb=("run",))
    (tmp_path / "f").write_text("x")
    docker.ok("cp", str(tmp_path / "f"), f"{container}:/tmp/plain")
    docker.ok("cp", "-a", str(tmp_path / "f"), f"{container}:/tmp/owned")
    assert docker.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/plain") == f"{os.getuid()}:{os.getgid()}"
    assert docker.ok("exec", container, "stat", "-c", "%u:%g", "/tmp/owned") == "65534:65534"


def test_a_read_only_container_gives_and_does_not_take(docker: Docker, created: Callable[..., str]) -> None:
    for container in (created("-d", "--read-only", verb=("run",)), created("--read-only")):
        done = docker("cp", "/etc/passwd", f"{container}:/tmp")
        assert done.returncode == 1
        assert "container rootfs is marked read-only" in done.stderr.decode()
        assert content(docker("cp", f"{container}:/etc/group", "-").stdout, "group").startswith(b"root:")


def test_export_is_the_root_without_what_is_mounted(docker: Docker, box: str) -> None:
    raw = docker("export", box).stdout
    found = {member.name: member for member in members(raw)}
    assert {"bin/busybox", "d/f", "ready", "proc", "sys", "dev", "etc/hosts"} <= found.keys()
    assert not [name for name in found if name.startswith((".sockerless", "proc/", "sys/", "dev/"))]
    assert found["etc/hosts"].size == 0
    assert content(raw, "d/f") == b"hi\n"


def test_diff_tells_what_became_of_the_image_s_files(docker: Docker, created: Callable[..., str]) -> None:
    container = created("-d", command="exec sleep 100000", verb=("run",))
    assert docker.ok("diff", container) == ""
    script = (
        "rm /bin/vi; mv /bin/wc /bin/wc2; echo x >>/etc/passwd; rm /bin/wget; echo >/bin/wget; mkdir -p /new/a; "
        "touch /tmp/x; rm /tmp/x; touch -m -d '2001-01-01 00:00' /etc/group"
    )
    docker.ok("exec", container, "sh", "-c", script)
    assert docker.ok("diff", container).split("\n") == [
        "C /bin", "D /bin/vi", "D /bin/wc", "A /bin/wc2", "C /bin/wget", "C /etc", "C /etc/group", "C /etc/passwd",
        "A /new", "A /new/a", "C /tmp",
    ]  # fmt: skip


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(docker: Docker, box: str, tmp_path: Path) -> None:
    with (tmp_path / "big").open("wb") as file:
        file.truncate(1 << 30)
    copying = docker.start("cp", str(tmp_path / "big"), f"{box}:/tmp/big")
    eventually(lambda: docker("exec", box, "test", "-s", "/tmp/big").returncode == 0)
    copying.kill()
    copying.wait()
    docker.ok("exec", box, "rm", "/tmp/big")
    reading = docker.start("cp", f"{box}:/bin", "-")
    reading.kill()
    reading.wait()
    assert content(docker("cp", f"{box}:/d/f", "-").stdout, "f") == b"hi\n"
