"""Settings that only a deployment of another make has: public addresses, one token for all agents."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Deployed
from tests.e2e import daemon as daemons
from tests.e2e.conftest import load_image
from tests.e2e.docker_cli import Docker

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
TOKEN = "the-token-of-all-agents"


def test_agents_with_a_public_address_and_a_given_token_are_reached(
    deployment: Deployed, engine_image: str, engine_address: str, tmp_path: Path
) -> None:
    daemon = daemons.beside(deployment, {"SOCKERLESS_ECS_PUBLIC_IP": "true", "SOCKERLESS_AGENT_TOKEN": TOKEN})
    daemon.start()
    try:
        docker = Docker(daemon.host, str(tmp_path))
        load_image(docker, engine_image, engine_address)
        asked = deployment.calls().get("ec2", {}).get("DescribeNetworkInterfaces", 0)
        done = docker("run", "-i", "--name", "public", engine_image, "sh", "-c", "cat; exit 3", stdin=b"hi\n")
        assert (done.stdout, done.stderr, done.returncode) == (b"hi\n", b"", 3)
        assert deployment.calls()["ec2"]["DescribeNetworkInterfaces"] > asked
        assert given_token(deployment, daemon.settings["SOCKERLESS_ECS_CLUSTER"], "public") == TOKEN
        docker.ok("rm", "-f", "public")
        assert TOKEN not in daemon.log
    finally:
        daemon.end()


def given_token(deployment: Deployed, cluster: str, name: str) -> str:
    """The token that the task of this container was started with."""
    ecs = deployment.client("ecs")
    arns = ecs.list_tasks(cluster=cluster)["taskArns"]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns, include=["TAGS"])["tasks"]
    task = next(task for task in tasks if {"key": "sockerless:name", "value": name} in task["tags"])
    (main,) = task["overrides"]["containerOverrides"]
    return next(entry["value"] for entry in main["environment"] if entry["name"] == "SOCKERLESS_AGENT_TOKEN")
