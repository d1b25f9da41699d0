"""Who the simulated account's root user is told to be.

Source: STS API reference, GetCallerIdentity; moto 5.2, sts/responses.py, which makes up a user for every access key
that is not 20 characters long, as the root user's here is not.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.sts.responses import TokenResponse

from sockerless.simulator.hooks import Hooks, access_key_id
from sockerless.simulator.iam_principals import ROOT_ACCESS_KEY_ID, root


def install(hooks: Hooks) -> None:
    """Serves GetCallerIdentity as this simulator does."""

    def get_caller_identity(response: TokenResponse) -> Any:
        if access_key_id(response) != ROOT_ACCESS_KEY_ID:
            return identify(response)
        account = response.current_account
        return ActionResult({"UserId": account, "Account": account, "Arn": root(account).arn})

    identify = hooks.replace(TokenResponse, "get_caller_identity", get_caller_identity)
