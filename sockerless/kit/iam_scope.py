"""The words of IAM policies: the ARNs of one deployment in one account, and statements about them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sockerless.kit.project import Project
from sockerless.types import JsonObject

PROJECT_TAG = "sockerless:project"
"""The tag that every resource of a deployment carries, with the deployment's name."""


@dataclass(frozen=True, slots=True)
class Scope:
    """A deployment in an account. account_id: 12 digits."""

    project: Project
    account_id: str

    @property
    def name(self) -> str:
        """What resources' names start with."""
        return self.project.name

    @property
    def prefix(self) -> str:
        """What the names of roles and policies start with: IAM is global, so the region is in it."""
        return f"{self.project.name}-{self.project.region}"

    @property
    def partition(self) -> str:
        """aws, aws-cn or aws-us-gov."""
        starts = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
        return next((one for start, one in starts.items() if self.project.region.startswith(start)), "aws")

    @property
    def dns_suffix(self) -> str:
        """What kms:ViaService ends with."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def made(self) -> JsonObject:
        """The condition that what a request makes is tagged as this deployment's."""
        return {"StringEquals": {f"aws:RequestTag/{PROJECT_TAG}": self.name}}

    @property
    def mine(self) -> JsonObject:
        """The condition that a resource carries this deployment's tag."""
        return {"StringEquals": {f"aws:ResourceTag/{PROJECT_TAG}": self.name}}

    def arns(self, service: str, *resources: str) -> list[str]:
        """ARNs of resources of this account in the deployment's region."""
        return [f"arn:{self.partition}:{service}:{self.project.region}:{self.account_id}:{one}" for one in resources]

    def ec2(self, kinds: str) -> list[str]:
        """ARNs of all EC2 resources of these kinds, named with blanks between them."""
        return self.arns("ec2", *(f"{kind}/*" for kind in kinds.split()))

    def iam(self, *resources: str) -> list[str]:
        """ARNs of IAM's resources of this account."""
        return [f"arn:{self.partition}:iam::{self.account_id}:{one}" for one in resources]


def allow(
    sid: str, service: str, actions: str, resources: str | Sequence[str] = "*", *conditions: JsonObject
) -> JsonObject:
    """An Allow for actions of a service, named with blanks between them; conditions are all to hold."""
    statement: JsonObject = {
        "Sid": sid,
        "Effect": "Allow",
        "Action": _shortest(f"{service}:{action}" for action in actions.split()),
        "Resource": resources if isinstance(resources, str) else _shortest(resources),
    }
    return statement | ({"Condition": together(*conditions)} if conditions else {})


def together(*conditions: JsonObject) -> JsonObject:
    """One Condition element of several."""
    merged: JsonObject = {}
    for condition in conditions:
        for operator, keys in condition.items():
            merged[operator] = {**merged.get(operator, {}), **keys}
    return merged


def document(statements: Iterable[JsonObject]) -> JsonObject:
    """A policy document of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _shortest(values: Iterable[str]) -> str | list[str]:
    listed = sorted(values)
    return listed[0] if len(listed) == 1 else listed
