"""GetResources as AWS answers it: kinds that moto leaves out, and for a while what is gone already.

moto tells of most kinds and of nothing that was deleted. AWS tells of rules, addresses, endpoints, repositories and (in
us-east-1) policies too, and its index lags behind: what was asked for once is told for LAG_S after its end.
Source: Resource Groups Tagging API reference, GetResources ("tagged or previously tagged"); moto 5.2, core/
resource_tagging.py, resourcegroupstaggingapi/models.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource, make_tag_matcher, match_resource_type
from moto.ec2.models import ec2_backends
from moto.ecr.models import ecr_backends
from moto.events.models import events_backends
from moto.iam.models import iam_backends
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend

from sockerless.simulator.hooks import Hooks

LAG_S = 120.0
_EC2_KINDS = {
    "eipalloc-": "elastic-ip",
    "eni-": "network-interface",
    "fl-": "vpc-flow-log",
    "sgr-": "security-group-rule",
    "vpce-": "vpc-endpoint",
}
_IAM_REGION = "us-east-1"


def _lacking(backend: ResourceGroupsTaggingAPIBackend) -> Iterator[TaggedResource]:
    """What moto does not tell of."""
    account, region, partition = backend.account_id, backend.region_name, backend.partition
    for id_, tags in ec2_backends[account][region].tags.items():
        kind = next((kind for prefix, kind in _EC2_KINDS.items() if id_.startswith(prefix)), None)
        if kind and tags:
            yield TaggedResource(f"arn:{partition}:ec2:{region}:{account}:{kind}/{id_}", dict(tags), f"ec2:{kind}")
    ecr = ecr_backends[account][region]
    for repository in ecr.repositories.values():
        yield TaggedResource(repository.arn, _plain(ecr.tagger, repository.arn), "ecr:repository")
    events = events_backends[account][region]
    for bus in events.event_buses.values():
        for rule in bus.rules.values():
            yield TaggedResource(rule.arn, _plain(events.tagger, rule.arn), "events:rule")
    if region == _IAM_REGION:
        for policy in iam_backends[account]["global"].managed_policies.values():
            tags = {tag["Key"]: tag["Value"] for tag in (policy.tags or {}).values()}
            yield TaggedResource(policy.arn, tags, "iam:policy")


def _plain(tagger: Any, arn: str) -> dict[str, str]:
    tags: dict[str, str] = tagger.get_tag_dict_for_resource(arn)
    return tags


def install(hooks: Hooks) -> None:
    """Serves GetResources as this simulator does."""
    seen: dict[tuple[str, str, str], tuple[TaggedResource, float]] = {}

    def generate(
        backend: ResourceGroupsTaggingAPIBackend,
        tag_filters: list[dict[str, Any]] | None = None,
        resource_type_filters: list[str] | None = None,
        resource_arn_list: list[str] | None = None,
    ) -> Iterator[TaggedResource]:
        now, place = time.monotonic(), (backend.account_id, backend.region_name)
        for resource in (*told_by_moto(backend), *_lacking(backend)):
            if resource.tags and ":flow-logs/" not in resource.arn:  # moto's name of what ARNs call vpc-flow-log
                seen[(*place, resource.arn)] = (resource, now)
        matches = make_tag_matcher(tag_filters)
        for key, (resource, when) in sorted(seen.items()):
            if (
                key[:2] == place
                and now - when < LAG_S
                and matches(resource.tags)
                and match_resource_type(resource.resource_type, resource_type_filters)
                and (not resource_arn_list or resource.arn in resource_arn_list)
            ):
                yield resource

    told_by_moto = hooks.replace(ResourceGroupsTaggingAPIBackend, "_get_resources_generator", generate)
