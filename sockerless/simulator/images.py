"""Images for tasks: which registry a reference means, and having the engine pull it.

References to this account's ECR, under AWS's host name or the simulator's own address, are pulled from the
simulator's data plane; everything else goes to the registry it names. An image is pulled for every task, except
when the engine already holds exactly the digest asked for.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from sockerless.errors import Unavailable
from sockerless.simulator.engine import Engine, EngineError
from sockerless.simulator.failures import CannotPullContainerError
from sockerless.simulator.faults import Faults

_ECR_HOST = re.compile(r"\d{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
_REFERENCE = re.compile(r"(?P<name>[^@]+?)(?::(?P<tag>[\w][\w.-]{0,127}))?(?:@(?P<digest>[a-z0-9]+:[0-9a-f]{32,}))?")
_RETRIED = "pull image manifest has been retried 1 time(s): failed to resolve ref "


@dataclass(frozen=True, slots=True)
class Pulled:
    """An image the engine now holds: what to create a container from, and its manifest digest ("" if unknown)."""

    reference: str
    digest: str


class Images:
    """Pulls for tasks. Thread-safe.

    registry: the data plane's host:port as the engine sees it. resolve: the digest of a name and tag (or digest) in
    the data plane, or None; Unavailable. credentials: user name and password the data plane takes. filling: the ECR
    actions with which a pull of a name and tag (or digest) fills a cache.
    """

    def __init__(
        self,
        engine: Engine,
        registry: str,
        resolve: Callable[[str, str], str | None],
        credentials: Callable[[], tuple[str, str]],
        faults: Faults,
        filling: Callable[[str, str], tuple[str, ...]],
    ) -> None:
        self._engine, self._registry, self._resolve, self.filling = engine, registry, resolve, filling
        self._credentials, self._faults = credentials, faults
        self._lock = Lock()
        self._pulled: set[str] = set()

    def obtain(self, reference: str) -> Pulled:
        """Has the engine hold the image; CannotPullContainerError as AWS words it."""
        fault = self._faults.take("pull", reference)
        if fault:
            raise CannotPullContainerError(fault.reason or f"{_RETRIED}{reference}: i/o timeout")
        own = self.repository(reference)
        if own is not None:
            digest = self._find(*own, reference)
            if digest is None:
                raise CannotPullContainerError(f"{_RETRIED}{reference}: {reference}: not found")
            return self._pull(f"{self._registry}/{own[0]}", digest, reference, self._authentication())
        match = _REFERENCE.fullmatch(reference)
        if not match:
            raise CannotPullContainerError(f"{_RETRIED}{reference}: invalid reference format")
        return self._pull(match["name"], match["digest"] or match["tag"] or "latest", reference, "")

    def repository(self, reference: str) -> tuple[str, str] | None:
        """The repository of this account's ECR and the tag or digest that a reference names; None for another's."""
        match = _REFERENCE.fullmatch(reference)
        host, _, path = match["name"].partition("/") if match else ("", "", "")
        own = _ECR_HOST.fullmatch(host) or host in {self._registry, self._registry.replace("127.0.0.1", "localhost")}
        return (path, match["digest"] or match["tag"] or "latest") if match and own else None

    def _find(self, path: str, wanted: str, reference: str) -> str | None:
        try:
            return self._resolve(path, wanted)
        except Unavailable as error:
            raise CannotPullContainerError(f"{_RETRIED}{reference}: {error}") from error

    def _pull(self, name: str, wanted: str, reference: str, authentication: str) -> Pulled:
        by_digest = ":" in wanted
        full = f"{name}@{wanted}" if by_digest else f"{name}:{wanted}"
        if by_digest and self._engine.image(full):
            return Pulled(full, wanted)
        try:
            held_before = self._engine.image(full) is not None
            self._engine.pull(name, wanted, authentication)
        except EngineError as error:
            raise CannotPullContainerError(f"{_RETRIED}{reference}: {error}") from error
        if not held_before:
            with self._lock:
                self._pulled.add(full)
        return Pulled(full, wanted if by_digest else self._digest(full))

    def _digest(self, full: str) -> str:
        held = self._engine.image(full) or {}
        return next((digest.partition("@")[2] for digest in held.get("RepoDigests") or []), "")

    def _authentication(self) -> str:
        user, password = self._credentials()
        document = {"username": user, "password": password, "serveraddress": self._registry}
        return base64.urlsafe_b64encode(json.dumps(document).encode()).decode()

    def remove_leftovers(self) -> None:
        """Removes what an earlier simulator at this address had pulled and did not live to remove.

        Tasks' images are pulled by digest only; what a person tagged for this registry stays.
        """
        for image in self._engine.call("GET", "/images/json"):
            tags, digests = image.get("RepoTags") or [], image.get("RepoDigests") or []
            if not any(tag.startswith(f"{self._registry}/") for tag in tags):
                for digest in digests:
                    if digest.startswith(f"{self._registry}/"):
                        self._remove(digest)

    def forget(self) -> None:
        """Removes from the engine what was pulled for tasks, unless something else uses it."""
        with self._lock:
            pulled, self._pulled = self._pulled, set()
        for reference in pulled:
            self._remove(reference)

    def _remove(self, reference: str) -> None:
        try:
            self._engine.call("DELETE", f"/images/{reference}")
        except EngineError as error:
            if error.status not in {404, 409}:
                raise
