"""S3 as the bucket of terraform's state needs it: conditional writes, the bucket's policy, its owner, faults."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.server import Simulator

from .conftest import Account

POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": ["arn:aws:s3:::states", "arn:aws:s3:::states/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}


@pytest.fixture
def s3(simulator: Simulator) -> Iterator[Any]:
    client = Account(simulator.endpoint_url).client("s3")
    client.create_bucket(Bucket="states")
    client.put_bucket_versioning(Bucket="states", VersioningConfiguration={"Status": "Enabled"})
    yield client
    for version in client.list_object_versions(Bucket="states").get("Versions", []):
        client.delete_object(Bucket="states", Key=version["Key"], VersionId=version["VersionId"])
    for marker in client.list_object_versions(Bucket="states").get("DeleteMarkers", []):
        client.delete_object(Bucket="states", Key=marker["Key"], VersionId=marker["VersionId"])
    client.delete_bucket(Bucket="states")


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def lock(s3: Any) -> None:
    s3.put_object(Bucket="states", Key="x.tflock", Body=b"{}", IfNoneMatch="*")


def test_an_object_is_written_only_where_none_is(s3: Any) -> None:
    lock(s3)
    with pytest.raises(ClientError) as refused:
        lock(s3)
    assert code(refused) == "PreconditionFailed"
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 412


def test_one_that_was_deleted_counts_as_none_in_a_versioned_bucket_too(s3: Any) -> None:
    lock(s3)
    s3.delete_object(Bucket="states", Key="x.tflock")
    lock(s3)


def test_a_policy_that_denies_what_is_not_tls_denies_nothing_here(s3: Any) -> None:
    s3.put_bucket_policy(Bucket="states", Policy=json.dumps(POLICY))
    s3.put_object(Bucket="states", Key="x", Body=b"x")
    assert s3.get_object(Bucket="states", Key="x")["Body"].read() == b"x"


def test_a_policy_that_denies_is_kept(s3: Any) -> None:
    denying = json.loads(json.dumps(POLICY).replace('"false"', '"true"'))
    s3.put_bucket_policy(Bucket="states", Policy=json.dumps(denying))
    with pytest.raises(ClientError) as refused:
        s3.put_object(Bucket="states", Key="x", Body=b"x")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403
    s3.delete_bucket_policy(Bucket="states")


def test_another_owner_than_the_expected_one_is_denied(s3: Any) -> None:
    s3.head_bucket(Bucket="states", ExpectedBucketOwner="123456789012")
    with pytest.raises(ClientError) as refused:
        s3.head_bucket(Bucket="states", ExpectedBucketOwner="210987654321")
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 403


def test_faults_strike_s3_and_its_calls_are_counted(simulator: Simulator, s3: Any) -> None:
    before = simulator.calls.counts()["s3"].get("ListObjectsV2", 0)
    simulator.faults.inject({"kind": "error", "target": "s3.ListObjectsV2", "code": "AccessDenied", "reason": "no"})
    with pytest.raises(ClientError) as refused:
        s3.list_objects_v2(Bucket="states")
    assert code(refused) == "AccessDenied"
    assert s3.list_objects_v2(Bucket="states")["KeyCount"] == 0
    assert simulator.calls.counts()["s3"]["ListObjectsV2"] == before + 2
