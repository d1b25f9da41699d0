"""The bucket of terraform's state, against moto: what it is like, and who may have it."""

from __future__ import annotations

import json

import pytest

from sockerless import errors
from sockerless.aws import s3
from sockerless.aws.session import Aws
from tests.aws.conftest import REGION

ACCOUNT = "123456789012"


async def make(aws: Aws, bucket: str) -> None:
    await s3.create_private_bucket(aws, bucket, ACCOUNT, REGION, "aws", {"team": "platform"})


async def test_a_bucket_is_there_once_it_was_made(aws: Aws) -> None:
    assert not await s3.bucket_exists(aws, "ours", ACCOUNT)
    await make(aws, "ours")
    assert await s3.bucket_exists(aws, "ours", ACCOUNT)


async def test_it_is_private_versioned_encrypted_and_reached_by_tls_only(aws: Aws) -> None:
    await make(aws, "careful")
    closed = await aws.call("s3", "GetPublicAccessBlock", Bucket="careful")
    assert set(closed["PublicAccessBlockConfiguration"].values()) == {True}
    owned = await aws.call("s3", "GetBucketOwnershipControls", Bucket="careful")
    assert owned["OwnershipControls"]["Rules"] == [{"ObjectOwnership": "BucketOwnerEnforced"}]
    assert (await aws.call("s3", "GetBucketVersioning", Bucket="careful"))["Status"] == "Enabled"
    encrypted = await aws.call("s3", "GetBucketEncryption", Bucket="careful")
    [rule] = encrypted["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256"
    policy = json.loads((await aws.call("s3", "GetBucketPolicy", Bucket="careful"))["Policy"])
    [statement] = policy["Statement"]
    assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert statement["Resource"] == ["arn:aws:s3:::careful", "arn:aws:s3:::careful/*"]
    [forgetting] = (await aws.call("s3", "GetBucketLifecycleConfiguration", Bucket="careful"))["Rules"]
    assert forgetting["NoncurrentVersionExpiration"] == {"NoncurrentDays": 90}
    tags = await aws.call("s3", "GetBucketTagging", Bucket="careful")
    assert tags["TagSet"] == [{"Key": "team", "Value": "platform"}]
    place = await aws.call("s3", "GetBucketLocation", Bucket="careful")
    assert place["LocationConstraint"] == REGION


async def test_an_object_is_read_and_one_that_is_not_there_is_not_found(aws: Aws) -> None:
    place = {"LocationConstraint": REGION}
    await aws.call("s3", "CreateBucket", Bucket="plain", CreateBucketConfiguration=place)
    await aws.call("s3", "PutObject", Bucket="plain", Key="x", Body=b"content")
    assert await s3.read_object(aws, "plain", "x") == b"content"
    for bucket, key in (("plain", "y"), ("nowhere-at-all", "x")):
        with pytest.raises(errors.NotFound):
            await s3.read_object(aws, bucket, key)


async def test_it_is_made_again_without_harm(aws: Aws) -> None:
    await make(aws, "twice")
    await make(aws, "twice")
    assert await s3.bucket_exists(aws, "twice", ACCOUNT)
