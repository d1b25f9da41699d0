"""What clients send as credentials and what registries send as challenges."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.errors import InvalidParameter
from sockerless.registry.auth import RegistryAuth, decode_registry_auth, parse_challenges

FIELDS = {"username": "u?>", "password": "p~~\u00fc", "serveraddress": "x.example"}
ENCODERS = {"std": base64.b64encode, "url": base64.urlsafe_b64encode}


@pytest.mark.parametrize("padded", [True, False])
@pytest.mark.parametrize("alphabet", ENCODERS)
def test_credentials_are_read_in_either_alphabet_padded_or_not(alphabet: str, padded: bool) -> None:
    header = ENCODERS[alphabet](json.dumps(FIELDS, ensure_ascii=False).encode()).decode()
    header = header if padded else header.rstrip("=")
    assert decode_registry_auth(header) == RegistryAuth("u?>", "p~~\u00fc")


@pytest.mark.parametrize("header", ["", " ", "e30=", "e30", "bnVsbA==", base64.b64encode(b'{"username":""}').decode()])
def test_a_header_without_credentials_is_none(header: str) -> None:
    assert decode_registry_auth(header) is None


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"identitytoken": "t"}, RegistryAuth(identity_token="t")),
        ({"registrytoken": "t"}, RegistryAuth(registry_token="t")),
        ({"auth": base64.b64encode(b"u:p:q").decode()}, RegistryAuth("u", "p:q")),
        ({"username": "u", "password": "p", "email": "e", "auth": None}, RegistryAuth("u", "p")),
    ],
)
def test_every_form_of_credentials_is_read(document: dict[str, str], expected: RegistryAuth) -> None:
    assert decode_registry_auth(base64.urlsafe_b64encode(json.dumps(document).encode()).decode()) == expected


@given(st.one_of(st.text(max_size=30), st.binary(max_size=40).map(lambda raw: base64.b64encode(raw).decode())))
def test_any_header_is_credentials_none_or_refused(header: str) -> None:
    try:
        found = decode_registry_auth(header)
    except InvalidParameter:
        return
    assert found is None or found != RegistryAuth()


def test_secrets_are_not_in_the_representation() -> None:
    shown = repr(RegistryAuth("user", "secret1", "secret2", "secret3"))
    assert "user" in shown
    assert "secret" not in shown


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('Basic realm="r"', [("basic", {"realm": "r"})]),
        (
            'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push"',
            [
                (
                    "bearer",
                    {
                        "realm": "https://auth.docker.io/token",
                        "service": "registry.docker.io",
                        "scope": "repository:a/b:pull,push",
                    },
                )
            ],
        ),
        (
            'Negotiate, Basic realm="a \\"b\\", c", Bearer realm=x',
            [("negotiate", {}), ("basic", {"realm": 'a "b", c'}), ("bearer", {"realm": "x"})],
        ),
        ("BEARER Realm = https://x , Service=y", [("bearer", {"realm": "https://x", "service": "y"})]),
        ("", []),
    ],
)
def test_challenges_are_parsed(header: str, expected: list[tuple[str, dict[str, str]]]) -> None:
    assert [(challenge.scheme, challenge.parameters) for challenge in parse_challenges(header)] == expected
