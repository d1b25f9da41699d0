"""Registries to test against: Debian's docker-registry as the oracle, and a small token-guarded one to read."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from aiohttp import web

from tests.machine import withhold

USER, PASSWORD = "somebody", "secret"
_HTPASSWD = f"{USER}:$2b$04$SSkqCwNoyHol4ssPZqPs2e718n/wdIIF5ZfnXFiZV8acsgbVckYIa\n"
"""bcrypt of PASSWORD."""
START_DEADLINE_S = 20.0


class DockerRegistry:
    """One docker-registry process on a loopback port; guarded: Basic authentication as USER, PASSWORD."""

    def __init__(self, directory: Path, guarded: bool = False, storage: Path | None = None) -> None:
        program = shutil.which("docker-registry")
        if program is None:
            withhold("docker-registry is not installed")
        self.host = f"127.0.0.1:{_free_port()}"
        self.storage = storage or directory / "storage"
        configuration = directory / f"{self.host}.json"
        configuration.write_text(json.dumps(self._configuration(directory, guarded)))
        self._log = (directory / f"{self.host}.log").open("wb")
        self._process = subprocess.Popen([program, "serve", str(configuration)], stdout=self._log, stderr=self._log)
        self._wait()

    def log(self) -> str:
        """What it logged so far: one line a request."""
        return Path(self._log.name).read_text()

    def stop(self) -> None:
        """Ends the process."""
        self._process.terminate()
        self._process.wait()
        self._log.close()

    def _configuration(self, directory: Path, guarded: bool) -> dict[str, object]:
        found: dict[str, object] = {
            "version": "0.1",
            "storage": {"filesystem": {"rootdirectory": str(self.storage)}},
            "http": {"addr": self.host},
        }
        if guarded:
            passwords = directory / "htpasswd"
            passwords.write_text(_HTPASSWD)
            found["auth"] = {"htpasswd": {"realm": "test", "path": str(passwords)}}
        return found

    def _wait(self) -> None:
        deadline = time.monotonic() + START_DEADLINE_S
        while not _answers(f"http://{self.host}/v2/"):
            assert self._process.poll() is None, self.log()
            assert time.monotonic() < deadline, self.log()
            time.sleep(0.02)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):  # noqa: S310 - a loopback http URL
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class TokenRegistry:
    """A read-only registry behind bearer tokens, as Docker Hub is one. Content: path below /v2/ -> (type, bytes).

    A token is good for token_uses requests. Anonymous tokens open public/..., those of USER everything.
    """

    content: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    token_uses: int = 1_000_000
    lifetime_s: int = 300
    refresh_token: str = "refresh-me"
    requests: list[tuple[str, str]] = field(default_factory=list)
    asked: list[dict[str, str]] = field(default_factory=list)
    host: str = ""
    _tokens: dict[str, tuple[str, int]] = field(default_factory=dict)
    _runner: web.AppRunner | None = None

    async def start(self) -> None:
        """Listens on a loopback port."""
        app = web.Application()
        app.router.add_get("/token", self._token)
        app.router.add_post("/token", self._token)
        app.router.add_get("/v2/{path:.*}", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.host = "{}:{}".format(*self._runner.addresses[0][:2])

    async def stop(self) -> None:
        """Stops listening."""
        if self._runner is not None:
            await self._runner.cleanup()

    def add_image(self, repository: str, tag: str, manifest: bytes, media_type: str, *blobs: bytes) -> str:
        """Stores an image; its manifest's digest."""
        digest = "sha256:" + hashlib.sha256(manifest).hexdigest()
        for name in (tag, digest):
            self.content[f"{repository}/manifests/{name}"] = (media_type, manifest)
        for blob in blobs:
            key = f"{repository}/blobs/sha256:{hashlib.sha256(blob).hexdigest()}"
            self.content[key] = ("application/octet-stream", blob)
        return digest

    async def _token(self, request: web.Request) -> web.Response:
        fields = {**request.query, **{key: str(value) for key, value in (await request.post()).items()}}
        self.asked.append(fields)
        authorization = request.headers.get("Authorization", "")
        known = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        if authorization not in {"", known} or fields.get("refresh_token", self.refresh_token) != self.refresh_token:
            return web.json_response({"details": "incorrect username or password"}, status=401)
        user = USER if authorization or "refresh_token" in fields else ""
        token = f"token-{len(self.asked)}"
        repository = fields["scope"].split(":")[1]
        if user or repository.startswith("public/"):
            self._tokens[token] = (repository, self.token_uses)
        key = "access_token" if "refresh_token" in fields else "token"
        return web.json_response({key: token, "expires_in": self.lifetime_s})

    async def _serve(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        self.requests.append((path, token))
        repository, uses = self._tokens.get(token, ("", 0))
        if not path or not repository or not path.startswith(f"{repository}/") or uses <= 0:
            return self._challenge(known=bool(token))
        self._tokens[token] = (repository, uses - 1)
        if path not in self.content:
            error = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
            return web.json_response(error, status=404)
        media_type, body = self.content[path]
        return web.Response(body=body, content_type=media_type)

    def _challenge(self, known: bool) -> web.Response:
        error = ',error="insufficient_scope"' if known else ""
        challenge = f'Bearer realm="http://{self.host}/token",service="test registry"{error}'
        body = {"errors": [{"code": "UNAUTHORIZED", "message": "authentication required"}]}
        return web.json_response(body, status=401, headers={"WWW-Authenticate": challenge})
