"""STS: whom AWS takes this daemon for."""

from __future__ import annotations

from dataclasses import dataclass

from sockerless.aws.session import Aws


@dataclass(frozen=True, slots=True)
class Identity:
    """account: 12 digits; arn: of the user or assumed role the credentials belong to."""

    account: str
    arn: str


async def identity(aws: Aws) -> Identity:
    """Who the configured credentials are; errors.Unauthorized when AWS does not accept them."""
    answer = await aws.call("sts", "GetCallerIdentity")
    return Identity(account=answer["Account"], arn=answer["Arn"])
