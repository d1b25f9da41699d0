"""The Docker SDK for Python where no other test uses it: signals, files of a container as a whole, size, ports."""

from __future__ import annotations

import io
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import docker as docker_sdk
import pytest
from docker.errors import APIError
from docker.models.containers import Container

from tests.agent.files import content
from tests.e2e.docker_cli import Docker, eventually

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
SERVER = "echo page > /index; trap 'exit 6' USR1; httpd -p 7000 -h / ; while :; do sleep 0.1; done"


@pytest.fixture
def server(sdk: docker_sdk.DockerClient, image: str) -> Iterator[Container]:
    """A container with a web server at a published port."""
    container = sdk.containers.run(image, ["sh", "-c", SERVER], detach=True, ports={"7000/tcp": ("127.0.0.1", None)})
    yield container
    container.remove(force=True)


def test_a_published_port_is_told_and_a_signal_ends_the_container(server: Container) -> None:
    server.reload()
    [binding] = server.ports["7000/tcp"]
    assert binding["HostIp"] == "127.0.0.1"

    def page() -> bytes:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{binding['HostPort']}/index", timeout=5) as answer:
                return bytes(answer.read())
        except OSError:
            return b""

    eventually(lambda: page() == b"page\n")
    server.kill(signal="SIGUSR1")
    assert server.wait()["StatusCode"] == 6
    server.reload()
    assert (server.status, server.ports) == ("exited", {})


def test_export_and_diff_show_what_became_of_the_image(server: Container) -> None:
    eventually(lambda: server.exec_run(["test", "-e", "/index"]).exit_code == 0)
    assert {"Path": "/index", "Kind": 1} in server.diff()
    assert content(b"".join(server.export()), "index") == b"page\n"


def test_what_can_be_changed_of_a_running_container_is_and_the_rest_is_refused(server: Container) -> None:
    server.update(restart_policy={"Name": "on-failure", "MaximumRetryCount": 2})
    server.reload()
    assert server.attrs["HostConfig"]["RestartPolicy"] == {"Name": "on-failure", "MaximumRetryCount": 2}
    with pytest.raises(APIError, match="Fargate fixes a task's size"):
        server.update(mem_limit="4g")


@pytest.mark.parametrize("tar_format", ["gnu", "pax"])
def test_a_sparse_archive_is_unpacked_with_its_holes(
    sdk: docker_sdk.DockerClient, server: Container, tmp_path: Path, tar_format: str
) -> None:
    with (tmp_path / "sparse").open("wb") as file:
        file.seek(64 << 20)
        file.write(b"end")
    packed = subprocess.run(
        ["tar", "-C", tmp_path, f"--format={tar_format}", "-S", "-cf", "-", "sparse"], capture_output=True, check=True
    ).stdout
    assert len(packed) < 1 << 20
    assert server.put_archive("/tmp", io.BytesIO(packed))
    told = server.exec_run(["sh", "-c", "stat -c %s /tmp/sparse; tail -c 4 /tmp/sparse | od -An -c; du -k /tmp/sparse"])
    size, tail, used = told.output.decode().splitlines()
    assert (int(size), tail.split()) == ((64 << 20) + 3, ["\\0", "e", "n", "d"])
    assert int(used.split()[0]) < 1024


def test_orphans_are_reaped(docker: Docker, image: str) -> None:
    script = "for i in $(seq 50); do (sleep 0.01 &); done; echo ready; sleep 1000"
    container = docker.ok("run", "-d", image, "sh", "-c", script)
    eventually(lambda: "ready" in docker.ok("logs", container))
    seen = ("sh", "-c", "cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/.*(sleep) \\(.\\).*/\\1/p; s/.*) Z .*/Z/p'")
    eventually(lambda: docker("exec", container, *seen).stdout == b"S\n")
    docker.ok("rm", "-f", container)
