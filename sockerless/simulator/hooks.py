"""Replacing pieces of moto, and putting them back. The contract tests hold every replaced piece to what is assumed.

Source: moto 5.2: core/responses.py (actions are looked up on the response class by name), core/base_backend.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from moto.core.responses import ActionResult, BaseResponse

Action = Callable[[BaseResponse, dict[str, Any]], Any]
"""An AWS action: moto's response object (account, region) and the decoded request; returns the response document."""


class Hooks:
    """What was replaced, so that restore() leaves moto as it was found."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def replace(self, owner: Any, name: str, value: Any) -> Any:
        """Sets an attribute; the original, or None when there was none."""
        original = owner.__dict__.get(name)
        self._originals.append((owner, name, original))
        setattr(owner, name, value)
        return original

    def action(self, responses: type[BaseResponse], name: str, action: Action) -> None:
        """Serves an action, named in snake case, with our function."""

        def serve(response: BaseResponse) -> ActionResult:
            return ActionResult(action(response, parameters(response)))

        self.replace(responses, name, serve)

    def restore(self) -> None:
        """Puts every original back."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)


def access_key_id(response: BaseResponse) -> str:
    """The access key that signed the request, "" for one that is not signed. moto knows only those of AWS's form."""
    found = re.search(r"Credential=([^/,\s]+)/", response.headers.get("Authorization", ""))
    return found[1] if found else ""


def parameters(response: BaseResponse) -> dict[str, Any]:
    """The decoded request of a response object, whatever its protocol."""
    if not response.automated_parameter_parsing:
        response.parse_parameters(response.normalized_request)
    given: dict[str, Any] = response.params
    return given
