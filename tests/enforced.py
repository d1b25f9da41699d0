"""Users of a simulated AWS that enforces IAM: the deployer and the daemon, each with nothing but the kit's policies.

The deployer's credentials go to the kit by its environment, the daemon's stand in daemon.env, so that every daemon over
the deployment has them. The account's root user makes the two and does nothing else.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3

from sockerless.kit import background, processes, serve

CREDENTIALS = "SOCKERLESS_SIMULATOR_CREDENTIALS"
DEPLOYER, DAEMON = "deployer", "daemon"
_TIMEOUT_S = 60.0


def start_simulator(directory: Path, endpoint_url: str) -> None:
    """Starts one that enforces IAM, as the simulator of the deployment in directory: `down` there ends it."""
    port = endpoint_url.rpartition(":")[2]
    state = directory / ".sockerless" / "simulator"
    background.start_and_wait(
        processes.simulator_place(directory),
        background.kit_argv("simulator", "--port", port, "--enforce-iam", "--state-dir", str(state)),
        dict(os.environ),
        lambda: processes.simulator_health(endpoint_url) is not None,
        _TIMEOUT_S,
    )


def make_deployer(directory: Path, iam: Any) -> dict[str, str]:
    """The environment of the kit as a user with nothing but the policies of `sockerless-kit iam deployer`."""
    printed = kit(directory, {}, "iam", "deployer")
    assert printed.returncode == 0, printed.stderr
    arns = [
        iam.create_policy(PolicyName=name, PolicyDocument=json.dumps(document))["Policy"]["Arn"]
        for name, document in json.loads(printed.stdout).items()
    ]
    return {CREDENTIALS: make_user(iam, DEPLOYER, arns)}


def make_daemon(directory: Path, deployer: Mapping[str, str], iam: Any) -> str:
    """A user with nothing but the daemon's policy, told to every daemon of the deployment by its daemon.env."""
    printed = kit(directory, deployer, "outputs", "--json")
    assert printed.returncode == 0, printed.stderr
    credentials = make_user(iam, DAEMON, [json.loads(printed.stdout)["daemon_policy_arn"]])
    with serve.env_file(directory).open("a") as file:
        file.write(f"{CREDENTIALS}={credentials}\n")
    return credentials


def make_user(iam: Any, name: str, policy_arns: list[str]) -> str:
    """A user with these managed policies; its credentials as CREDENTIALS takes them."""
    iam.create_user(UserName=name)
    for arn in policy_arns:
        iam.attach_user_policy(UserName=name, PolicyArn=arn)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return f"{key['AccessKeyId']}:{key['SecretAccessKey']}"


def client(service: str, endpoint_url: str, region: str, credentials: str) -> Any:
    """A boto3 client with these credentials."""
    access_key_id, secret = credentials.split(":")
    keys = {"aws_access_key_id": access_key_id, "aws_secret_access_key": secret}
    return boto3.client(service, endpoint_url=endpoint_url, region_name=region, **keys)


def kit(directory: Path, environment: Mapping[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """sockerless-kit by this interpreter in the directory, with these variables added."""
    return subprocess.run(
        [sys.executable, "-m", "sockerless.kit", *arguments],
        cwd=directory,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
