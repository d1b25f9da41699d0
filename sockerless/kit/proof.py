"""Proof that a destroyed deployment has left nothing: by tag, by what terraform had, and by its task definitions.

Owns: what is asked. Each resource is confirmed by its own service, because the tagging API goes on telling of what is
gone. Changes nothing.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sockerless.aws import ec2_tagged, standing, sts, tagging
from sockerless.aws.session import Aws
from sockerless.ecs import tags
from sockerless.kit import account, runtime_resources
from sockerless.kit.project import Project

PATIENCE_S = 60.0
"""A service may describe for a while what it has just deleted."""
_POLL_S = 2.0
INSIGHTS_GROUP = "/aws/ecs/containerinsights/{name}/performance"
_EC2_KINDS = {
    "vpc": "vpc",
    "subnet": "subnet",
    "igw": "internet-gateway",
    "eipalloc": "elastic-ip",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "vpce": "vpc-endpoint",
    "fl": "vpc-flow-log",
    "eni": "network-interface",
}
"""What an id of EC2 begins with, and what its ARN calls it."""


@dataclass(frozen=True, slots=True)
class Proof:
    """asked: how many resources were asked for. left: those that stand; unsure: those of a kind nobody can ask for.

    kept: what remains of a resource all the same, by its ARN.
    """

    asked: int
    left: tuple[str, ...]
    unsure: tuple[str, ...]
    kept: dict[str, str]


def arns_of(document: Mapping[str, Any]) -> set[str]:
    """The ARNs of everything that terraform's state tells of."""
    return {
        str(instance["attributes"]["arn"])
        for resource in document.get("resources", [])
        for instance in resource["instances"]
        if resource["mode"] == "managed" and str(instance["attributes"].get("arn") or "").startswith("arn:")
    }


def look(project: Project, name: str, before: Iterable[str], patience_s: float = PATIENCE_S) -> Proof:
    """What of the deployment called name still stands. before: the ARNs that terraform had, whether tagged or not."""
    return asyncio.run(_look(project, name, set(before), patience_s))


async def _look(project: Project, name: str, before: set[str], patience_s: float) -> Proof:
    async with account.opened(account.of(project)) as aws:
        who = await sts.identity(aws)
        here = f"arn:{who.arn.split(':')[1]}:{{service}}:{project.region}:{who.account}:"
        tagged = await _tagged(aws, name, here.format(service="ec2"))
        asked = before | tagged | set(await runtime_resources.definitions(aws, name))
        verdicts = await _verdicts(aws, asked)
        deadline = time.monotonic() + patience_s
        while (left := _standing(verdicts)) and time.monotonic() < deadline:
            await asyncio.sleep(_POLL_S)
            verdicts |= await _verdicts(aws, left)
        insights = f"{here.format(service='logs')}log-group:{INSIGHTS_GROUP.format(name=name)}"
        kept = {arn: found.kept for arn, found in sorted(verdicts.items()) if found is not None and found.kept}
        if await standing.verdict(aws, insights) == standing.STANDS:
            kept[insights] = "AWS made it for Container Insights and empties it by itself"
    unsure = tuple(sorted(arn for arn in tagged if verdicts[arn] is None))
    return Proof(sum(found is not None for found in verdicts.values()), tuple(sorted(left)), unsure, kept)


async def _tagged(aws: Aws, name: str, ec2: str) -> set[str]:
    """By the tagging API, and by EC2 itself, which knows at once. ec2: what ARNs of EC2 begin with here."""
    found = set(await tagging.tagged(aws, tags.PROJECT, name))
    for id_ in await ec2_tagged.tagged(aws, tags.PROJECT, name):
        kind = _EC2_KINDS.get(id_.partition("-")[0])
        if kind is not None:
            found.add(f"{ec2}{kind}/{id_}")
    return found


async def _verdicts(aws: Aws, arns: Iterable[str]) -> dict[str, standing.Verdict | None]:
    wanted = sorted(arns)
    return dict(zip(wanted, await asyncio.gather(*(standing.verdict(aws, arn) for arn in wanted)), strict=True))


def _standing(verdicts: Mapping[str, standing.Verdict | None]) -> set[str]:
    return {arn for arn, found in verdicts.items() if found is not None and found.standing}
