"""The rows of iam_targets.py for what keeps bytes: ECR, EFS, S3. Source: Service Authorization Reference."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockerless.simulator import iam_lookups as lookups
from sockerless.simulator.iam_targets import Call, Check, Row, Target, arn, rows


def _key_of(call: Call, path: str, actions: str, via: str) -> Iterable[Check]:
    """What a service does with the caller's own permissions when it is given a customer key."""
    keys = {"kms:ViaService": (f"{via}.{call.region}.amazonaws.com",), "aws:ViaAWSService": ("true",)}
    for key in call.find(path):
        for action in actions.split():
            granting = {"kms:GrantIsForAWSResource": ("true",)} if action == "CreateGrant" else {}
            yield Check(f"kms:{action}", arn(call, "kms:key", key), keys | granting, "kms:key", key.rpartition("/")[2])


def _repository_key(call: Call) -> Iterable[Check]:
    return _key_of(call, "encryptionConfiguration.kmsKey", "DescribeKey CreateGrant RetireGrant", "ecr")


def _file_system_key(call: Call) -> Iterable[Check]:
    actions = "DescribeKey CreateGrant GenerateDataKeyWithoutPlaintext"
    return _key_of(call, "KmsKeyId", actions, "elasticfilesystem")


_REPOSITORY = Target("ecr:repository", "repositoryName")
_ECR = {
    **rows("ecr", "CreateRepository", _REPOSITORY, tag="ecr:TagResource", more=_repository_key),
    **rows("ecr", "DescribeRepositories", Target("ecr:repository", "repositoryNames")),
    **rows(
        "ecr",
        "BatchCheckLayerAvailability BatchDeleteImage BatchGetImage BatchImportUpstreamImage "
        "CompleteLayerUpload DeleteLifecyclePolicy DeleteRepository DeleteRepositoryPolicy DescribeImages "
        "DescribeImageScanFindings GetDownloadUrlForLayer GetLifecyclePolicy GetRepositoryPolicy "
        "InitiateLayerUpload ListImages PutImage PutImageScanningConfiguration PutImageTagMutability "
        "PutLifecyclePolicy SetRepositoryPolicy StartImageScan UploadLayerPart",
        _REPOSITORY,
    ),
    **rows("ecr", "ListTagsForResource TagResource UntagResource", Target("ecr:repository", "resourceArn")),
    **rows(
        "ecr",
        "CreatePullThroughCacheRule",
        linked=("pullthroughcache.ecr.amazonaws.com", "AWSServiceRoleForECRPullThroughCache"),
    ),
    **rows(
        "ecr",
        "CreateRepositoryCreationTemplate",
        passes=("customRoleArn", "ecr.amazonaws.com"),
        linked=("ecr.amazonaws.com", "AWSServiceRoleForECRTemplate"),
    ),
    **rows("ecr", "UpdateRepositoryCreationTemplate", passes=("customRoleArn", "ecr.amazonaws.com")),
}


def _interface_of_mount_target(call: Call) -> Iterable[Check]:
    """What EFS does in EC2 with the caller's permissions. Source: EFS API reference, CreateMountTarget."""
    via = {"aws:ViaAWSService": ("true",)}
    yield Check("ec2:DescribeSubnets", "*", via)
    yield Check("ec2:DescribeNetworkInterfaces", "*", via)
    for kind, ids in (("subnet", call.find("SubnetId")), ("security-group", call.find("SecurityGroups || []"))):
        for id in ids:
            yield Check("ec2:CreateNetworkInterface", arn(call, f"ec2:{kind}", id), via, f"ec2:{kind}", id)
    yield Check("ec2:CreateNetworkInterface", arn(call, "ec2:network-interface", "*"), via)


def _interface_gone(call: Call) -> Iterable[Check]:
    """Source: EFS API reference, DeleteMountTarget."""
    yield Check("ec2:DeleteNetworkInterface", arn(call, "ec2:network-interface", "*"), {"aws:ViaAWSService": ("true",)})


_FILE_SYSTEM = Target("elasticfilesystem:file-system", "FileSystemId")
_ACCESS_POINT = Target("elasticfilesystem:access-point", "AccessPointId")
_OF_MOUNT_TARGET = Target("elasticfilesystem:file-system", lookups.file_system_of_mount_target)
_EFS_TAG = "elasticfilesystem:TagResource"
_EFS = {
    **rows(
        "efs",
        "CreateFileSystem",
        keys={"elasticfilesystem:Encrypted": lookups.encrypted},
        tag=_EFS_TAG,
        tagged=Target("elasticfilesystem:file-system"),
        more=_file_system_key,
        linked=("elasticfilesystem.amazonaws.com", "AWSServiceRoleForAmazonElasticFileSystem"),
    ),
    **rows("efs", "CreateAccessPoint", _FILE_SYSTEM, tag=_EFS_TAG, tagged=Target("elasticfilesystem:access-point")),
    **rows("efs", "CreateMountTarget", _FILE_SYSTEM, more=_interface_of_mount_target),
    **rows("efs", "DeleteMountTarget", _OF_MOUNT_TARGET, more=_interface_gone),
    **rows("efs", "DescribeMountTargetSecurityGroups ModifyMountTargetSecurityGroups", _OF_MOUNT_TARGET),
    **rows("efs", "DescribeMountTargets", _FILE_SYSTEM, _OF_MOUNT_TARGET),
    **rows("efs", "DescribeAccessPoints", _ACCESS_POINT, _FILE_SYSTEM),
    **rows("efs", "DeleteAccessPoint", _ACCESS_POINT),
    **rows("efs", "PutBackupPolicy", _FILE_SYSTEM, linked=("backup.amazonaws.com", "AWSServiceRoleForBackup")),
    **rows(
        "efs",
        "DeleteFileSystem DeleteFileSystemPolicy DescribeBackupPolicy DescribeFileSystemPolicy "
        "DescribeFileSystems DescribeLifecycleConfiguration PutFileSystemPolicy "
        "PutLifecycleConfiguration UpdateFileSystem UpdateFileSystemProtection",
        _FILE_SYSTEM,
    ),
    **rows(
        "efs",
        "ListTagsForResource TagResource UntagResource",
        Target("elasticfilesystem:file-system", lookups.tagged_file_system),
        Target("elasticfilesystem:access-point", lookups.tagged_access_point),
    ),
}


def _objects(call: Call) -> list[str]:
    keys = call.find("Key || Delete.Objects[].Key")
    return [f"{call.parameters['Bucket']}/{key}" for key in keys]


_BUCKET, _OBJECT = Target("s3:bucket", "Bucket"), Target("s3:object", _objects)
_S3_NAMES = {
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
}
"""S3's operations whose action is named otherwise."""
_S3_OBJECTS = {
    "DeleteObject": "DeleteObject",
    "DeleteObjects": "DeleteObject",
    "GetObject": "GetObject",
    "HeadObject": "GetObject",
    "PutObject": "PutObject",
}
_S3 = {
    **{f"s3.{operation}": Row((_BUCKET,), action=f"s3:{action}") for operation, action in _S3_NAMES.items()},
    **{f"s3.{operation}": Row((_OBJECT,), action=f"s3:{action}") for operation, action in _S3_OBJECTS.items()},
    "s3.ListBuckets": Row(action="s3:ListAllMyBuckets"),
    **rows(
        "s3",
        "CreateBucket DeleteBucket DeleteBucketPolicy GetBucketLocation GetBucketPolicy GetBucketTagging "
        "GetBucketVersioning PutBucketOwnershipControls PutBucketPolicy PutBucketTagging PutBucketVersioning",
        _BUCKET,
    ),
}


STORAGE: Mapping[str, Row] = {**_ECR, **_EFS, **_S3}
"""Operation ("ecr.CreateRepository") to what it needs."""
