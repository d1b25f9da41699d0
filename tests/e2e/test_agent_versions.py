"""Two versions of the agent side by side on the file system: who began with one goes on with it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import agent_bundle, agent_install, apply
from sockerless.kit import project as settings
from tests.conftest import Deployed
from tests.e2e import daemon as daemons
from tests.e2e.conftest import load_image
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
SHOW_VERSION = (
    "sh",
    "-c",
    "tr '\\0' '\\n' </proc/1/cmdline | sed -n 's,/.sockerless/agent/\\(.*\\)/bin/python3,\\1,p'",
)


@pytest.fixture
def other_version(deployment: Deployed, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The version of an agent that differs in a file, installed as `apply` does it."""
    contents = agent_bundle._contents

    def changed(*interpreter: Any) -> dict[str, bytes]:
        return {**contents(*interpreter), "NOTE": b"another make\n"}

    record = deployment.directory / ".sockerless" / "agent.json"
    before = record.read_bytes()
    monkeypatch.setattr(agent_bundle, "_contents", changed)
    deployed = apply.load(settings.load(deployment.directory))
    version = agent_install.install(deployed).version
    yield version
    record.write_bytes(before)
    repository = deployed.outputs.agent_repository_url.partition("/")[2]
    deployment.client("ecr").batch_delete_image(repositoryName=repository, imageIds=[{"imageTag": version}])


@pytest.fixture
def daemon(deployment: Deployed, other_version: str) -> Iterator[Daemon]:
    """A daemon of the deployment whose agent has other_version until it is started again."""
    daemon = daemons.beside(deployment, {})
    daemon.start({"SOCKERLESS_AGENT_VERSION": other_version})
    yield daemon
    daemon.end()


def test_a_container_keeps_the_agent_it_was_created_with_when_the_daemon_has_a_new_one(
    daemon: Daemon, other_version: str, engine_image: str, engine_address: str, tmp_path: Path
) -> None:
    docker = Docker(daemon.host, str(tmp_path))
    load_image(docker, engine_image, engine_address)
    old = docker.ok("run", "-d", engine_image, "sh", "-c", "trap 'exit 4' TERM; while :; do sleep 0.1; done")
    assert docker.ok("exec", old, *SHOW_VERSION) == other_version

    daemon.restart()
    current = daemon.settings["SOCKERLESS_AGENT_VERSION"]
    assert current != other_version
    assert docker.ok("exec", old, *SHOW_VERSION) == other_version
    assert docker.ok("run", "--rm", engine_image, *SHOW_VERSION) == current

    docker.ok("stop", old)
    assert docker.inspect(old, "{{.State.ExitCode}}") == "4"
    docker.ok("start", old)
    assert docker.ok("exec", old, *SHOW_VERSION) == other_version
    docker.ok("rm", "-f", old)
