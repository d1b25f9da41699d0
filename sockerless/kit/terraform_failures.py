"""Terraform's failures as one sentence each: the resource, the reason, the fix, and where the whole log is.

Owns: the table of known reasons. Knows no process. Source: what the AWS provider 5.x and Terraform 1.5 to 1.11 print;
Service Quotas' codes.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from sockerless import errors
from sockerless.kit.events import Diagnostic

_REQUEST = re.compile(r"operation error [^,]*, (?:https response error )?StatusCode: \d+, RequestID: [^,]*, ")
_AWS_CODE = re.compile(r"\bapi error (\w+): ")
_LOCK = re.compile(r"\bID: +(?P<id>\S+).*?\bWho: +(?P<who>\S+).*?\bCreated: +(?P<created>[^.]+)", re.DOTALL)
_NOISE = re.compile(
    r" ?Encoded authorization failure message: \S+|Please see https://registry\S+ for more information about providing "
    r"credentials\. (?:Error: )?"
)
"""What nobody can read, and what the fix says better."""
_MOST_CHARACTERS = 600


class Known(NamedTuple):
    """A reason we know: words in the diagnostic (a regular expression), the class of failure, the fix."""

    words: str
    kind: type[errors.SockerlessError]
    fix: str


QUOTAS = (
    ("VpcLimitExceeded", "VPCs", "L-F678F1CE"),
    ("AddressLimitExceeded", "elastic IP addresses", "L-0263D0A3"),
    ("NatGatewayLimitExceeded", "NAT gateways of the zone", "L-FE5A380F"),
    ("InternetGatewayLimitExceeded", "internet gateways", "L-A4707A72"),
    ("SecurityGroupLimitExceeded", "security groups", "L-E79EC296"),
)
"""AWS's code when a quota is used up or zero, what it counts, and the quota's own code."""
KNOWN: tuple[Known, ...] = (
    Known(
        "Error acquiring the state lock",
        errors.Conflict,
        "another terraform works on this deployment: wait until it has ended; if it was killed, "
        "`sockerless-kit state unlock` frees it",
    ),
    Known(
        "No valid credential sources|failed to refresh cached credentials|no EC2 IMDS role|get shared config profile",
        errors.Unauthorized,
        "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or sign in with `aws sso login`",
    ),
    Known(
        "[Ii]nvalid AWS Region|OptInRequired|is not a valid region",
        errors.InvalidParameter,
        "name a region in sockerless.toml that exists and is enabled for the account",
    ),
    Known(
        "ExpiredToken|InvalidClientTokenId|UnrecognizedClientException|SignatureDoesNotMatch|AuthFailure|InvalidAccessKeyId",
        errors.Unauthorized,
        "the AWS credentials are wrong or expired, or the region is not enabled for their account: renew them; "
        "`aws sts get-caller-identity` shows whether they work",
    ),
    Known(
        "AccessDenied|UnauthorizedOperation|not authorized to perform",
        errors.Forbidden,
        "let whoever runs this do it (`sockerless-kit iam deployer` prints all that is needed), then run the same "
        "command again",
    ),
    *(
        Known(code, errors.Conflict, f"delete one that is not needed, or ask for more {what} (Service Quotas {quota})")
        for code, what, quota in QUOTAS
    ),
    Known(
        "LimitExceeded|QuotaExceeded|VcpuLimit",
        errors.Conflict,
        "an AWS quota is used up: delete what is not needed, or ask for more in Service Quotas, then run it again",
    ),
    Known(
        "AlreadyExists|already exists|InvalidGroup.Duplicate",
        errors.Conflict,
        "it is there already and not in terraform's state: choose another name in sockerless.toml, or, if an apply "
        "that was broken off made it, run `sockerless-kit apply --adopt`",
    ),
    Known(
        "RepositoryNotEmptyException",
        errors.Conflict,
        "the repository holds images: set deletion_protection = false in sockerless.toml, apply, and destroy again",
    ),
    Known(
        "DependencyViolation",
        errors.Conflict,
        "something made outside this deployment still uses its network: remove it and run the same command again",
    ),
    Known("Saved plan is stale", errors.Conflict, "the deployment changed since the plan was made: run it again"),
    Known(
        "InvalidSubnet.Conflict|conflicts with another subnet|CidrConflict",
        errors.InvalidParameter,
        "its range overlaps with another: choose another network_cidr in sockerless.toml",
    ),
    Known(
        "InvalidParameterValue.*CIDR|InvalidVpc.Range|InvalidSubnet",
        errors.InvalidParameter,
        "choose another network_cidr in sockerless.toml",
    ),
    Known(
        "precondition failed|Invalid value for variable",
        errors.InvalidParameter,
        "change it in sockerless.toml, then run the same command again",
    ),
    Known(
        "available provider packages|[Ff]ailed to install provider|registry.terraform.io|no available releases match",
        errors.Unavailable,
        "give terraform the AWS provider from a local mirror with --plugin-dir or SOCKERLESS_TERRAFORM_PLUGIN_DIR",
    ),
    Known(
        "connection refused|no such host|i/o timeout|connection reset|no route to host|context deadline exceeded",
        errors.Unavailable,
        "AWS, or the simulated AWS, cannot be reached: check the network, the region and endpoint_url",
    ),
)
_UNKNOWN = Known(
    "", errors.SystemFailure, "run the same command again; what was made so far is kept and not made twice"
)


def failure(command: str, diagnostics: Sequence[Diagnostic], text: str, log_path: Path) -> errors.SockerlessError:
    """The failure of `terraform COMMAND`: from its diagnostics, or, where it gave none, from the text it wrote."""
    serious = [one for one in diagnostics if one.severity == "error"] or _from_text(text)
    if not serious:
        return errors.SystemFailure(f"terraform {command} ended without a reason; its log is {log_path}")
    first = serious[0]
    reason = _reason(first)
    known = next((one for one in KNOWN if re.search(one.words, f"{first.summary} {first.detail}")), _UNKNOWN)
    more = f" ({len(serious) - 1} more in the log)" if len(serious) > 1 else ""
    where = f" at {first.address or first.place}" if first.address or first.place else ""
    sentence = f"terraform {command} failed{where}: {reason}{more}; {known.fix}; the whole log is {log_path}"
    return known.kind(sentence, refused_by="Terraform")


def _reason(found: Diagnostic) -> str:
    """The diagnostic in one line, without request ids; of a lock only who holds it."""
    if "state lock" in found.summary and (lock := _LOCK.search(found.detail)):
        return f"{found.summary}, held by {lock['who']} since {lock['created']} (ID {lock['id']})"
    told = found.summary if not found.detail or found.detail in found.summary else f"{found.summary}: {found.detail}"
    line = _AWS_CODE.sub(r"\1: ", _REQUEST.sub("", _NOISE.sub("", " ".join(told.split()))))
    return (line[:_MOST_CHARACTERS] + "…" if len(line) > _MOST_CHARACTERS else line).rstrip(".")


def _from_text(text: str) -> list[Diagnostic]:
    """Errors from output for people: a line "Error: SUMMARY", then the detail up to the next one."""
    blocks = re.split(r"^Error: ", text, flags=re.MULTILINE)[1:]
    return [_from_block(block) for block in blocks]


def _from_block(block: str) -> Diagnostic:
    summary, _, detail = block.partition("\n\n")
    return Diagnostic("error", " ".join(summary.split()), detail.split("\n\n")[0], "", "")
