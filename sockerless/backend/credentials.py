"""The credentials one container's agent and this daemon trust each other by. Makes keys; keeps none."""

from __future__ import annotations

import hashlib
import secrets
import ssl
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sockerless.types import AgentCredentials

_LIFETIME = timedelta(days=3650)
"""Pinned, never checked by anyone else: it only has to outlive the task."""


def make(default_token: str = "") -> AgentCredentials:
    """Fresh credentials: a self-signed P-256 certificate and a 256-bit token (or the configured default token)."""
    agent_id = secrets.token_hex(16)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, agent_id)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + _LIFETIME)
        .sign(key, hashes.SHA256())
    )
    return AgentCredentials(
        agent_id=agent_id,
        token=default_token or secrets.token_urlsafe(32),
        certificate_pem=certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key_pem=key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )


def fingerprint(credentials: AgentCredentials) -> bytes:
    """SHA-256 over the certificate's DER: what the dialling side pins."""
    return hashlib.sha256(ssl.PEM_cert_to_DER_cert(credentials.certificate_pem)).digest()
