"""Service Quotas: how many vCPUs Fargate lets the account use at a time."""

from __future__ import annotations

from sockerless import errors
from sockerless.aws.session import Aws

ON_DEMAND_VCPUS = "L-3032A538"
SPOT_VCPUS = "L-36FBB829"
_FARGATE = "fargate"


async def fargate_vcpus(aws: Aws, code: str) -> float:
    """The quota of this code in the region: what the account was granted, or AWS's default where that was never set."""
    asked = {"ServiceCode": _FARGATE, "QuotaCode": code}
    try:
        answer = await aws.call("service-quotas", "GetServiceQuota", **asked)
    except errors.NotFound:
        answer = await aws.call("service-quotas", "GetAWSDefaultServiceQuota", **asked)
    return float(answer["Quota"]["Value"])
