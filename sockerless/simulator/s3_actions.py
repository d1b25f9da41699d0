"""What S3's requests pass before moto serves them: counting, injected faults, the expected owner, the bucket's policy.

Its requests do not go through the gate of the other services: moto serves them without calling an action by name. A
bucket's policy is evaluated with its conditions (moto takes a statement whose condition does not hold for a denial);
a connection to this simulator counts as TLS: it never leaves the machine.
Source: Amazon S3 API reference (x-amz-expected-bucket-owner); moto 5.2, s3/responses.py, s3/models.py (FakeBucket).
"""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.iam.access_control import PermissionResult
from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response

from sockerless.simulator import iam_s3
from sockerless.simulator.calls import Calls
from sockerless.simulator.faults import Faults
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.iam_policy import Decision, Request, decide

_FORBIDDEN = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_RESULTS = {
    Decision.ALLOWED: PermissionResult.PERMITTED,
    Decision.DENIED: PermissionResult.DENIED,
    Decision.SILENT: PermissionResult.NEUTRAL,
}


def _check_owner(response: S3Response, bucket: str | None) -> None:
    expected = response.headers.get("X-Amz-Expected-Bucket-Owner")
    _, owner = s3_backends.bucket_accounts.get(bucket or "", ("", expected))
    if expected is not None and expected != owner:
        raise S3ClientError("AccessDenied", "Access Denied")


def _permission(bucket: FakeBucket, action: str, resource: str) -> PermissionResult:
    if bucket.policy is None:
        return PermissionResult.NEUTRAL
    request = Request(action, resource, {"aws:securetransport": ("true",)})
    return _RESULTS[decide([bucket.policy.decode()], request)]


def install(hooks: Hooks, calls: Calls, faults: Faults) -> None:
    """Serves S3 as this simulator does; after iam_s3, whose check comes last."""

    def pass_gate(response: S3Response, bucket_name: str | None = None, key_name: str | None = None) -> None:
        operation = iam_s3.call_of(response, bucket_name, key_name).operation
        calls.record("s3", operation)
        fault = faults.take("error", f"s3.{operation}")
        if fault:
            raise S3ClientError(fault.code, fault.reason or "Injected by the simulator")
        _check_owner(response, bucket_name)
        authorize(response, bucket_name=bucket_name, key_name=key_name)

    def serialized(response: S3Response, action_result: ActionResult) -> Any:
        status, headers, body = serialize(response, action_result)
        error = action_result.result
        return 403 if isinstance(error, S3ClientError) and error.code in _FORBIDDEN else status, headers, body

    authorize = hooks.replace(S3Response, "_authenticate_and_authorize_s3_action", pass_gate)
    authorize = authorize or super(S3Response, S3Response)._authenticate_and_authorize_s3_action
    serialize = hooks.replace(S3Response, "serialized", serialized)
    serialize = serialize or super(S3Response, S3Response).serialized
    hooks.replace(FakeBucket, "get_permission", _permission)
