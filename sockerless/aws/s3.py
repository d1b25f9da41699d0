"""S3: the bucket that terraform's state lies in, and the object that holds it.

Owns: what a bucket of ours looks like. Law: a bucket that belongs to another account is never read or written
(ExpectedBucketOwner). Source: Amazon S3 API reference; IAM user guide, "aws:SecureTransport".
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from sockerless import errors
from sockerless.aws.session import Aws, answer_of
from sockerless.types import JsonObject

OLD_VERSIONS_DAYS = 90
"""How long a version that was replaced, and a lock that was freed, can still be had."""
_NO_LOCATION = "us-east-1"
"""CreateBucket takes no LocationConstraint for this region."""


async def bucket_exists(aws: Aws, bucket: str, owner: str) -> bool:
    """Whether the account owner (12 digits) has this bucket; errors.Forbidden when another account has it."""
    try:
        await aws.call("s3", "HeadBucket", Bucket=bucket, ExpectedBucketOwner=owner)
    except errors.NotFound:
        return False
    return True


async def create_private_bucket(
    aws: Aws, bucket: str, owner: str, region: str, partition: str, tags: Mapping[str, str]
) -> None:
    """Makes the bucket: versioned, encrypted, without ACLs, closed to the public, reached by TLS only.

    Does again what was done already, so that it may be interrupted. errors.Conflict when another account has the name.
    """
    await _create(aws, bucket, region)
    whose = {"Bucket": bucket, "ExpectedBucketOwner": owner}
    for operation, parameters in _settings(bucket, partition, tags).items():
        await aws.call("s3", operation, **whose, **parameters)


async def read_object(aws: Aws, bucket: str, key: str) -> bytes:
    """The object's bytes; errors.NotFound when there is none, or no such bucket."""
    answer = await aws.call("s3", "GetObject", Bucket=bucket, Key=key)
    content: bytes = await asyncio.to_thread(answer["Body"].read)
    return content


async def _create(aws: Aws, bucket: str, region: str) -> None:
    place = {} if region == _NO_LOCATION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    try:
        await aws.call("s3", "CreateBucket", Bucket=bucket, ObjectOwnership="BucketOwnerEnforced", **place)
    except errors.Conflict as conflict:
        if answer_of(conflict).get("Error", {}).get("Code") != "BucketAlreadyOwnedByYou":
            raise


def _settings(bucket: str, partition: str, tags: Mapping[str, str]) -> dict[str, JsonObject]:
    """The operations that make a fresh bucket ours, each with its parameters; the public is shut out first."""
    closed = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
    encrypted = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    return {
        "PutPublicAccessBlock": {"PublicAccessBlockConfiguration": closed},
        "PutBucketOwnershipControls": {"OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}},
        "PutBucketPolicy": {"Policy": json.dumps(_tls_only(f"arn:{partition}:s3:::{bucket}"))},
        "PutBucketEncryption": {"ServerSideEncryptionConfiguration": {"Rules": [encrypted]}},
        "PutBucketVersioning": {"VersioningConfiguration": {"Status": "Enabled"}},
        "PutBucketLifecycleConfiguration": {"LifecycleConfiguration": {"Rules": [_forgetting()]}},
        "PutBucketTagging": {"Tagging": {"TagSet": [{"Key": key, "Value": value} for key, value in tags.items()]}},
    }


def _tls_only(arn: str) -> JsonObject:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "DenyWithoutTLS",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [arn, f"{arn}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }


def _forgetting() -> dict[str, Any]:
    """Each run of terraform leaves an old version of the state and of its lock."""
    return {
        "ID": "old-versions",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "NoncurrentVersionExpiration": {"NoncurrentDays": OLD_VERSIONS_DAYS},
        "Expiration": {"ExpiredObjectDeleteMarker": True},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
