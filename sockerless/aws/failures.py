"""What AWS and botocore fail with, as errors.* whose sentence says what failed, AWS's reason and the fix.

Owns the table of error codes; session.py is its one caller. Knows no operation's meaning: a file per service does.
Source: botocore's models and retry tables; the ECS API reference's common errors. Codes are an open set: what is not
in the table is a SystemFailure with AWS's own words.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from botocore import exceptions as boto
from botocore.exceptions import BotoCoreError, ClientError

from sockerless import errors
from sockerless.config import FILL_COMMAND

_RENEW = "renew the AWS credentials in use"
_AGAIN = "try again later"


@dataclass(frozen=True, slots=True)
class _Rule:
    """Codes (a whole-match pattern), words the message must contain, the class of failure and its fix."""

    codes: str
    kind: type[errors.SockerlessError]
    fix: str = ""
    words: str = ""


_RULES = (
    _Rule(
        ".*",
        errors.Unavailable,
        "ask AWS to raise quota L-3032A538 (on Spot: L-36FBB829)",
        words="vCPUs you can run concurrently",
    ),
    _Rule("InvalidParameterException", errors.NotFound, words="referenced task was not found"),
    _Rule(
        "ClusterNotFoundException",
        errors.SystemFailure,
        f"run `{FILL_COMMAND}`, or name an existing cluster in SOCKERLESS_ECS_CLUSTER",
    ),
    _Rule(
        r"AWS\.SimpleQueueService\.NonExistentQueue|QueueDoesNotExist",
        errors.NotFound,
        f"run `{FILL_COMMAND}`, or correct SOCKERLESS_EVENTS_QUEUE_URL",
    ),
    _Rule("ExpiredToken(Exception)?|RequestExpired|TokenRefreshRequired", errors.Unauthorized, _RENEW),
    _Rule(
        "InvalidSignatureException|SignatureDoesNotMatch|RequestTimeTooSkewed|IncompleteSignature(Exception)?",
        errors.Unauthorized,
        "check the secret access key and this machine's clock",
    ),
    _Rule(
        "InvalidClientTokenId|UnrecognizedClientException|InvalidAccessKeyId|AuthFailure|"
        "MissingAuthenticationToken(Exception)?",
        errors.Unauthorized,
        "AWS does not know these credentials; " + _RENEW,
    ),
    _Rule(
        r"(KMS\.)?AccessDenied(Exception)?|UnauthorizedOperation|UnauthorizedException|AuthorizationError(Exception)?|403",
        errors.Forbidden,
        "grant {action} to whoever these credentials belong to",
    ),
    _Rule("OptInRequired|BlockedException", errors.Forbidden, "the AWS account may not use this service; ask AWS"),
    _Rule(
        r"Thrott.*|.*Throttl.*|RequestLimitExceeded|TooManyRequests(Exception)?|SlowDown",
        errors.Unavailable,
        "AWS limits how often this may be asked; " + _AGAIN,
    ),
    _Rule(".*LimitExceeded(Exception)?", errors.Unavailable, "a limit of the AWS account is reached; ask AWS for more"),
    _Rule("Service.?Unavailable(Exception)?|ServerException|Internal.*|50[0-9]", errors.Unavailable, _AGAIN),
    _Rule(
        "301|PermanentRedirect|AuthorizationHeaderMalformed|IllegalLocationConstraintException",
        errors.InvalidParameter,
        "the bucket is in another region",
    ),
    _Rule(".*NotFound(Exception)?|NoSuch.*|404", errors.NotFound),
    _Rule("DependencyViolation", errors.Conflict, "something still uses it"),
    _Rule("ConflictException|.*InUse(Exception)?|.*AlreadyExists(Exception)?|BucketAlreadyOwnedByYou", errors.Conflict),
    _Rule(
        "Invalid.*|Missing.*|Validation.*|ClientException|BadRequest|PlatformUnknownException|.*Incompatib.*|Unsupported.*",
        errors.InvalidParameter,
    ),
)

_CREDENTIALS = (
    boto.NoCredentialsError,
    boto.PartialCredentialsError,
    boto.CredentialRetrievalError,
    boto.ProfileNotFound,
    boto.TokenRetrievalError,
    boto.MetadataRetrievalError,
    boto.SSOError,
)
_NETWORK = (boto.HTTPClientError, boto.ConnectionError)
_IAM_PREFIX = {"efs": "elasticfilesystem", "resourcegroupstaggingapi": "tag"}
_IAM_ACTION = {
    ("s3", "HeadBucket"): "s3:ListBucket",
    ("s3", "PutPublicAccessBlock"): "s3:PutBucketPublicAccessBlock",
    ("s3", "PutBucketEncryption"): "s3:PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "s3:PutLifecycleConfiguration",
}
"""The permission an operation needs, where it is not called as the operation is."""
_DENIED_ACTION = re.compile(r"perform:? ([a-z0-9-]+:[A-Za-z]+)")
_DISGUISED_THROTTLE = re.compile(r"Rate exceeded|ErrorCode: (Throttling|RequestLimitExceeded)|Request limit exceeded")


def disguised_throttle(error: ClientError) -> bool:
    """True when AWS reports a throttled call of its own as our wrong parameter; botocore then does not retry."""
    details = error.response.get("Error", {})
    return details.get("Code") == "InvalidParameterException" and bool(
        _DISGUISED_THROTTLE.search(details.get("Message", ""))
    )


def refused(service: str, operation: str, error: ClientError) -> errors.SockerlessError:
    """The failure an AWS answer means. service: boto3's name ("ecs"); operation: AWS's ("RunTask")."""
    details = error.response.get("Error", {})
    code = str(details.get("Code", "")).rpartition("#")[2] or "Unknown"
    message = str(details.get("Message", "")).strip().rstrip(".") or "no reason given"
    action = f"{_IAM_PREFIX.get(service, service)}:{operation}"
    said = f"{action} failed: {message} ({code})"
    if disguised_throttle(error):
        return errors.Unavailable(f"{said}; {_AGAIN}", refused_by="AWS")
    rule = _rule(code, message, error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    denied = _DENIED_ACTION.search(message)
    needed = denied[1] if denied else _IAM_ACTION.get((service, operation), action)
    fix = rule.fix.format(action=needed)
    return rule.kind(f"{said}; {fix}" if fix else said, refused_by="AWS")


def unreached(service: str, operation: str, error: BotoCoreError, endpoint_url: str) -> errors.SockerlessError:
    """The failure of a call that got no answer. endpoint_url: the configured one, empty for AWS itself."""
    said = f"{_IAM_PREFIX.get(service, service)}:{operation} failed: {str(error).rstrip('.')}"
    if isinstance(error, _NETWORK):
        place = f"is {endpoint_url} (SOCKERLESS_ENDPOINT_URL) up?" if endpoint_url else "is AWS reachable from here?"
        return errors.Unavailable(f"{said}; {place}")
    if isinstance(error, _CREDENTIALS):
        return errors.Unauthorized(
            f"{said}; give the daemon AWS credentials: AWS_PROFILE, AWS_ACCESS_KEY_ID with AWS_SECRET_ACCESS_KEY, "
            "or a role of this machine"
        )
    return errors.SystemFailure(said)


def _rule(code: str, message: str, status: int) -> _Rule:
    for rule in _RULES:
        if re.fullmatch(rule.codes, code) and rule.words in message:
            return rule
    return _Rule("", errors.Unavailable, _AGAIN) if status >= 500 else _Rule("", errors.SystemFailure)
