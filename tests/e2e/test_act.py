"""A GitHub workflow run by act: shell steps as execs, their outputs as copied files, the result as an exit code."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.docker_cli import Docker
from tests.e2e.without_volumes import without_volumes

pytestmark = [pytest.mark.engine, pytest.mark.terraform]

THREE_STEPS = """
on: push
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - id: one
        shell: sh
        run: |
          echo "word=from one" >> "$GITHUB_OUTPUT"
          echo "KEPT=in the environment" >> "$GITHUB_ENV"
          echo "in a file" > file
      - id: two
        shell: sh
        run: |
          echo "two sees ${{ steps.one.outputs.word }}, $KEPT, $(cat file)"
          echo "sum=$((40+2))" >> "$GITHUB_OUTPUT"
      - shell: sh
        run: LAST
"""
Act = Callable[[str], subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def runner_image(docker: Docker, engine_image: str, engine_address: str) -> Iterator[str]:
    """An image for jobs: the directory where act puts its files, for it cannot come from a volume yet."""
    local, name = ["docker", "--host", engine_address], "busybox:act"
    made = [*local, "run", "--detach", engine_image, "mkdir", "-p", "/var/run/act"]
    container = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
    for command in (["wait", container], ["commit", "--change", 'CMD ["sh"]', container, name], ["rm", container]):
        subprocess.run([*local, *command], check=True, capture_output=True)
    saved = subprocess.run([*local, "save", name], check=True, capture_output=True)
    docker.ok("load", stdin=saved.stdout)
    yield name
    docker.ok("rmi", name)
    subprocess.run([*local, "rmi", name], check=True, capture_output=True)


@pytest.fixture
def act(docker: Docker, runner_image: str, tmp_path: Path) -> Iterator[Act]:
    """A function that runs a workflow's text."""
    with without_volumes(docker.host) as host:

        def run(workflow: str) -> subprocess.CompletedProcess[str]:
            path = tmp_path / ".github/workflows/ci.yml"
            path.parent.mkdir(parents=True)
            path.write_text(workflow)
            for command in (["init", "-q"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x",
                            "--allow-empty"]):  # fmt: skip
                subprocess.run(["git", *command], cwd=tmp_path, check=True)
            options = ["-P", f"ubuntu-latest={runner_image}", "--pull=false", "--network=bridge"]
            return subprocess.run(
                [Path(sys.executable).with_name("act"), "push", *options, "--container-daemon-socket=-"],
                cwd=tmp_path,
                env={**docker.environment, "DOCKER_HOST": host, "HOME": str(tmp_path)},
                capture_output=True,
                text=True,
                timeout=180,
                check=False,
            )

        yield run


def test_three_steps_hand_on_outputs_environment_and_files(act: Act, docker: Docker) -> None:
    done = act(THREE_STEPS.replace("LAST", 'echo "three sees ${{ steps.two.outputs.sum }}"'))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "two sees from one, in the environment, in a file\n" in done.stdout
    assert "three sees 42\n" in done.stdout
    assert "Job succeeded" in done.stdout
    assert docker.ok("ps", "-aq", "--filter", "name=act-") == ""


def test_a_failing_step_is_red_with_its_exit_code(act: Act, docker: Docker) -> None:
    done = act(THREE_STEPS.replace("LAST", "exit 33"))
    assert done.returncode == 1
    assert "exitcode '33': failure" in done.stdout
    assert "Job failed" in done.stdout
    docker.ok("rm", "-f", *docker.ok("ps", "-aq", "--filter", "name=act-").split())
