"""The ECR actions that must speak of the simulator's own data plane: addresses, tokens, sizes.

Source: moto 5.2, ecr/models.py (Repository.uri, Image.get_image_size_in_bytes), ecr/responses.py.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import BaseResponse
from moto.ecr.models import Image, Repository
from moto.ecr.responses import ECRResponse

from sockerless.simulator.hooks import Hooks
from sockerless.simulator.repositories import image_size_bytes
from sockerless.simulator.tasks import JsonObject
from sockerless.simulator.tokens import USER, Tokens


def install(hooks: Hooks, tokens: Tokens, registry: str) -> None:
    """Serves the ECR actions of this simulator. registry: the data plane's host:port."""

    def get_authorization_token(response: BaseResponse, document: JsonObject) -> JsonObject:
        account_ids = document.get("registryIds") or [response.current_account]
        return {"authorizationData": [_authorization(account_id) for account_id in account_ids]}

    def _authorization(account_id: str) -> JsonObject:
        password, expires_at = tokens.issue(account_id)
        return {
            "authorizationToken": base64.b64encode(f"{USER}:{password}".encode()).decode(),
            "expiresAt": datetime.fromtimestamp(expires_at, UTC),
            "proxyEndpoint": f"http://{registry}",
        }

    def initialise(repository: Repository, *arguments: Any, **named: Any) -> None:
        original(repository, *arguments, **named)
        repository.uri = f"{registry}/{repository.name}"

    hooks.action(ECRResponse, "get_authorization_token", get_authorization_token)
    original = hooks.replace(Repository, "__init__", initialise)
    hooks.replace(Image, "get_image_size_in_bytes", image_size_bytes)
