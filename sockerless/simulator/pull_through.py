"""Pulls through ECR: a repository below a rule's prefix fills itself from the upstream registry as it is read.

A manifest or blob that is not there is fetched when it is asked for, and the repository made from its template. A tag
is looked for upstream again a day after it was last; while upstream cannot be reached, what is cached is served.
Source: ECR user guide, "Sync an upstream registry with an Amazon ECR private registry".
"""

from __future__ import annotations

import json
import time
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, cast

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.ecr.models import ecr_backends
from moto.secretsmanager.models import secretsmanager_backends

from sockerless.errors import InvalidParameter, NotFound, Unavailable
from sockerless.simulator.blobs import Blobs
from sockerless.simulator.ecr_cache import CacheRecords
from sockerless.simulator.repositories import Repositories
from sockerless.simulator.tasks import JsonObject
from sockerless.simulator.upstream import Login, Upstreams

LOOKED_FOR_AGAIN_S = 24 * 3600


@dataclass(frozen=True, slots=True)
class _Source:
    """Where a repository's content comes from."""

    region: str
    host: str
    path: str
    login: Login | None


class PullThrough:
    """Fills repositories of one account. lock guards the records; nothing is fetched while it is held."""

    def __init__(
        self,
        account_id: str,
        records: CacheRecords,
        repositories: Repositories,
        blobs: Blobs,
        upstreams: Upstreams,
        lock: AbstractContextManager[Any],
    ) -> None:
        self._account_id, self._records, self._repositories = account_id, records, repositories
        self._blobs, self._upstreams, self._lock = blobs, upstreams, lock
        self._looked_for: dict[tuple[str, str], float] = {}

    def operations(self, name: str, reference: str) -> tuple[str, ...]:
        """The ECR actions that a pull of this manifest needs on top of reading: none outside the cache. Locked."""
        if self._repositories.resolve(name, reference) or self._records.rule_of(self._account_id, name) is None:
            return ()
        held = self._repositories.holds(name)
        return ("BatchImportUpstreamImage",) if held else ("CreateRepository", "BatchImportUpstreamImage")

    def bring_manifest(self, name: str, reference: str) -> None:
        """Has the repository hold the manifest of a tag or digest, as far as upstream has it.

        Nothing happens outside the cache. Unavailable when upstream cannot be read and nothing is cached.
        """
        with self._lock:
            source = self._source(name)
            held = self._repositories.resolve(name, reference)
            fresh = time.monotonic() - self._looked_for.get((name, reference), -LOOKED_FOR_AGAIN_S) < LOOKED_FOR_AGAIN_S
        if source is None or (held and (fresh or ":" in reference)):
            return
        try:
            manifest = self._upstreams.manifest(source.host, source.path, reference, source.login)
        except NotFound:
            return
        except Unavailable:
            if held:
                return
            raise
        with self._lock:
            self._make_repository(name, source.region)
            self._repositories.cache(name, reference, manifest)
            self._looked_for[name, reference] = time.monotonic()

    def bring_blob(self, name: str, digest: str) -> None:
        """Has the repository hold the blob, as far as upstream has it; Unavailable. Nothing outside the cache."""
        with self._lock:
            source = self._source(name)
            if source is None or digest in self._repositories.get(name).layers:
                return
        upload_id = self._blobs.begin()
        try:
            with self._upstreams.blob(source.host, source.path, digest, source.login) as content:
                self._blobs.append(upload_id, cast(Any, content))
            size = self._blobs.finish(upload_id, digest)
        except NotFound:
            self._blobs.cancel(upload_id)
            return
        except (Unavailable, InvalidParameter) as error:
            self._blobs.cancel(upload_id)
            raise Unavailable(error.message) from error
        with self._lock:
            self._repositories.get(name).layers[digest] = size

    def _source(self, name: str) -> _Source | None:
        found = self._records.rule_of(self._account_id, name)
        if found is None:
            return None
        region, rule = found
        path = name.removeprefix(rule["ecrRepositoryPrefix"].rstrip("/")).removeprefix("/")
        return _Source(region, rule["upstreamRegistryUrl"], path, self._login(rule.get("credentialArn")))

    def _login(self, secret_arn: str | None) -> Login | None:
        if secret_arn is None:
            return None
        try:
            secret = secretsmanager_backends[self._account_id][secret_arn.split(":")[3]].get_secret_value(
                secret_id=secret_arn, version_id="", version_stage="AWSCURRENT"
            )
            document = json.loads(secret["SecretString"])
            return Login(document["username"], document["accessToken"])
        except (ServiceException, JsonRESTError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(f"the secret {secret_arn} holds no username and accessToken") from error

    def _make_repository(self, name: str, region: str) -> None:
        """Makes the repository as its template says, when it is not there."""
        backend = ecr_backends[self._account_id][region]
        if name in backend.repositories:
            return
        template: JsonObject = self._records.template_of(self._account_id, name) or {}
        backend.create_repository(
            name,
            self._account_id,
            template.get("encryptionConfiguration") or {"encryptionType": "AES256"},
            {"scanOnPush": False},
            template.get("imageTagMutability") or "MUTABLE",
            template.get("resourceTags") or [],
        )
        if template.get("lifecyclePolicy"):
            backend.put_lifecycle_policy(self._account_id, name, template["lifecyclePolicy"])
        if template.get("repositoryPolicy"):
            backend.set_repository_policy(self._account_id, name, template["repositoryPolicy"])
