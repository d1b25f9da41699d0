"""Who makes a call, and the policies that bind them: users and roles of moto's IAM, sessions of its STS.

The caller holds the simulator's lock. Source: IAM user guide, "Policy evaluation logic" and "AWS global condition
context keys"; moto 5.2, iam/models.py and sts/models.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from moto.core.utils import utcnow
from moto.iam.models import IAMBackend, ManagedPolicy, Role, User, iam_backends
from moto.sts.models import AssumedRole, sts_backends

ROOT_ACCESS_KEY_ID = "test"
"""The access key that is the account's root user, whom no policy binds."""


@dataclass(frozen=True, slots=True)
class Principal:
    """A caller: the ARN of AWS's messages, and the documents that bind it.

    boundary, session: None when there is none. keys: condition keys that tell of the caller. role_arn: of a session.
    """

    arn: str
    account_id: str
    identity: tuple[str, ...] = ()
    boundary: tuple[str, ...] | None = None
    session: str | None = None
    keys: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    root: bool = False


def root(account_id: str) -> Principal:
    """The account's root user."""
    return Principal(f"arn:aws:iam::{account_id}:root", account_id, root=True)


def find(account_id: str, access_key_id: str, session_token: str | None) -> Principal | None:
    """Whom the access key belongs to; None for one that AWS would not know, or whose token is wrong or expired.

    session_token: "" when the request has none, None when it is not to be asked for.
    """
    if access_key_id == ROOT_ACCESS_KEY_ID:
        return root(account_id)
    iam = iam_backends[account_id]["aws"]
    for user in iam.users.values():
        for key in user.access_keys:
            if key.access_key_id == access_key_id:
                return _user(iam, account_id, user) if key.status == "Active" and not session_token else None
    for session in sts_backends[account_id]["aws"].assumed_roles:
        if session.access_key_id == access_key_id:
            valid = session_token in (None, session.session_token) and session.expiration > utcnow()
            return _session(iam, account_id, session) if valid else None
    return None


def of_arn(account_id: str, arn: str) -> Principal | None:
    """The user or role of this ARN, as it is by its own policies alone; None when there is none."""
    iam = iam_backends[account_id]["aws"]
    for user in iam.users.values():
        if user.arn == arn:
            return _user(iam, account_id, user)
    for role in iam.roles.values():
        if role.arn == arn:
            return _of_role(iam, account_id, role, "simulated", None)
    return None


def as_service_takes(account_id: str, role: Role, session_name: str) -> Principal:
    """The role as an AWS service has it, like ECS before a container runs."""
    return _of_role(iam_backends[account_id]["aws"], account_id, role, session_name, None)


def _user(iam: IAMBackend, account_id: str, user: User) -> Principal:
    documents = [*user.policies.values(), *map(_document, user.managed_policies.values())]
    for group in iam.get_groups_for_user(user.name):
        documents += [*group.policies.values(), *map(_document, group.managed_policies.values())]
    keys = {"aws:username": (user.name,), "aws:userid": (user.id,), "aws:PrincipalType": ("User",)}
    return Principal(user.arn, account_id, tuple(documents), keys=keys | _common(account_id, user.arn))


def _session(iam: IAMBackend, account_id: str, session: AssumedRole) -> Principal | None:
    name = session.role_arn.rpartition("/")[2]
    role = next((one for one in iam.roles.values() if one.name == name), None)
    return _of_role(iam, account_id, role, session.session_name, session.policy or None) if role else None


def _of_role(iam: IAMBackend, account_id: str, role: Role, session_name: str, policy: str | None) -> Principal:
    documents = [*role.policies.values(), *map(_document, role.managed_policies.values())]
    arn = f"arn:aws:sts::{account_id}:assumed-role/{role.name}/{session_name}"
    keys = {"aws:userid": (f"{role.id}:{session_name}",), "aws:PrincipalType": ("AssumedRole",)}
    return Principal(
        arn,
        account_id,
        tuple(documents),
        boundary=_boundary(iam, role),
        session=policy,
        keys=keys | _common(account_id, role.arn),
    )


def _common(account_id: str, arn: str) -> dict[str, tuple[str, ...]]:
    return {"aws:PrincipalArn": (arn,), "aws:PrincipalAccount": (account_id,)}


def _boundary(iam: IAMBackend, role: Role) -> tuple[str, ...] | None:
    """The boundary's document, () for one that does not exist, which allows nothing."""
    if not role.permissions_boundary_arn:
        return None
    policy = iam.managed_policies.get(role.permissions_boundary_arn)
    return (_document(policy),) if policy else ()


def _document(policy: ManagedPolicy) -> str:
    return next(str(version.document) for version in policy.versions if version.is_default)
