"""ECR: credentials for its registry. What the registry then serves is registry/'s to ask."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from datetime import datetime

from sockerless import errors
from sockerless.aws.session import Aws


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
