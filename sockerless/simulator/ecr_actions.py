"""The ECR actions that must speak of the simulator's own data plane: addresses, tokens, sizes,
layers; tags that move; scanning that is put off by leaving scanOnPush out, as Terraform does it.

Source: moto 5.2, ecr/models.py (Repository.uri, Image.get_image_size_in_bytes), ecr/responses.py.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import BaseResponse
from moto.ecr.models import ECRBackend, Image, Repository
from moto.ecr.responses import ECRResponse

from sockerless.simulator.blobs import Blobs
from sockerless.simulator.hooks import Hooks, access_key_id
from sockerless.simulator.repositories import image_size_bytes
from sockerless.simulator.tasks import JsonObject
from sockerless.simulator.tokens import USER, Tokens


def _untag(image: Image, tag: str) -> None:
    """Takes a tag from an image and keeps the image, as ECR does; moto would delete one that has no other."""
    image.remove_tag(tag)
    if not image.image_tags:
        image.image_tag = None  # type: ignore[assignment]  # what moto has for an image pushed without a tag


def install(hooks: Hooks, tokens: Tokens, blobs: Blobs, registry: str) -> None:
    """Serves the ECR actions of this simulator. registry: the data plane's host:port."""

    def get_authorization_token(response: BaseResponse, document: JsonObject) -> JsonObject:
        account_ids = document.get("registryIds") or [response.current_account]
        caller = access_key_id(response)
        return {"authorizationData": [_authorization(account_id, caller) for account_id in account_ids]}

    def _authorization(account_id: str, access_key_id: str) -> JsonObject:
        password, expires_at = tokens.issue(account_id, access_key_id)
        return {
            "authorizationToken": base64.b64encode(f"{USER}:{password}".encode()).decode(),
            "expiresAt": datetime.fromtimestamp(expires_at, UTC),
            "proxyEndpoint": f"http://{registry}",
        }

    def initialise(repository: Repository, *arguments: Any, **named: Any) -> None:
        original(repository, *arguments, **named)
        repository.uri = f"{registry}/{repository.name}"

    def put_image(
        backend: ECRBackend, repository_name: str, image_manifest: str, image_tag: str | None, *rest: Any
    ) -> Image:
        repository = backend.repositories.get(repository_name)
        if repository is not None and image_tag is not None:
            backend._resolve_image_tag_mutability(repository, image_tag)
            for image in repository.images:
                if image_tag in image.image_tags and image.image_manifest != image_manifest:
                    _untag(image, image_tag)
        stored: Image = put(backend, repository_name, image_manifest, image_tag, *rest)
        return stored

    def complete_layer_upload(
        backend: ECRBackend, repository_name: str, upload_id: str, layer_digests: list[str], *rest: Any, **named: Any
    ) -> JsonObject:
        repository = backend.repositories.get(repository_name)
        upload = repository.uploads.get(upload_id) if repository else None
        answer: JsonObject = complete(backend, repository_name, upload_id, layer_digests, *rest, **named)
        if upload is not None:
            blobs.store(answer["layerDigest"], bytes(upload.layer_parts))
        return answer

    def put_scanning(
        backend: ECRBackend, registry_id: str, repository_name: str, image_scan_config: JsonObject
    ) -> JsonObject:
        whole = {"scanOnPush": bool(image_scan_config.get("scanOnPush"))}
        answer: JsonObject = put_scanning_plainly(backend, registry_id, repository_name, whole)
        return answer

    hooks.action(ECRResponse, "get_authorization_token", get_authorization_token)
    put_scanning_plainly = hooks.replace(ECRBackend, "put_image_scanning_configuration", put_scanning)
    original = hooks.replace(Repository, "__init__", initialise)
    complete = hooks.replace(ECRBackend, "complete_layer_upload", complete_layer_upload)
    put = hooks.replace(ECRBackend, "put_image", put_image)
    hooks.replace(Image, "get_image_size_in_bytes", image_size_bytes)
