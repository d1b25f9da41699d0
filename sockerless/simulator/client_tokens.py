"""EC2's client tokens: a request that is sent again makes nothing twice and gets the answer it got.

Clients repeat a request whose answer was lost on the way. moto makes the thing again, or refuses it as there already.
Source: EC2 API reference, "Ensuring idempotency in Amazon EC2 API requests"; moto 5.2, BaseResponse.call_action.
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.exceptions import EC2ClientError

from sockerless.simulator.hooks import Hooks, parameters

Answer = tuple[int, dict[str, Any], Any]
"""What call_action returns: status, headers, body."""


def install(hooks: Hooks) -> None:
    """Serves EC2's repeated requests. Before the gate, which counts, throttles and authorises each of them."""
    answered: dict[tuple[str, str, str, str], tuple[dict[str, Any], Answer]] = {}

    def once(response: BaseResponse) -> Answer:
        given = parameters(response) if response.service_name == "ec2" else {}
        if not given.get("ClientToken"):
            return plainly(response)
        key = (response.current_account, response.region, str(response._get_action()), str(given["ClientToken"]))
        asked, answer = answered.get(key, (given, None))
        if asked != given:
            return _mismatch(response)
        if answer is None:
            answer = plainly(response)
            if answer[0] == 200:
                answered[key] = given, answer
        status, headers, body = answer
        return status, dict(headers), body

    def plainly(response: BaseResponse) -> Answer:
        served: Answer = serve(response)
        return served

    serve = hooks.replace(BaseResponse, "call_action", once)


def _mismatch(response: BaseResponse) -> Answer:
    refused = EC2ClientError(
        "IdempotentParameterMismatch", "The client token was used before, with other parameters in the request."
    )
    status, headers, body = response.serialized(ActionResult(refused))
    headers["status"] = str(status)
    headers, body = response._enrich_response(headers, body)
    return status, headers, body
