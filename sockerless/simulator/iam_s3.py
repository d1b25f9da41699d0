"""IAM in front of S3, whose requests moto serves without calling an action by name.

Source: moto 5.2, s3/responses.py, whose every handler first calls the method replaced here; core/routing.py.
"""

from __future__ import annotations

from moto.s3.exceptions import S3ClientError
from moto.s3.responses import S3Response

from sockerless.simulator.hooks import Hooks, access_key_id
from sockerless.simulator.iam_gate import authorise
from sockerless.simulator.iam_targets import Call


def call_of(response: S3Response, bucket: str | None, key: str | None) -> Call:
    """The call by botocore's name of it: moto's own names leave some apart (encryption counts as CreateBucket)."""
    operation = response._get_action_from_method_and_request_uri(response.normalized_request)
    key = "*" if operation == "DeleteObjects" else key  # its keys stand in the body: all must be allowed
    given = {name: value for name, value in (("Bucket", bucket), ("Key", key)) if value}
    return Call("s3", str(operation), given, response.current_account, response.region)


def install(hooks: Hooks) -> None:
    """Serves an S3 request only when its caller's policies allow it."""

    def refuse(response: S3Response, bucket_name: str | None = None, key_name: str | None = None) -> None:
        call = call_of(response, bucket_name, key_name)
        denial = authorise(call, access_key_id(response), response.headers.get("X-Amz-Security-Token", ""))
        if denial:
            raise S3ClientError(denial.code, denial.message)

    hooks.replace(S3Response, "_authenticate_and_authorize_s3_action", refuse)
