"""AWS's codes and botocore's exceptions, as the class of failure and the sentence a person gets."""

from __future__ import annotations

import pytest
from botocore import exceptions as boto

from sockerless import errors
from sockerless.aws.failures import disguised_throttle, refused, unreached


def _answer(code: str, message: str, status: int = 400) -> boto.ClientError:
    return boto.ClientError(
        {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}, "X"
    )


DENIED = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: role/x"


@pytest.mark.parametrize(
    ("service", "operation", "code", "message", "status", "kind", "words"),
    [
        ("ecs", "RunTask", "ExpiredTokenException", "The security token expired", 400, errors.Unauthorized, "renew"),
        ("ec2", "DescribeVpcs", "RequestExpired", "Request has expired.", 400, errors.Unauthorized, "renew"),
        ("ecs", "RunTask", "UnrecognizedClientException", "invalid", 400, errors.Unauthorized, "does not know these"),
        ("sts", "GetCallerIdentity", "InvalidClientTokenId", "bad", 403, errors.Unauthorized, "does not know these"),
        ("ecs", "RunTask", "InvalidSignatureException", "Signature expired", 400, errors.Unauthorized, "clock"),
        ("ecs", "RunTask", "AccessDeniedException", DENIED, 400, errors.Forbidden, "grant iam:PassRole to"),
        ("ecs", "RunTask", "AccessDeniedException", "no", 400, errors.Forbidden, "grant ecs:RunTask to"),
        (
            "efs",
            "DescribeAccessPoints",
            "AccessDeniedException",
            "no",
            403,
            errors.Forbidden,
            "grant elasticfilesystem:DescribeAccessPoints to",
        ),
        (
            "ec2",
            "DescribeVpcs",
            "UnauthorizedOperation",
            "You are not authorized to perform this operation.",
            403,
            errors.Forbidden,
            "grant ec2:DescribeVpcs to",
        ),
        ("s3", "HeadBucket", "403", "Forbidden", 403, errors.Forbidden, "grant s3:ListBucket to"),
        ("s3", "HeadBucket", "404", "Not Found", 404, errors.NotFound, "s3:HeadBucket failed"),
        ("s3", "GetObject", "NoSuchKey", "no", 404, errors.NotFound, "NoSuchKey"),
        ("s3", "HeadBucket", "301", "Moved Permanently", 301, errors.InvalidParameter, "in another region"),
        ("s3", "CreateBucket", "BucketAlreadyExists", "taken", 409, errors.Conflict, "taken"),
        ("ecs", "RunTask", "ThrottlingException", "Rate exceeded", 400, errors.Unavailable, "AWS limits how often"),
        ("ec2", "X", "RequestLimitExceeded", "Request limit exceeded.", 503, errors.Unavailable, "AWS limits"),
        ("ecs", "RunTask", "LimitExceededException", "too many", 400, errors.Unavailable, "a limit of the AWS account"),
        (
            "ecs",
            "RunTask",
            "ClientException",
            "You've reached the limit on the number of vCPUs you can run concurrently",
            400,
            errors.Unavailable,
            "quota L-3032A538",
        ),
        ("ecs", "RunTask", "ServerException", "oops", 500, errors.Unavailable, "try again"),
        ("ecs", "RunTask", "SomethingElse", "oops", 502, errors.Unavailable, "try again"),
        ("ecs", "RunTask", "SomethingElse", "oops", 400, errors.SystemFailure, "oops (SomethingElse)"),
        (
            "ecs",
            "StopTask",
            "InvalidParameterException",
            "The referenced task was not found.",
            400,
            errors.NotFound,
            "The referenced task was not found",
        ),
        (
            "ecs",
            "RunTask",
            "ClusterNotFoundException",
            "Cluster not found.",
            400,
            errors.SystemFailure,
            "sockerless-kit apply",
        ),
        ("efs", "X", "AccessPointNotFound", "no such", 404, errors.NotFound, "no such"),
        ("ec2", "X", "InvalidNetworkInterfaceID.NotFound", "no such", 400, errors.NotFound, "no such"),
        ("logs", "GetLogEvents", "ResourceNotFoundException", "no such", 400, errors.NotFound, "no such"),
        ("ecs", "RunTask", "ConflictException", "token was used", 400, errors.Conflict, "token was used"),
        (
            "ecs",
            "RunTask",
            "InvalidParameterException",
            "The subnet ID 'subnet-1' does not exist",
            400,
            errors.InvalidParameter,
            "subnet-1",
        ),
        (
            "ecs",
            "RegisterTaskDefinition",
            "ClientException",
            "No Fargate configuration exists for given values.",
            400,
            errors.InvalidParameter,
            "No Fargate configuration",
        ),
        ("ecs", "RunTask", "PlatformUnknownException", "unknown", 400, errors.InvalidParameter, "unknown"),
        ("ecs", "RunTask", "BlockedException", "blocked", 400, errors.Forbidden, "ask AWS"),
        ("ecs", "RunTask", "com.amazonaws.ecs#ServerException", "oops", 500, errors.Unavailable, "(ServerException)"),
    ],
)
def test_a_code_becomes_its_class_and_a_sentence_with_the_fix(
    service: str, operation: str, code: str, message: str, status: int, kind: type[errors.SockerlessError], words: str
) -> None:
    failure = refused(service, operation, _answer(code, message, status))
    assert (type(failure), failure.refused_by) == (kind, "AWS")
    assert words in failure.message
    assert f":{operation} failed: {message.rstrip('.')}" in failure.message


def test_an_answer_without_code_and_message_still_names_the_call() -> None:
    failure = refused("ecs", "RunTask", boto.ClientError({}, "RunTask"))
    assert (type(failure), failure.message) == (
        errors.SystemFailure,
        "ecs:RunTask failed: no reason given (Unknown)",
    )


@pytest.mark.parametrize(
    ("code", "message", "disguised"),
    [
        (
            "InvalidParameterException",
            "Error retrieving subnet information for [subnet-1]: Rate exceeded (ErrorCode: Throttling)",
            True,
        ),
        (
            "InvalidParameterException",
            "Error retrieving security group information for [sg-1]: Request limit exceeded. "
            "(ErrorCode: RequestLimitExceeded)",
            True,
        ),
        ("InvalidParameterException", "Error retrieving subnet information for [subnet-1]: not found", False),
        ("ClientException", "Rate exceeded", False),
    ],
)
def test_a_throttle_disguised_as_a_wrong_parameter_is_told_by_its_message(
    code: str, message: str, disguised: bool
) -> None:
    error = _answer(code, message)
    assert disguised_throttle(error) is disguised
    assert isinstance(refused("ecs", "RunTask", error), errors.Unavailable) is disguised


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (boto.EndpointConnectionError(endpoint_url="http://h:1"), errors.Unavailable, "is AWS reachable"),
        (boto.ConnectTimeoutError(endpoint_url="http://h:1"), errors.Unavailable, "is AWS reachable"),
        (boto.ReadTimeoutError(endpoint_url="http://h:1"), errors.Unavailable, "is AWS reachable"),
        (boto.ConnectionClosedError(endpoint_url="http://h:1"), errors.Unavailable, "is AWS reachable"),
        (boto.SSLError(endpoint_url="http://h:1", error="certificate"), errors.Unavailable, "certificate"),
        (boto.NoCredentialsError(), errors.Unauthorized, "AWS_PROFILE"),
        (boto.ProfileNotFound(profile="work"), errors.Unauthorized, "work"),
        (boto.PartialCredentialsError(provider="env", cred_var="X"), errors.Unauthorized, "AWS_PROFILE"),
        (boto.CredentialRetrievalError(provider="p", error_msg="m"), errors.Unauthorized, "AWS_PROFILE"),
        (boto.UnauthorizedSSOTokenError(), errors.Unauthorized, "AWS_PROFILE"),
        (boto.ParamValidationError(report="Missing required parameter"), errors.SystemFailure, "Missing required"),
    ],
)
def test_a_call_that_got_no_answer_says_why_and_what_to_do(
    error: boto.BotoCoreError, kind: type[errors.SockerlessError], words: str
) -> None:
    failure = unreached("ecs", "RunTask", error, "")
    assert type(failure) is kind
    assert failure.message.startswith("ecs:RunTask failed: ")
    assert words in failure.message


def test_an_unreachable_simulator_is_named_with_the_variable_that_points_at_it() -> None:
    failure = unreached("ecs", "RunTask", boto.EndpointConnectionError(endpoint_url="http://h:1"), "http://h:1")
    assert "is http://h:1 (SOCKERLESS_ENDPOINT_URL) up?" in failure.message
