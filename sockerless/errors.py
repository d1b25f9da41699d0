"""Classes of failure, named as moby's errdefs package names them.

Owns: the one vocabulary of failure every room raises in. Knows neither HTTP status codes (api/middleware.py
translates) nor AWS error codes (aws/session.py translates) nor exit codes (kit/cli.py translates).
"""

from __future__ import annotations


class SockerlessError(Exception):
    """Anything this product refuses or fails at; str() is a sentence for the person who asked.

    refused_by: who was asked and refused it, "AWS" or "Terraform"; "" when this product did by itself.
    """

    def __init__(self, message: str, refused_by: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.refused_by = refused_by


class NotFound(SockerlessError):
    """The named object does not exist (asked for, and known not to be there)."""


class InvalidParameter(SockerlessError):
    """The request is malformed or asks for something impossible."""


class Conflict(SockerlessError):
    """The request contradicts the object's present state."""


class NotModified(SockerlessError):
    """The object is already in the requested state."""


class Unauthorized(SockerlessError):
    """Credentials are missing, wrong or expired."""


class Forbidden(SockerlessError):
    """The caller is known and may not do this."""


class Unavailable(SockerlessError):
    """A service this needs cannot be reached or is overloaded; trying again may help."""


class NotSupported(SockerlessError):
    """Fargate or this product cannot do it; the message says why and what to do instead."""


class DeadlineExceeded(SockerlessError):
    """Something did not happen within its bounded time."""


class DataLoss(SockerlessError):
    """Stored data is damaged or incomplete."""


class SystemFailure(SockerlessError):
    """An internal failure of this product or of a service it relies on."""
