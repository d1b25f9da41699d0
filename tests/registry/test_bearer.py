"""Bearer tokens, with a registry that guards everything by them."""

from __future__ import annotations

import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from sockerless.errors import SystemFailure, Unauthorized, Unavailable
from sockerless.registry.auth import Challenge, RegistryAuth, TokenSource
from sockerless.registry.client import Registry
from sockerless.registry.failures import AccessDenied, ManifestUnknown
from sockerless.registry.manifest import DOCKER_MANIFEST, RUNNABLE
from sockerless.registry.push import bytes_blob, push_blob
from sockerless.registry.reference import Reference, parse
from sockerless.registry.resolve import resolve
from tests.registry.images import small_image
from tests.registry.registries import PASSWORD, USER, TokenRegistry

KNOWN = RegistryAuth(USER, PASSWORD)
IMAGE = small_image()


def _add(registry: TokenRegistry, repository: str) -> Reference:
    registry.add_image(repository, "v1", IMAGE.manifest, DOCKER_MANIFEST, IMAGE.config, IMAGE.layer)
    return parse(f"{registry.host}/{repository}:v1")


async def test_a_public_image_opens_with_an_anonymous_token_asked_for_once(
    client: Registry, token_registry: TokenRegistry
) -> None:
    found = await resolve(client, _add(token_registry, "public/app"), RUNNABLE)
    assert found.image_id == IMAGE.id
    assert token_registry.asked == [{"service": "test registry", "scope": "repository:public/app:pull"}]
    assert token_registry.requests[0][0] == "", "the registry is asked for its challenge first"


async def test_a_private_image_is_denied_without_and_opens_with_credentials(
    client: Registry, token_registry: TokenRegistry
) -> None:
    reference = _add(token_registry, "private/app")
    with pytest.raises(AccessDenied, match=r"^denied: requested access to the resource is denied$"):
        await client.get_manifest(reference)
    assert (await resolve(client, reference, RUNNABLE, KNOWN)).image_id == IMAGE.id
    assert token_registry.asked[-1]["account"] == USER


async def test_an_identity_token_is_traded_in_for_an_access_token(
    client: Registry, token_registry: TokenRegistry
) -> None:
    reference = _add(token_registry, "private/app")
    await client.get_manifest(reference, RegistryAuth(identity_token=token_registry.refresh_token))
    asked = token_registry.asked[-1]
    assert (asked["grant_type"], asked["scope"]) == ("refresh_token", "repository:private/app:pull")
    with pytest.raises(Unauthorized, match="incorrect username or password"):
        await client.get_manifest(reference, RegistryAuth(identity_token="wrong"))


async def test_a_wrong_password_is_unauthorized_and_not_in_the_message(
    client: Registry, token_registry: TokenRegistry
) -> None:
    with pytest.raises(Unauthorized, match="unauthorized: incorrect username or password") as refused:
        await client.get_manifest(_add(token_registry, "private/app"), RegistryAuth(USER, "hunter2"))
    assert "hunter2" not in str(refused.value)


async def test_a_token_that_stopped_working_is_replaced(client: Registry, token_registry: TokenRegistry) -> None:
    token_registry.token_uses = 1
    reference = _add(token_registry, "public/app")
    await client.get_manifest(reference)
    await client.get_manifest(reference)
    assert len(token_registry.asked) == 2


async def test_a_token_is_kept_until_shortly_before_it_expires(token_registry: TokenRegistry) -> None:
    now_s = 0.0
    async with aiohttp.ClientSession() as session:
        source = TokenSource(session, clock=lambda: now_s)
        challenge = Challenge("bearer", {"realm": f"http://{token_registry.host}/token", "service": "s"})
        scope = "repository:public/app:pull"
        first = await source.token(challenge, scope, None, fresh=False)
        now_s = token_registry.lifetime_s - 20.0
        assert await source.token(challenge, scope, None, fresh=False) == first
        now_s = token_registry.lifetime_s - 5.0
        assert await source.token(challenge, scope, None, fresh=False) != first
        assert len(token_registry.asked) == 2


async def test_a_missing_manifest_behind_tokens_is_not_found(client: Registry, token_registry: TokenRegistry) -> None:
    with pytest.raises(ManifestUnknown):
        await client.get_manifest(parse(f"{token_registry.host}/public/nosuch:v1"))


async def _serve(handler: web.RequestHandler, ssl_context: ssl.SSLContext | None = None) -> tuple[web.AppRunner, str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=ssl_context).start()
    return runner, "{}:{}".format(*runner.addresses[0][:2])


async def test_credentials_do_not_follow_a_redirect_to_another_host(
    client: Registry, token_registry: TokenRegistry
) -> None:
    seen: list[str | None] = []

    async def elsewhere(request: web.Request) -> web.Response:
        seen.append(request.headers.get("Authorization"))
        return web.Response(body=IMAGE.manifest, content_type=DOCKER_MANIFEST)

    async def registry(request: web.Request) -> web.Response:
        if "Authorization" not in request.headers:
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="x"'})
        return web.Response(status=307, headers={"Location": f"http://{other}/presigned"})

    runner, other = await _serve(elsewhere)
    front, host = await _serve(registry)
    await client.get_manifest(parse(f"{host}/app:v1"), KNOWN)
    assert seen == [None]
    await front.cleanup()
    await runner.cleanup()


async def test_a_token_endpoint_in_the_clear_is_not_asked(client: Registry) -> None:
    async def registry(_: web.Request) -> web.Response:
        return web.Response(status=401, headers={"WWW-Authenticate": 'Bearer realm="http://example.com/token"'})

    runner, host = await _serve(registry)
    with pytest.raises(SystemFailure, match="not an https URL"):
        await client.get_manifest(parse(f"{host}/app:v1"), KNOWN)
    await runner.cleanup()


@pytest.mark.parametrize("body", [b'{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}', b"<html>"])
async def test_a_rate_limit_is_unavailable(client: Registry, body: bytes) -> None:
    async def registry(request: web.Request) -> web.Response:
        return web.Response(status=200 if request.path == "/v2/" else 429, body=body)

    runner, host = await _serve(registry)
    with pytest.raises(Unavailable, match=r"^toomanyrequests: "):
        await client.get_manifest(parse(f"{host}/app:v1"))
    await runner.cleanup()


def _self_signed(directory: Path) -> ssl.SSLContext:
    key, certificate = directory / "key.pem", directory / "cert.pem"
    kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=x"]
    command = ["openssl", "req", *kind, "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


async def test_an_upload_is_tried_again_after_a_passing_failure(client: Registry) -> None:
    answers = [500, 404, 503, 404, 202]
    received = b""

    async def registry(request: web.Request) -> web.Response:
        nonlocal received
        if request.path == "/v2/":
            return web.Response()
        if request.method in {"HEAD", "POST"}:
            return web.Response(status=answers.pop(0), headers={"Location": "/v2/app/blobs/uploads/1?state=a%2Fb"})
        assert request.raw_path.startswith("/v2/app/blobs/uploads/1?state=a%2Fb")
        received += await request.read()
        return web.Response(status=202, headers={"Location": request.raw_path})

    runner, host = await _serve(registry)
    assert await push_blob(client, parse(f"{host}/app"), bytes_blob("x", b"data"))
    assert (received, answers) == (b"data", [])
    await runner.cleanup()


async def test_a_loopback_registry_may_speak_tls_with_a_certificate_of_its_own(
    client: Registry, tmp_path: Path
) -> None:
    async def registry(_: web.Request) -> web.Response:
        return web.Response(body=IMAGE.manifest, content_type=DOCKER_MANIFEST)

    context = _self_signed(tmp_path)
    runner, host = await _serve(registry, context)
    assert (await client.get_manifest(parse(f"{host}/app:v1"))).body == IMAGE.manifest
    await runner.cleanup()
