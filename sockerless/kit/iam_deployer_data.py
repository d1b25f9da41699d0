"""What a deployer may do with what holds data: ECR, EFS, the key, terraform's state.

By name where AWS lets a name be chosen, by tag where it makes up an id. What only reads is not bound to the tag: of
what is gone, AWS would say "denied" where terraform waits for "not found". Nor is what follows a key's creation at
once: KMS takes up to five minutes until a tag counts. Source: Service Authorization Reference; KMS developer guide,
"ABAC for AWS KMS"; terraform's AWS provider 5.100 for what it calls.
"""

from __future__ import annotations

from sockerless.kit import state
from sockerless.kit.iam_scope import Scope, allow
from sockerless.types import JsonObject


def statements(scope: Scope) -> list[JsonObject]:
    """For all of them; terraform's state only where it is in S3."""
    in_s3 = _state(scope) if scope.project.state == "s3" else []
    return [*_images(scope), *_file_system(scope), *_key(scope), *in_s3]


def _images(scope: Scope) -> list[JsonObject]:
    repositories = scope.arns("ecr", f"repository/{scope.project.repository_prefix or scope.name}/*")
    return [
        allow(
            "Repositories",
            "ecr",
            "BatchDeleteImage CreateRepository DeleteLifecyclePolicy DeleteRepository GetLifecyclePolicy ListImages "
            "ListTagsForResource PutImageScanningConfiguration PutImageTagMutability PutLifecyclePolicy TagResource "
            "UntagResource",
            repositories,
        ),
        allow("FindRepositories", "ecr", "DescribeRepositories"),
        allow(
            "PushTheAgent",
            "ecr",
            "BatchCheckLayerAvailability BatchGetImage CompleteLayerUpload InitiateLayerUpload PutImage "
            "UploadLayerPart",
            repositories,
        ),
        allow(
            "Registry",
            "ecr",
            "CreatePullThroughCacheRule CreateRepositoryCreationTemplate DeletePullThroughCacheRule "
            "DeleteRepositoryCreationTemplate DescribePullThroughCacheRules DescribeRepositoryCreationTemplates "
            "GetAuthorizationToken UpdatePullThroughCacheRule UpdateRepositoryCreationTemplate",
        ),
    ]


def _file_system(scope: Scope) -> list[JsonObject]:
    service = "elasticfilesystem"
    systems, points = scope.arns(service, "file-system/*"), scope.arns(service, "access-point/*")
    encrypted = {"Bool": {"elasticfilesystem:Encrypted": "true"}}
    creating = {"StringEquals": {"elasticfilesystem:CreateAction": ["CreateAccessPoint", "CreateFileSystem"]}}
    return [
        allow("MakeTheFileSystem", service, "CreateFileSystem", "*", scope.made, encrypted),
        allow("FindTheFileSystemByItsToken", service, "DescribeFileSystems", "*"),
        allow(
            "SeeFileSystems",
            service,
            "DescribeAccessPoints DescribeBackupPolicy DescribeFileSystemPolicy "
            "DescribeLifecycleConfiguration DescribeMountTargetSecurityGroups DescribeMountTargets ListTagsForResource",
            [*systems, *points],
        ),
        allow(
            "ChangeTheFileSystem",
            service,
            "CreateAccessPoint CreateMountTarget DeleteAccessPoint DeleteFileSystem DeleteFileSystemPolicy "
            "DeleteMountTarget ModifyMountTargetSecurityGroups PutBackupPolicy PutFileSystemPolicy "
            "PutLifecycleConfiguration TagResource UntagResource UpdateFileSystem UpdateFileSystemProtection",
            [*systems, *points],
            scope.mine,
        ),
        allow("TagTheFileSystem", service, "TagResource", [*systems, *points], scope.made, creating),
    ]


def _key(scope: Scope) -> list[JsonObject]:
    keys, alias = scope.arns("kms", "key/*"), scope.arns("kms", f"alias/{scope.name}")
    through = [f"{service}.{scope.project.region}.{scope.dns_suffix}" for service in ("ecr", "elasticfilesystem")]
    via = {"StringEquals": {"kms:ViaService": through}}
    return [
        allow("MakeTheKey", "kms", "CreateKey", "*", scope.made),
        allow("TagTheKey", "kms", "TagResource", keys, scope.made),
        allow("FindTheKey", "kms", "ListAliases"),
        allow("NameTheKey", "kms", "CreateAlias DeleteAlias UpdateAlias", alias),
        allow(
            "SeeAndReadyTheKey",
            "kms",
            "CreateAlias DescribeKey EnableKeyRotation GetKeyPolicy GetKeyRotationStatus ListResourceTags",
            keys,
        ),
        allow(
            "KeepTheKey",
            "kms",
            "DeleteAlias DisableKeyRotation PutKeyPolicy ScheduleKeyDeletion TagResource UntagResource UpdateAlias "
            "UpdateKeyDescription",
            keys,
            scope.mine,
        ),
        allow("HandTheKeyToServices", "kms", "CreateGrant GenerateDataKeyWithoutPlaintext RetireGrant", keys, via),
    ]


def _state(scope: Scope) -> list[JsonObject]:
    bucket = f"arn:{scope.partition}:s3:::{state.bucket_of(scope.project, scope.account_id)}"
    return [
        allow(
            "StateBucket",
            "s3",
            "CreateBucket ListBucket PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock "
            "PutBucketTagging PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration",
            [bucket],
        ),
        allow("StateAndItsLock", "s3", "DeleteObject GetObject PutObject", [f"{bucket}/*"]),
    ]
