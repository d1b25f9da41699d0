"""Blobs on disk, by digest, and the uploads that become blobs. Knows no repository and no HTTP.

Source: OCI distribution specification 1.1, "Pushing blobs".
"""

from __future__ import annotations

import hashlib
import re
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from sockerless.errors import InvalidParameter, NotFound

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHUNK_BYTES = 1024 * 1024


class Blobs:
    """Content-addressed files under one directory."""

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs"
        self._uploads = directory / "uploads"

    def path(self, digest: str) -> Path:
        """Where the blob of this digest is or would be; InvalidParameter when it is not a sha256 digest."""
        if not DIGEST.fullmatch(digest):
            raise InvalidParameter(f"{digest!r} is not a sha256 digest")
        return self._blobs / digest.partition(":")[2]

    def begin(self) -> str:
        """Starts an upload; its id."""
        upload_id = str(uuid.uuid4())
        self._uploads.mkdir(parents=True, exist_ok=True)
        (self._uploads / upload_id).touch()
        return upload_id

    def _upload(self, upload_id: str) -> Path:
        path = self._uploads / upload_id
        if not re.fullmatch(r"[0-9a-f-]{36}", upload_id) or not path.exists():
            raise NotFound(f"upload {upload_id} is unknown")
        return path

    def received(self, upload_id: str) -> int:
        """Bytes an upload holds; NotFound."""
        return self._upload(upload_id).stat().st_size

    def append(self, upload_id: str, source: IO[bytes]) -> int:
        """Appends source to an upload; the bytes it now holds. NotFound."""
        path = self._upload(upload_id)
        with path.open("ab") as target:
            shutil.copyfileobj(source, target, _CHUNK_BYTES)
        return path.stat().st_size

    def finish(self, upload_id: str, digest: str) -> int:
        """Makes an upload the blob of this digest; its size. InvalidParameter, the upload kept, when it is not it."""
        path, target = self._upload(upload_id), self.path(digest)
        with path.open("rb") as content:
            found = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        if found != digest:
            raise InvalidParameter(f"provided digest {digest} did not match uploaded content {found}")
        target.parent.mkdir(parents=True, exist_ok=True)
        path.replace(target)
        return target.stat().st_size

    def store(self, digest: str, content: bytes) -> None:
        """Makes content, whose digest the caller knows, a blob."""
        target = self.path(digest)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)

    def cancel(self, upload_id: str) -> None:
        """Forgets an upload; NotFound."""
        self._upload(upload_id).unlink()

    def read(self, digest: str) -> Iterator[bytes]:
        """The blob's content in chunks; NotFound."""
        try:
            content = self.path(digest).open("rb")
        except FileNotFoundError:
            raise NotFound(f"blob {digest} is unknown") from None
        with content:
            while chunk := content.read(_CHUNK_BYTES):
                yield chunk

    def clear(self) -> None:
        """Removes every blob and upload."""
        shutil.rmtree(self._blobs, ignore_errors=True)
        shutil.rmtree(self._uploads, ignore_errors=True)
