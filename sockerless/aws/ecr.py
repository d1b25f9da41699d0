"""ECR: credentials for its registry, and the repositories in it. What the registry serves is registry/'s to ask."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime

from sockerless import errors
from sockerless.aws.session import Aws
from sockerless.types import JsonObject


@dataclass(frozen=True, slots=True)
class EcrAuthorization:
    """Basic credentials for the account's registry at proxy_endpoint (a URL), until expires_at (12 hours)."""

    username: str
    password: str = field(repr=False)
    proxy_endpoint: str
    expires_at: datetime


async def authorization(aws: Aws) -> EcrAuthorization:
    """Fresh credentials for the account's own registry in the configured region."""
    answer = await aws.call("ecr", "GetAuthorizationToken")
    if not answer.get("authorizationData"):
        raise errors.SystemFailure("ecr:GetAuthorizationToken answered without credentials")
    data = answer["authorizationData"][0]
    username, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    return EcrAuthorization(username, password, data["proxyEndpoint"], data["expiresAt"])


async def repositories(aws: Aws) -> dict[str, str]:
    """The ARN of each repository of the account's registry, by its name."""
    found: dict[str, str] = {}
    page: JsonObject = {}
    while True:
        answer = await aws.call("ecr", "DescribeRepositories", **page)
        found |= {one["repositoryName"]: one["repositoryArn"] for one in answer["repositories"]}
        if not answer.get("nextToken"):
            return found
        page = {"nextToken": answer["nextToken"]}


async def repository_tags(aws: Aws, arn: str) -> dict[str, str]:
    """The repository's tags."""
    answer = await aws.call("ecr", "ListTagsForResource", resourceArn=arn)
    return {tag["Key"]: tag["Value"] for tag in answer["tags"]}


async def delete_repository(aws: Aws, name: str) -> None:
    """Deletes the repository with its images; one that is gone already is no failure."""
    try:
        await aws.call("ecr", "DeleteRepository", repositoryName=name, force=True)
    except errors.NotFound:
        return
