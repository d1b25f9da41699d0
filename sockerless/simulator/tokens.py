"""ECR's authorization tokens: issued for twelve hours, checked by the data plane. Knows no HTTP.

A token is its own record (account, expiry and the access key it was issued to, signed with a key made at start), so
nothing is stored.
Source: ECR API reference, GetAuthorizationToken.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import time

LIFETIME_S = 12 * 3600
USER = "AWS"


class Tokens:
    """Issues and checks registry passwords."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def _sign(self, payload: bytes) -> str:
        signature = hmac.new(self._key, payload, hashlib.sha256).digest()
        return base64.urlsafe_b64encode(payload + b"." + signature).decode()

    def issue(self, account_id: str, access_key_id: str) -> tuple[str, float]:
        """A password for the user AWS and when it expires, in seconds since the epoch."""
        expires_at = int(time.time()) + LIFETIME_S
        return self._sign(f"{account_id}:{expires_at}:{access_key_id}".encode()), float(expires_at)

    def issued_to(self, user: str, password: str) -> str | None:
        """The access key the password was issued to; None when it was not issued here or has expired."""
        try:
            payload, _, _ = base64.urlsafe_b64decode(password).partition(b".")
            _, expires_at, access_key_id = payload.decode().split(":")
            valid = hmac.compare_digest(self._sign(payload), password) and time.time() < int(expires_at)
        except ValueError:
            return None
        return access_key_id if user == USER and valid else None
