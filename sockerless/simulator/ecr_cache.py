"""ECR's pull-through cache rules and repository creation templates: the records and their actions.

What a pull through does is in pull_through.py. Callers hold the simulator's lock.
Source: ECR API reference, CreatePullThroughCacheRule and CreateRepositoryCreationTemplate; user guide, "Sync an
upstream registry with an Amazon ECR private registry".
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from moto.core.responses import BaseResponse
from moto.ecr.responses import ECRResponse
from moto.iam.models import iam_backends
from moto.secretsmanager.models import secretsmanager_backends
from moto.utilities.utils import get_partition

from sockerless.simulator.gate import Refusal
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject, now, without_none

OPEN_UPSTREAMS = {"public.ecr.aws": "ecr-public", "quay.io": "quay", "registry.k8s.io": "k8s"}
"""Upstreams that are read without an account, with ECR's word for each."""
CLOSED_UPSTREAMS = {
    "registry-1.docker.io": "docker-hub",
    "ghcr.io": "github-container-registry",
    "registry.gitlab.com": "gitlab-container-registry",
}
"""Upstreams that ECR reads with an account's secret only."""
_PREFIX = re.compile(r"[a-z0-9]+([._-]+[a-z0-9]+)*(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?|ROOT")
_SECRET = re.compile(r"arn:aws(-\w+)*:secretsmanager:[\w:-]+:secret:ecr-pullthroughcache/[\w/+=.@-]+")

Key = tuple[str, str, str]
"""Account, region, prefix."""


class CacheRecords:
    """The rules and templates of every account and region, as the API describes them."""

    def __init__(self) -> None:
        self.rules: dict[Key, JsonObject] = {}
        self.templates: dict[Key, JsonObject] = {}

    def rule_of(self, account_id: str, repository: str) -> tuple[str, JsonObject] | None:
        """The region and rule that cache a repository: the rule with the longest prefix of its name."""
        return _longest(self.rules, account_id, repository)

    def template_of(self, account_id: str, repository: str) -> JsonObject | None:
        """The template that a repository made for the cache takes, like its rule."""
        found = _longest(
            {
                key: template
                for key, template in self.templates.items()
                if "PULL_THROUGH_CACHE" in template["appliedFor"]
            },
            account_id,
            repository,
        )
        return found[1] if found else None


def _longest(records: dict[Key, JsonObject], account_id: str, repository: str) -> tuple[str, JsonObject] | None:
    fitting = [
        (len(prefix), region, record)
        for (account, region, prefix), record in records.items()
        if account == account_id and repository.startswith(f"{prefix.rstrip('/')}/")
    ]
    return max(fitting, key=lambda found: found[0])[1:] if fitting else None


def _key(response: BaseResponse, prefix: str) -> Key:
    return response.current_account, response.region, prefix


def _checked_prefix(prefix: str, least: int, most: int) -> str:
    if not least <= len(prefix) <= most or not _PREFIX.fullmatch(prefix):
        raise Refusal("InvalidParameterException", f"Invalid parameter: the prefix '{prefix}' is not valid")
    return prefix


def _check_secret(account_id: str, arn: str) -> None:
    if not _SECRET.fullmatch(arn):
        raise Refusal("InvalidParameterException", f"Invalid parameter: the credential '{arn}' is not valid")
    secrets = secretsmanager_backends[account_id][arn.split(":")[3]].secrets
    if not any(secret.arn == arn for secret in secrets.values()):
        raise Refusal("SecretNotFoundException", f"The secret '{arn}' does not exist")


def _page(name: str, records: Iterable[JsonObject], document: JsonObject) -> JsonObject:
    """One page that holds everything: a simulated account has few of these."""
    if document.get("nextToken"):
        raise Refusal("InvalidParameterException", "Invalid parameter: nextToken")
    return {name: list(records)}


class CacheActions:
    """The actions on rules and templates."""

    def __init__(self, records: CacheRecords) -> None:
        self._records = records

    def create_pull_through_cache_rule(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """CreatePullThroughCacheRule."""
        key = _key(response, _checked_prefix(document["ecrRepositoryPrefix"], 2, 30))
        url, credential = document["upstreamRegistryUrl"], document.get("credentialArn")
        for member in ("customRoleArn", "upstreamRepositoryPrefix"):  # of ECR as the upstream
            if document.get(member):
                raise NotImplementedError(f"{member} of a pull through cache rule")
        upstreams = OPEN_UPSTREAMS | CLOSED_UPSTREAMS
        if url not in upstreams:
            raise Refusal("UnsupportedUpstreamRegistryException", f"The upstream registry '{url}' is not supported")
        if key in self._records.rules:
            message = f"A pull through cache rule with prefix '{key[2]}' already exists"
            raise Refusal("PullThroughCacheRuleAlreadyExistsException", message)
        if url in CLOSED_UPSTREAMS and not credential:
            raise Refusal("InvalidParameterException", f"Invalid parameter: '{url}' needs a credentialArn")
        if credential:
            _check_secret(response.current_account, credential)
        rule = {
            "ecrRepositoryPrefix": key[2],
            "upstreamRegistryUrl": url,
            "upstreamRegistry": upstreams[url],
            "registryId": response.current_account,
            "credentialArn": credential,
            "createdAt": now(),
            "updatedAt": now(),
        }
        self._records.rules[key] = without_none(rule)
        return self._records.rules[key]

    def _rule(self, response: BaseResponse, prefix: str) -> JsonObject:
        found = self._records.rules.get(_key(response, prefix))
        if found is None:
            message = f"There is no pull through cache rule with prefix '{prefix}'"
            raise Refusal("PullThroughCacheRuleNotFoundException", message)
        return found

    def describe_pull_through_cache_rules(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """DescribePullThroughCacheRules."""
        mine = [rule for key, rule in self._records.rules.items() if key[:2] == _key(response, "")[:2]]
        prefixes = document.get("ecrRepositoryPrefixes")
        found = [self._rule(response, prefix) for prefix in prefixes] if prefixes else mine
        return _page("pullThroughCacheRules", found, document)

    def update_pull_through_cache_rule(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """UpdatePullThroughCacheRule."""
        rule = self._rule(response, document["ecrRepositoryPrefix"])
        _check_secret(response.current_account, document["credentialArn"])
        rule.update(credentialArn=document["credentialArn"], updatedAt=now())
        return rule

    def delete_pull_through_cache_rule(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """DeletePullThroughCacheRule: what it cached stays."""
        rule = self._rule(response, document["ecrRepositoryPrefix"])
        return self._records.rules.pop(_key(response, rule["ecrRepositoryPrefix"]))

    def create_repository_creation_template(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """CreateRepositoryCreationTemplate."""
        key = _key(response, _checked_prefix(document["prefix"], 1, 256))
        if key in self._records.templates:
            message = f"A repository creation template with prefix '{key[2]}' already exists"
            raise Refusal("TemplateAlreadyExistsException", message)
        template = {
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "resourceTags": [],
            "imageTagMutability": "MUTABLE",
            **without_none(document),
            "createdAt": now(),
        }
        return self._keep_template(response, key, template)

    def update_repository_creation_template(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """UpdateRepositoryCreationTemplate."""
        template = self._template(response, document["prefix"]) | without_none(document)
        return self._keep_template(response, _key(response, document["prefix"]), template)

    def _keep_template(self, response: BaseResponse, key: Key, template: JsonObject) -> JsonObject:
        _check_template(response.current_account, response.region, template)
        self._records.templates[key] = template | {"updatedAt": now()}
        return self._answer(response, key)

    def _answer(self, response: BaseResponse, key: Key) -> JsonObject:
        return {"registryId": response.current_account, "repositoryCreationTemplate": self._records.templates[key]}

    def _template(self, response: BaseResponse, prefix: str) -> JsonObject:
        found = self._records.templates.get(_key(response, prefix))
        if found is None:
            message = f"There is no repository creation template with prefix '{prefix}'"
            raise Refusal("TemplateNotFoundException", message)
        return found

    def describe_repository_creation_templates(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """DescribeRepositoryCreationTemplates: prefixes that are not there are left out."""
        wanted = document.get("prefixes")
        found = [
            template
            for key, template in self._records.templates.items()
            if key[:2] == _key(response, "")[:2] and (not wanted or key[2] in wanted)
        ]
        return {"registryId": response.current_account} | _page("repositoryCreationTemplates", found, document)

    def delete_repository_creation_template(self, response: BaseResponse, document: JsonObject) -> JsonObject:
        """DeleteRepositoryCreationTemplate."""
        self._template(response, document["prefix"])
        key = _key(response, document["prefix"])
        answer = self._answer(response, key)
        del self._records.templates[key]
        return answer


def _check_template(account_id: str, region: str, template: JsonObject) -> None:
    """A template with tags or a key needs a role, which must be there."""
    role, encryption = template.get("customRoleArn"), template["encryptionConfiguration"]
    if not template.get("appliedFor"):
        raise Refusal("InvalidParameterException", "Invalid parameter: appliedFor needs at least one action")
    if not role and (template["resourceTags"] or encryption["encryptionType"] != "AES256"):
        message = "Invalid parameter: a template with resource tags or a KMS key needs a customRoleArn"
        raise Refusal("InvalidParameterException", message)
    roles: dict[str, Any] = iam_backends[account_id][get_partition(region)].roles
    if role and not any(found.arn == role for found in roles.values()):
        raise Refusal("InvalidParameterException", f"Invalid parameter: the role '{role}' does not exist")


def install(hooks: Hooks, records: CacheRecords) -> None:
    """Serves the actions of the cache."""
    actions = CacheActions(records)
    for name in (
        "create_pull_through_cache_rule",
        "describe_pull_through_cache_rules",
        "update_pull_through_cache_rule",
        "delete_pull_through_cache_rule",
        "create_repository_creation_template",
        "update_repository_creation_template",
        "describe_repository_creation_templates",
        "delete_repository_creation_template",
    ):
        hooks.action(ECRResponse, name, getattr(actions, name))
