"""The distribution protocol's verbs: manifests, blobs, uploads.

Owns: paths, headers, digests and the order of requests. Knows neither AWS nor the store nor what Docker calls pull.
Laws: what is named by a digest is verified against it; blobs stream in constant memory.
Source: OCI distribution-spec 1.1; dockerd's order of upload requests (POST, PATCH with the bytes, PUT).
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urljoin

import aiohttp

from sockerless.errors import DataLoss, NotFound, SystemFailure
from sockerless.registry import failures, manifest
from sockerless.registry.auth import RegistryAuth
from sockerless.registry.manifest import Descriptor, Manifest
from sockerless.registry.reference import Reference
from sockerless.registry.transport import BlobReader, Request, Transport

CHUNK_BYTES = 1 << 18
DOCUMENT_LIMIT_BYTES = 8 << 20
"""Longest manifest or image config that is read into memory (dockerd: 4 MB for a manifest)."""


class Registry:
    """A client of every registry, over one shared HTTP session. Methods raise errors.* with Docker's texts."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._transport = Transport(session)

    async def get_manifest(self, reference: Reference, auth: RegistryAuth | None = None) -> Manifest:
        """The manifest or list at the reference's digest (verified), else its tag."""
        path = f"manifests/{reference.selector}"
        request = Request("GET", reference, path, headers={"Accept": ", ".join(manifest.ACCEPTED)})
        async with self._transport.send(request, auth) as response:
            body = await failures.read_limited(response, DOCUMENT_LIMIT_BYTES)
        if reference.digest and _digest(body, reference.digest) != reference.digest:
            raise DataLoss(f"manifest verification failed for digest {reference.digest}")
        return manifest.of_bytes(body, response.headers.get("Content-Type", ""))

    async def get_blob(self, reference: Reference, blob: Descriptor, auth: RegistryAuth | None = None) -> bytes:
        """A small blob whole, verified: an image config. InvalidParameter beyond DOCUMENT_LIMIT_BYTES."""
        async with self._transport.send(Request("GET", reference, f"blobs/{blob.digest}"), auth) as response:
            body = await failures.read_limited(response, DOCUMENT_LIMIT_BYTES)
        if _digest(body, blob.digest) != blob.digest:
            raise DataLoss(f"image verification failed for digest {blob.digest}")
        return body

    async def stream_blob(
        self, reference: Reference, blob: Descriptor, auth: RegistryAuth | None = None
    ) -> AsyncIterator[bytes]:
        """A blob's bytes in pieces. DataLoss after the last piece when they do not match the digest."""
        hasher = hashlib.new(blob.digest.partition(":")[0])
        request = Request("GET", reference, f"blobs/{blob.digest}")
        async with self._transport.send(request, auth) as response:
            async for piece in response.content.iter_chunked(CHUNK_BYTES):
                hasher.update(piece)
                yield piece
        if hasher.hexdigest() != blob.digest.partition(":")[2]:
            raise DataLoss(f"filesystem layer verification failed for digest {blob.digest}")

    async def head_blob(self, reference: Reference, digest: str, auth: RegistryAuth | None = None) -> bool:
        """Whether the repository holds this blob."""
        return await self._exists(Request("HEAD", reference, f"blobs/{digest}"), auth)

    async def head_manifest(self, reference: Reference, auth: RegistryAuth | None = None) -> bool:
        """Whether the repository holds a manifest at the reference's digest or tag."""
        headers = {"Accept": ", ".join(manifest.ACCEPTED)}
        return await self._exists(Request("HEAD", reference, f"manifests/{reference.selector}", headers=headers), auth)

    async def upload(
        self, reference: Reference, blob: Descriptor, read: BlobReader, auth: RegistryAuth | None = None
    ) -> None:
        """Uploads a blob of known digest and size, streaming. The registry verifies the digest."""
        location = await self._begin_upload(reference, auth)
        sent = Request(
            "PATCH",
            reference,
            url=location,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(blob.size_bytes)},
            body=read,
            push=True,
        )
        async with self._transport.send(sent, auth) as response:
            location = _location(response, location)
        separator = "&" if "?" in location else "?"
        done = Request("PUT", reference, url=f"{location}{separator}digest={blob.digest}", push=True)
        async with self._transport.send(done, auth):
            return

    async def put_manifest(self, reference: Reference, value: Manifest, auth: RegistryAuth | None = None) -> None:
        """Stores a manifest under the reference's tag, else under its digest."""
        path = f"manifests/{reference.tag or value.digest}"
        headers = {"Content-Type": value.media_type}
        request = Request("PUT", reference, path, headers=headers, body=value.body, push=True)
        async with self._transport.send(request, auth) as response:
            stored = response.headers.get("Docker-Content-Digest", value.digest)
        if stored != value.digest:
            raise DataLoss(f"{reference.name} stored manifest {value.digest} as {stored}")

    async def list_tags(self, reference: Reference, auth: RegistryAuth | None = None) -> list[str]:
        """Every tag of the repository, page after page."""
        tags: list[str] = []
        request = Request("GET", reference, "tags/list")
        while True:
            async with self._transport.send(request, auth) as response:
                body = await failures.read_limited(response, DOCUMENT_LIMIT_BYTES)
            tags += [str(tag) for tag in manifest.decode(body, "tag list").get("tags") or []]
            following = response.links.get("next")
            if following is None:
                return tags
            request = Request("GET", reference, url=str(following["url"]))

    async def _begin_upload(self, reference: Reference, auth: RegistryAuth | None) -> str:
        request = Request("POST", reference, "blobs/uploads/", headers={"Content-Length": "0"}, push=True)
        async with self._transport.send(request, auth) as response:
            return _location(response, str(response.url))

    async def _exists(self, request: Request, auth: RegistryAuth | None) -> bool:
        try:
            async with self._transport.send(request, auth):
                return True
        except NotFound:
            return False


@asynccontextmanager
async def open_registry() -> AsyncIterator[Registry]:
    """A client over a session of its own. Redirects (signed URLs of object stores) are followed as they are written."""
    async with aiohttp.ClientSession(requote_redirect_url=False) as session:
        yield Registry(session)


def _digest(body: bytes, like: str) -> str:
    algorithm = like.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, body).hexdigest()}"


def _location(response: aiohttp.ClientResponse, base: str) -> str:
    location = response.headers.get("Location")
    if not location:
        raise SystemFailure("the registry did not say where the upload continues (no Location header)")
    return urljoin(base, location)
