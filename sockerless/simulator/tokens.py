"""ECR's authorization tokens: issued for twelve hours, checked by the data plane. Knows no HTTP.

A token is its own record (account and expiry, signed with a key made at start), so nothing is stored.
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

    def issue(self, account_id: str) -> tuple[str, float]:
        """A password for the user AWS and when it expires, in seconds since the epoch."""
        expires_at = int(time.time()) + LIFETIME_S
        return self._sign(f"{account_id}:{expires_at}".encode()), float(expires_at)

    def accepts(self, user: str, password: str) -> bool:
        """Whether the password was issued here and has not expired."""
        try:
            payload, _, _ = base64.urlsafe_b64decode(password).partition(b".")
            expires_at = int(payload.decode().partition(":")[2])
        except ValueError:
            return False
        genuine = hmac.compare_digest(self._sign(payload), password)
        return user == USER and genuine and time.time() < expires_at
