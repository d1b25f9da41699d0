"""docker top: the container's processes without an agent and without a ps in the image."""

from __future__ import annotations

from collections.abc import Iterator

import docker as docker_sdk
import pytest

from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


@pytest.fixture(scope="module")
def busy(docker: Docker, image: str) -> Iterator[str]:
    """A container of two processes that run as nobody."""
    script = "echo nobody:x:65534:65534::/:/bin/sh >> /etc/passwd; exec sleep 2000"
    container = docker.ok("run", "-d", image, "sh", "-c", f"su nobody -s /bin/sh -c 'sleep 1000' & {script}")
    eventually(lambda: docker.ok("top", container, "-o", "pid,args").count("sleep ") == 2)
    yield container
    docker.ok("rm", "-f", container)


def rows(docker: Docker, *arguments: str) -> tuple[list[str], list[list[str]]]:
    """Titles, and each process's cells but for the blanks in its last one."""
    first, *others = docker.ok("top", *arguments).splitlines()
    titles = first.split()
    return titles, [line.split(maxsplit=len(titles) - 1) for line in others]


def test_the_default_is_ps_ef(docker: Docker, busy: str) -> None:
    titles, processes = rows(docker, busy)
    assert titles == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"]
    assert [process[-1] for process in processes if process[-1].startswith("sleep")] == ["sleep 2000", "sleep 1000"]
    assert not any("sockerless" in cell for process in processes for cell in process)


def test_aux_has_its_own_columns(docker: Docker, busy: str) -> None:
    titles, processes = rows(docker, busy, "aux")
    assert titles == ["USER", "PID", "%CPU", "%MEM", "VSZ", "RSS", "TTY", "STAT", "START", "TIME", "COMMAND"]
    assert processes[0][-1] == "sleep 2000"
    assert all(int(process[5]) > 0 for process in processes)


def test_columns_can_be_chosen_and_users_have_their_names_in_the_container(docker: Docker, busy: str) -> None:
    titles, processes = rows(docker, busy, "-o", "pid,ppid,user,comm")
    assert titles == ["PID", "PPID", "USER", "COMMAND"]
    assert {process[2] for process in processes} == {"root", "nobody"}
    assert processes[0][1] == "1"


def test_what_ps_refuses_is_an_error_in_its_words(docker: Docker, busy: str) -> None:
    assert "Couldn't find PID field in ps output" in docker("top", busy, "-o", "user").stderr.decode()
    assert 'unknown user-defined format specifier "nosuch"' in docker("top", busy, "-o", "pid,nosuch").stderr.decode()


def test_what_does_not_run_has_no_processes(docker: Docker, image: str) -> None:
    container = docker.ok("create", image, "true")
    assert f"Container {container} is not running" in docker("top", container).stderr.decode()
    docker.ok("rm", container)


def test_the_sdk_lists_processes(sdk: docker_sdk.DockerClient, busy: str) -> None:
    listed = sdk.containers.get(busy).top(ps_args="axo pid,args")
    assert listed["Titles"] == ["PID", "COMMAND"]
    assert ["sleep 2000"] in [process[1:] for process in listed["Processes"]]
