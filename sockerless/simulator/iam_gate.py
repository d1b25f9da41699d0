"""IAM in front of every call: who calls, what the call needs, whether their policies allow it, AWS's words when not.

On request only (SimulatorOptions.enforce_iam). Resource policies are not evaluated: nothing here is shared between
accounts. Signatures are not checked: an access key's id says who calls. The caller holds the simulator's lock.

moto has an authenticator of its own (core/authorization.py), which is not used: it knows no resource of most actions
(every check is on "*"), takes a statement whose condition does not hold for a denial, and knows neither boundaries nor
condition keys. Source: IAM user guide, "Policy evaluation logic" and "Troubleshoot access denied error messages".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.simulator import iam_lookups, iam_trust
from sockerless.simulator.iam_policy import Decision, Request, decide
from sockerless.simulator.iam_principals import Principal, find
from sockerless.simulator.iam_table import TABLE
from sockerless.simulator.iam_targets import Call, Check, Row, checks
from sockerless.simulator.iam_trust import Trust

_UNKNOWN_CALLER = {
    "ec2": ("AuthFailure", "AWS was not able to validate the provided access credentials"),
    "iam": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "sts": ("InvalidClientTokenId", "The security token included in the request is invalid."),
    "s3": ("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."),
}
_UNRECOGNIZED = ("UnrecognizedClientException", "The security token included in the request is invalid.")
_DENIED_CODES = {"ec2": "UnauthorizedOperation", "iam": "AccessDenied", "sts": "AccessDenied", "s3": "AccessDenied"}
_EC2_PREAMBLE = "You are not authorized to perform this operation. "


@dataclass(frozen=True, slots=True)
class Denial:
    """Why a call is not served: the error code of the service, AWS's message."""

    code: str
    message: str


def authorise(call: Call, access_key_id: str, session_token: str | None) -> Denial | None:
    """None when the caller may make the call, otherwise what AWS answers. session_token: as find() takes it."""
    principal = find(call.account_id, access_key_id, session_token)
    if principal is None:
        return Denial(*_UNKNOWN_CALLER.get(call.service, _UNRECOGNIZED))
    if principal.root or (call.service, call.operation) == ("sts", "GetCallerIdentity"):
        return None
    if (call.service, call.operation) == ("sts", "AssumeRole"):
        reason = _assuming(principal, call)
    else:
        found = checks(call, TABLE.get(f"{call.service}.{call.operation}", Row()))
        reason = next((told for told in (refusal(principal, call, one) for one in found) if told), None)
    if reason is None:
        return None
    preamble = _EC2_PREAMBLE if call.service == "ec2" else ""
    return Denial(_DENIED_CODES.get(call.service, "AccessDeniedException"), f"{preamble}{reason}")


def refusal(principal: Principal, call: Call, check: Check) -> str | None:
    """AWS's sentence when the principal's policies do not allow the check; None when they do."""
    request = Request(check.action, check.resource, context(principal, call, check))
    try:
        reason = _reason(principal, request)
    except (NotSupported, InvalidParameter) as error:
        reason = f"because a policy cannot be evaluated: {error.message}"
    if reason is None:
        return None
    return f"User: {principal.arn} is not authorized to perform: {check.action} on resource: {check.resource} {reason}"


def context(principal: Principal, call: Call, check: Check) -> Mapping[str, tuple[str, ...]]:
    """The condition keys of the request, lower-cased."""
    tags = iam_lookups.tags(call, check.kind, check.id) if check.id not in ("", "*") else {}
    keys = {
        "aws:SecureTransport": ("true",),
        "aws:RequestedRegion": (call.region,),
        "aws:ViaAWSService": ("false",),
        **principal.keys,
        **{f"aws:ResourceTag/{key}": (value,) for key, value in tags.items()},
        **{f"{check.kind.partition(':')[0]}:ResourceTag/{key}": (value,) for key, value in tags.items()},
        **check.keys,
    }
    return {key.lower(): values for key, values in keys.items()}


def _reason(principal: Principal, request: Request) -> str | None:
    """Why not, as AWS words it."""
    bounds = [("identity-based policy", principal.identity)]
    if principal.boundary is not None:
        bounds.append(("permissions boundary", principal.boundary))
    if principal.session is not None:
        bounds.append(("session policy", (principal.session,)))
    decisions = [(kind, decide(documents, request)) for kind, documents in bounds]
    for kind, decision in decisions:
        if decision is Decision.DENIED:
            article = "an" if kind.startswith("i") else "a"
            return f"with an explicit deny in {article} {kind}"
    for kind, decision in decisions:
        if decision is Decision.SILENT:
            return f"because no {kind} allows the {request.action} action"
    return None


def _assuming(principal: Principal, call: Call) -> str | None:
    """AssumeRole: the role must trust the caller; the caller's account must allow it unless the role names them."""
    role_arn = str(call.parameters["RoleArn"])
    external_id = tuple(call.find("ExternalId"))
    check = Check("sts:AssumeRole", role_arn, {"sts:ExternalId": external_id} if external_id else {})
    role = iam_lookups.role(call.account_id, role_arn)
    document = role.assume_role_policy_document if role and role.arn == role_arn else None
    trust = iam_trust.of_principal(document, principal, context(principal, call, check)) if document else Trust.NONE
    if trust is Trust.NONE:
        return f"User: {principal.arn} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    told = refusal(principal, call, check)
    return told if trust is Trust.ACCOUNT or (told and "explicit deny" in told) else None
