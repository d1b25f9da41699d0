"""Images: loaded into the deployment's ECR, pulled from a registry, tagged, removed."""

from __future__ import annotations

import json

import pytest

from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def test_a_loaded_image_can_be_tagged_run_inspected_and_removed(docker: Docker, image: str) -> None:
    docker.ok("tag", image, "other/name:v1")
    assert "other/name" in docker.ok("images", "--format", "{{.Repository}}:{{.Tag}}")
    inspected = json.loads(docker.ok("image", "inspect", "other/name:v1"))[0]
    assert inspected["Id"].startswith("sha256:")
    assert docker.ok("run", "--rm", "other/name:v1", "echo", "same") == "same"
    assert "Untagged: other/name:v1" in docker.ok("rmi", "other/name:v1")
    assert docker("image", "inspect", "other/name:v1").returncode == 1
    assert docker.ok("run", "--rm", image, "echo", "still") == "still"


def test_an_image_is_pulled_from_a_mirror_of_docker_hub_and_runs(docker: Docker, mirrored: str) -> None:
    pulled = docker.ok("pull", mirrored)
    assert "Digest: sha256:" in pulled
    assert docker.ok("run", "--rm", mirrored, "echo", "pulled") == "pulled"
    docker.ok("rmi", mirrored)


def test_a_run_pulls_what_is_missing(docker: Docker, mirrored: str) -> None:
    done = docker("run", "--rm", mirrored, "echo", "came")
    assert done.stdout == b"came\n"
    assert b"Unable to find image" in done.stderr
    docker.ok("rmi", mirrored)


def test_an_image_in_use_is_not_removed(docker: Docker, image: str) -> None:
    container = docker.ok("create", image, "true")
    refused = docker("rmi", image)
    assert refused.returncode == 1
    assert b"conflict" in refused.stderr.lower()
    docker.ok("rm", container)
