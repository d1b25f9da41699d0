"""Images through ECR's cache of a registry that neither the daemon nor a task can reach itself."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator

import pytest

from tests.conftest import Deployed
from tests.e2e.conftest import load_image
from tests.e2e.daemon import Daemon
from tests.e2e.docker_cli import Docker
from tests.e2e.scene import Scene
from tests.registry.registries import DockerRegistry

pytestmark = [
    pytest.mark.engine,
    pytest.mark.terraform,
    pytest.mark.parametrize("direction", ["forward"], indirect=True),
]
SECRET = {"username": "somebody", "accessToken": "secret"}


@pytest.fixture(scope="module")
def cache(
    request: pytest.FixtureRequest,
    daemon: Daemon,
    docker: Docker,
    deployment: Deployed,
    engine_image: str,
    engine_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """ECR caches docker.io, which is a registry of this machine with the image cached:v1, below this URI."""
    if request.config.getoption("--enforce-iam"):
        pytest.skip("no policy of the deployment knows this cache; test_permissions pulls through one that they know")
    hub = DockerRegistry(tmp_path_factory.mktemp("hub"))
    local, name = ["docker", "--host", engine_address], f"{hub.host}/library/cached:v1"
    for command in (["tag", engine_image, name], ["push", "-q", name], ["rmi", name]):
        subprocess.run([*local, *command], check=True, capture_output=True)
    deployment.place_upstream("registry-1.docker.io", f"http://{hub.host}")
    secrets, ecr = deployment.client("secretsmanager"), deployment.client("ecr")
    made = secrets.create_secret(Name="ecr-pullthroughcache/hub", SecretString=json.dumps(SECRET))
    ecr.create_pull_through_cache_rule(
        ecrRepositoryPrefix="hub", upstreamRegistryUrl="registry-1.docker.io", credentialArn=made["ARN"]
    )
    uri = daemon.settings["SOCKERLESS_ECR_REPOSITORY"].partition("/")[0] + "/hub"
    daemon.restart({"SOCKERLESS_ECR_PULL_THROUGH": f"docker.io={uri}"})
    yield uri
    daemon.restart()
    load_image(docker, engine_image, engine_address)  # the same image, whose layers would be looked for here
    hub.stop()


def test_a_run_pulls_through_ecr_and_shows_dockers_names(docker: Docker, cache: str, scene: Scene) -> None:
    done = docker("run", "--name", "cached", "cached:v1", "echo", "through ECR")
    assert done.stdout == b"through ECR\n", done.stderr.decode()
    assert b"Status: Downloaded newer image for cached:v1" in done.stderr

    (image,) = json.loads(docker.ok("image", "inspect", "cached:v1"))
    assert "cached:v1" in image["RepoTags"]
    assert "cached" in [name.partition("@")[0] for name in image["RepoDigests"]]
    assert cache not in str(image["RepoTags"] + image["RepoDigests"])
    assert docker.inspect("cached", "{{.Config.Image}}") == "cached:v1"

    arn = scene.record(docker.inspect("cached", "{{.Id}}"))["task_definition_arn"]
    definition = scene.clients("ecs").describe_task_definition(taskDefinition=arn)["taskDefinition"]
    (main,) = (c for c in definition["containerDefinitions"] if c["name"] == "main")
    assert main["image"].startswith(f"{cache}/library/cached@sha256:")
    docker.ok("rm", "-f", "cached")
    docker.ok("rmi", "cached:v1")


def test_a_pull_says_where_layers_are_and_what_ecr_has_not_is_told_so(docker: Docker, cache: str) -> None:
    assert f"stays in {cache}/library/cached; tasks pull it from there" in docker.ok("pull", "cached:v1")
    docker.ok("rmi", "cached:v1")
    missing = docker("pull", "nosuch:v1")
    assert missing.returncode == 1
    assert f"ECR cache {cache.partition('/')[0]}: " in missing.stderr.decode()
