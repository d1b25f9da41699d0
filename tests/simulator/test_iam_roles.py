"""Roles in the simulated IAM: who may take one, and what a session of it may."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import ROLE, Account
from .iam import ACCOUNT, Caller, allow, document

ENFORCE_IAM = True


@pytest.fixture(scope="module")
def caller(account: Account) -> Caller:
    """The user, who may do nothing yet."""
    return Caller(account)


def trust(principal: str) -> str:
    return document({"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"})


def assumed(caller: Caller, role: str, **more: Any) -> dict[str, str]:
    """Credentials of a session, as client() takes them."""
    given = caller.client("sts").assume_role(RoleArn=role, RoleSessionName="session", **more)["Credentials"]
    return {
        "aws_access_key_id": given["AccessKeyId"],
        "aws_secret_access_key": given["SecretAccessKey"],
        "aws_session_token": given["SessionToken"],
    }


@pytest.fixture(scope="module")
def role(caller: Caller) -> str:
    """A role that trusts the account and may do everything in ECS, within a boundary that forbids listing."""
    boundary = document(allow("*"), allow("ecs:ListClusters") | {"Effect": "Deny"})
    arn = caller.iam.create_policy(PolicyName="boundary", PolicyDocument=boundary)["Policy"]["Arn"]
    made = caller.iam.create_role(
        RoleName="worker", AssumeRolePolicyDocument=trust(f"arn:aws:iam::{ACCOUNT}:root"), PermissionsBoundary=arn
    )
    caller.iam.put_role_policy(RoleName="worker", PolicyName="p", PolicyDocument=document(allow("ecs:*")))
    return str(made["Role"]["Arn"])


def test_a_role_that_trusts_the_account_is_taken_by_whom_their_policy_lets(caller: Caller, role: str) -> None:
    caller.may(allow("sts:AssumeRole", f"arn:aws:iam::{ACCOUNT}:role/other"))
    with pytest.raises(ClientError, match="sts:AssumeRole"):
        assumed(caller, role)
    caller.may(allow("sts:AssumeRole", role))
    session = caller.client("ecs", **assumed(caller, role))
    assert session.describe_clusters(clusters=["tests"])["clusters"]
    with pytest.raises(ClientError, match="assumed-role/worker/session is not authorized to perform: iam:ListRoles"):
        caller.client("iam", **assumed(caller, role)).list_roles()


def test_a_role_is_not_taken_by_whom_it_does_not_trust(caller: Caller) -> None:
    caller.may(allow("*"))
    with pytest.raises(ClientError, match="is not authorized to perform: sts:AssumeRole"):
        assumed(caller, ROLE)  # trusts ECS tasks alone


def test_a_boundary_bounds_what_a_role_may(caller: Caller, role: str) -> None:
    caller.may(allow("sts:AssumeRole", role))
    with pytest.raises(ClientError, match="with an explicit deny in a permissions boundary"):
        caller.client("ecs", **assumed(caller, role)).list_clusters()


def test_a_session_policy_narrows_a_session(caller: Caller, role: str) -> None:
    caller.may(allow("sts:AssumeRole", role))
    session = assumed(caller, role, Policy=document(allow("ecs:ListTasks")))
    with pytest.raises(ClientError, match="because no session policy allows the ecs:DescribeClusters action"):
        caller.client("ecs", **session).describe_clusters(clusters=["tests"])


def test_a_session_needs_its_token(caller: Caller, role: str) -> None:
    caller.may(allow("sts:AssumeRole", role))
    stripped = {key: value for key, value in assumed(caller, role).items() if key != "aws_session_token"}
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        caller.client("ecs", **stripped).describe_clusters(clusters=["tests"])
