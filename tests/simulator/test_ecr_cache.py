"""The records of ECR's cache: pull-through rules and repository creation templates, through boto3."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import TRUST, Account

SECRET = "arn:aws:secretsmanager:us-east-1:123456789012:secret:ecr-pullthroughcache/none-AbCdEf"


def rule(**members: Any) -> dict[str, Any]:
    """A request for a rule of public ECR, changed by members."""
    return {"ecrRepositoryPrefix": "house/public-ecr", "upstreamRegistryUrl": "public.ecr.aws", **members}


def template(**members: Any) -> dict[str, Any]:
    """A request for a plain template, changed by members."""
    return {"prefix": "house/public-ecr", "appliedFor": ["PULL_THROUGH_CACHE"], **members}


def test_a_rule_is_made_described_and_deleted(account: Account) -> None:
    ecr = account.client("ecr")
    made = ecr.create_pull_through_cache_rule(**rule())
    assert (made["registryId"], made["upstreamRegistry"]) == ("123456789012", "ecr-public")
    (found,) = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["house/public-ecr"])[
        "pullThroughCacheRules"
    ]
    assert found["upstreamRegistryUrl"] == "public.ecr.aws"
    assert not {"credentialArn", "upstreamRepositoryPrefix"} & found.keys()
    with pytest.raises(ecr.exceptions.PullThroughCacheRuleAlreadyExistsException):
        ecr.create_pull_through_cache_rule(**rule())
    ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="house/public-ecr")
    assert ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []
    with pytest.raises(ecr.exceptions.PullThroughCacheRuleNotFoundException):
        ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["house/public-ecr"])


def test_a_rule_s_secret_can_be_changed_for_another(account: Account) -> None:
    ecr, secrets = account.client("ecr"), account.client("secretsmanager")
    one, two = (
        secrets.create_secret(Name=f"ecr-pullthroughcache/{name}", SecretString="{}")["ARN"] for name in ("one", "two")
    )
    hub = rule(ecrRepositoryPrefix="hub", upstreamRegistryUrl="registry-1.docker.io")
    ecr.create_pull_through_cache_rule(**hub, credentialArn=one)
    ecr.update_pull_through_cache_rule(ecrRepositoryPrefix="hub", credentialArn=two)
    assert ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="hub")["credentialArn"] == two


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"upstreamRegistryUrl": "registry.example.com"}, "UnsupportedUpstreamRegistryException"),
        ({"upstreamRegistryUrl": "registry-1.docker.io"}, "InvalidParameterException"),
        ({"upstreamRegistryUrl": "registry-1.docker.io", "credentialArn": SECRET}, "SecretNotFoundException"),
        ({"credentialArn": SECRET.replace("ecr-pullthroughcache/", "x")}, "InvalidParameterException"),
        ({"ecrRepositoryPrefix": "a-prefix-of-thirty-one-characte"}, "InvalidParameterException"),
        ({"ecrRepositoryPrefix": "House"}, "InvalidParameterException"),
        ({"upstreamRepositoryPrefix": "team"}, "UnknownOperationException"),
    ],
)
def test_a_rule_that_ecr_does_not_take_is_refused(account: Account, members: dict[str, Any], code: str) -> None:
    with pytest.raises(ClientError) as refusal:
        account.client("ecr").create_pull_through_cache_rule(**rule(**members))
    assert refusal.value.response["Error"]["Code"] == code


def test_a_template_is_made_changed_described_and_deleted(account: Account) -> None:
    ecr = account.client("ecr")
    made = ecr.create_repository_creation_template(**template())["repositoryCreationTemplate"]
    assert (made["imageTagMutability"], made["encryptionConfiguration"]) == ("MUTABLE", {"encryptionType": "AES256"})
    with pytest.raises(ecr.exceptions.TemplateAlreadyExistsException):
        ecr.create_repository_creation_template(**template())
    ecr.update_repository_creation_template(prefix="house/public-ecr", imageTagMutability="IMMUTABLE")
    asked = ecr.describe_repository_creation_templates(prefixes=["house/public-ecr", "house/other"])
    assert [found["imageTagMutability"] for found in asked["repositoryCreationTemplates"]] == ["IMMUTABLE"]
    ecr.delete_repository_creation_template(prefix="house/public-ecr")
    assert ecr.describe_repository_creation_templates()["repositoryCreationTemplates"] == []
    with pytest.raises(ecr.exceptions.TemplateNotFoundException):
        ecr.delete_repository_creation_template(prefix="house/public-ecr")


@pytest.mark.parametrize(
    "members",
    [{"encryptionConfiguration": {"encryptionType": "KMS"}}, {"resourceTags": [{"Key": "a", "Value": "b"}]}],
)
def test_a_template_with_tags_or_a_key_needs_a_role(account: Account, members: dict[str, Any]) -> None:
    ecr = account.client("ecr")
    for role in ({}, {"customRoleArn": "arn:aws:iam::123456789012:role/none"}):
        with pytest.raises(ecr.exceptions.InvalidParameterException):
            ecr.create_repository_creation_template(**template(**members, **role))
    name = f"template-{next(iter(members))}"
    arn = account.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    ecr.create_repository_creation_template(**template(**members, customRoleArn=arn))
    ecr.delete_repository_creation_template(prefix="house/public-ecr")
