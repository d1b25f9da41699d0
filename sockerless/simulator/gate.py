"""What every AWS call passes before moto serves it: counting, injected faults, throttling, IAM on request.

Source: moto 5.2, BaseResponse.call_action, which every service's dispatch goes through.
"""

from __future__ import annotations

import warnings
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.core.responses import ActionResult, BaseResponse

from sockerless.simulator.calls import Calls
from sockerless.simulator.faults import Faults
from sockerless.simulator.hooks import Hooks, access_key_id, parameters
from sockerless.simulator.iam_gate import authorise
from sockerless.simulator.iam_table import TABLE
from sockerless.simulator.iam_targets import Call
from sockerless.simulator.throttle import Throttle


class Refusal(ServiceException):
    """An error any service may answer. Of this module, because moto looks a moto exception's service up by module."""


def _refusal(response: BaseResponse, faults: Faults, throttle: Throttle | None) -> Refusal | None:
    action = f"{response.service_name}.{response._get_action()}"
    fault = faults.take("error", action)
    if fault:
        return Refusal(fault.code, fault.reason or "Injected by the simulator")
    throttled = throttle is not None and not throttle.admits(response.current_account, response.region, action)
    if throttled or faults.take("throttle", action):
        return Refusal("ThrottlingException", "Rate exceeded")
    return None


def _denial(response: BaseResponse) -> Refusal | None:
    service, operation = str(response.service_name), str(response._get_action())
    known = f"{service}.{operation}" in TABLE
    given = parameters(response) if known or operation == "AssumeRole" else {}
    call = Call(service, operation, given, response.current_account, response.region)
    denial = authorise(call, access_key_id(response), response.headers.get("X-Amz-Security-Token", ""))
    return Refusal(denial.code, denial.message) if denial else None


def install(
    hooks: Hooks, account_id: str, calls: Calls, faults: Faults, throttle: Throttle | None, enforce_iam: bool = False
) -> None:
    """Puts the gate in front of every action; throttle None lets any rate pass.

    account_id: the account of credentials that moto knows no other account of. enforce_iam: serve what the caller's
    policies allow.
    """

    def account_of(response: BaseResponse) -> str:
        found: str = current_account(response)
        return account_id if found == DEFAULT_ACCOUNT_ID else found

    # moto warns of codes that are not in a service's model; these are AWS's common errors, in none
    warnings.filterwarnings("ignore", message=r"Exception\(Refusal\)")

    def gated(response: BaseResponse) -> Any:
        calls.record(str(response.service_name), str(response._get_action()))
        refusal = _refusal(response, faults, throttle) or (_denial(response) if enforce_iam else None)
        if refusal is None:
            try:
                return serve(response)
            except NotImplementedError as error:  # a client error, so that clients do not retry for minutes
                refusal = Refusal("UnknownOperationException", f"Not simulated: {error}")
        status, headers, body = response.serialized(ActionResult(refusal))
        headers["status"] = str(status)
        headers, body = response._enrich_response(headers, body)
        return status, headers, body

    current_account = hooks.replace(BaseResponse, "get_current_account", account_of)
    serve = hooks.replace(BaseResponse, "call_action", gated)
