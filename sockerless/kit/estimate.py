"""What a deployment costs a month while nothing runs, and what a plan changes about that.

Owns: which terraform resources cost money, and the words. Knows no terraform process. Source of the documents:
Terraform's JSON output format 1.2 (plan, values) and its state format 4.
"""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sockerless.ecs import fargate
from sockerless.kit import prices
from sockerless.kit.prices import Price
from sockerless.kit.project import Project
from sockerless.types import TaskSize

Values = Mapping[str, Any]
_WIDTH = 110


@dataclass(frozen=True, slots=True)
class Resource:
    """A managed resource: its terraform type and the attributes that are known."""

    kind: str
    values: Values


@dataclass(frozen=True, slots=True)
class Line:
    """So many of one thing that is paid for while it stands, and what they cost a month."""

    name: str
    count: int
    usd_each: float
    usd_per_month: float


@dataclass(frozen=True, slots=True)
class ByUse:
    """Something paid for by use: nobody knows beforehand how much."""

    name: str
    usd: float
    per: str
    approximate: bool


@dataclass(frozen=True, slots=True)
class Estimate:
    """US dollars by AWS's list prices. change_usd_per_month: what the plan adds to (or takes from) a month.

    container_*: one container of the default size. region: where the deployment is; prices_of: whose prices these are.
    """

    region: str
    prices_of: str
    prices_dated: str
    standing: tuple[Line, ...]
    usd_per_month: float
    change_usd_per_month: float
    by_use: tuple[ByUse, ...]
    container_cpu_units: int
    container_memory_mib: int
    container_usd_per_hour: float
    container_spot_usd_per_hour: float | None


def of_plan(project: Project, document: Mapping[str, Any]) -> Estimate:
    """The estimate of what stands once the plan is applied. document: `terraform show -json PLAN`."""
    before = from_values((document.get("prior_state") or {}).get("values") or {})
    after = from_values(document.get("planned_values") or {})
    changed = _total(standing(project, after)) - _total(standing(project, before))
    return of_resources(project, after, changed)


def of_resources(project: Project, resources: list[Resource], change_usd_per_month: float = 0.0) -> Estimate:
    """The estimate of these resources."""
    lines = standing(project, resources)
    size = default_size(project)
    return Estimate(
        region=project.region,
        prices_of=prices.REGION,
        prices_dated=prices.DATED,
        standing=lines,
        usd_per_month=_total(lines),
        change_usd_per_month=round(change_usd_per_month, 2),
        by_use=by_use(project, resources),
        container_cpu_units=size.cpu_units,
        container_memory_mib=size.memory_mib,
        container_usd_per_hour=_container(project, size, spot=False),
        container_spot_usd_per_hour=_container(project, size, spot=True) if project.spot_weight else None,
    )


def from_values(values: Mapping[str, Any]) -> list[Resource]:
    """Every managed resource of a "values" representation: root_module and its child modules."""
    return list(_in_module(values.get("root_module") or {}))


def from_state(state: Mapping[str, Any]) -> list[Resource]:
    """Every managed resource of a state file, as `terraform state pull` prints it; {} is an empty one."""
    return [
        Resource(resource["type"], instance.get("attributes") or {})
        for resource in state.get("resources", [])
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    ]


def standing(project: Project, resources: Iterable[Resource]) -> tuple[Line, ...]:
    """What is paid for while it stands, the dearest first."""
    counts: Counter[Price] = Counter()
    for resource in resources:
        if resource.kind in _STANDING:
            price, count = _STANDING[resource.kind]
            counts[price] += count(project, resource.values)
    lines = (_line(price, count) for price, count in counts.items() if count)
    return tuple(sorted(lines, key=lambda line: -line.usd_per_month))


def by_use(project: Project, resources: Iterable[Resource]) -> tuple[ByUse, ...]:
    """What is paid for by use, each once."""
    kinds = {resource.kind for resource in resources if _counts(project, resource)}
    found = [price for kind, several in _BY_USE.items() if kind in kinds for price in several]
    if "aws_ecs_cluster" in kinds and project.container_insights != "disabled":
        found.append(prices.METRIC)
    return tuple(ByUse(price.name, price.usd, price.per, price.approximate) for price in dict.fromkeys(found))


def default_size(project: Project) -> TaskSize:
    """The size Fargate sells for a container that asks for none."""
    return fargate.size_for(project.default_cpu_units * 1_000_000_000 // 1024, project.default_memory_mib * 1024 * 1024)


def lines(estimate: Estimate) -> list[str]:
    """The estimate for people."""
    told = [f"cost a month at AWS's list prices ({provenance(estimate)}):"]
    told += [f"  {_cells(line)}" for line in estimate.standing]
    told.append(f"  {'while nothing runs':<53}{money(estimate.usd_per_month):>11}")
    return told + by_use_lines(estimate)


def by_use_lines(estimate: Estimate) -> list[str]:
    """What is paid for by use, for people."""
    used = f"by use: {', '.join(map(_used, estimate.by_use)) or 'nothing'}"
    wrapped = textwrap.wrap(used, _WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    return [*wrapped, f"  {container(estimate)}"]


def change_line(estimate: Estimate) -> str:
    """What the plan makes of it, for people."""
    change = estimate.change_usd_per_month
    if not change:
        return "this plan does not change what stands costs"
    return f"this plan makes it {money(abs(change))} a month {'dearer' if change > 0 else 'cheaper'}"


def provenance(estimate: Estimate) -> str:
    """Whose prices these are, and of when."""
    dated = f"{estimate.prices_of}, {estimate.prices_dated}"
    return dated if estimate.region == estimate.prices_of else f"{dated}; {estimate.region} differs"


def container(estimate: Estimate) -> str:
    """What one container of the default size costs while it runs."""
    size = f"{estimate.container_cpu_units / 1024:g} vCPU, {estimate.container_memory_mib / 1024:g} GB"
    hour = estimate.container_usd_per_hour
    spot = estimate.container_spot_usd_per_hour
    more = f", on Spot about ${spot:.4f}" if spot is not None else ""
    month = money(hour * prices.HOURS_PER_MONTH)
    return f"each running container of the default size ({size}): ${hour:.4f} an hour, {month} a month{more}"


def money(usd: float) -> str:
    """US dollars with cents."""
    return f"${usd:,.2f}"


def _in_module(module: Mapping[str, Any]) -> Iterable[Resource]:
    for resource in module.get("resources", []):
        if resource["mode"] == "managed":
            yield Resource(resource["type"], resource.get("values") or {})
    for child in module.get("child_modules", []):
        yield from _in_module(child)


def _counts(project: Project, resource: Resource) -> bool:
    """Whether using the resource costs: a gateway endpoint and backups that are switched off do not."""
    if resource.kind == "aws_vpc_endpoint":
        return _endpoint_zones(project, resource.values) > 0
    if resource.kind == "aws_efs_backup_policy":
        return any(policy.get("status") == "ENABLED" for policy in resource.values.get("backup_policy") or ())
    return True


def _one(_: Project, __: Values) -> int:
    return 1


def _endpoint_zones(project: Project, values: Values) -> int:
    """An interface endpoint is paid for in each zone; how many its subnets are in is unknown until they are made."""
    if values.get("vpc_endpoint_type") != "Interface":
        return 0
    return len(values.get("subnet_ids") or ()) or project.zones


def _alarm_metrics(_: Project, values: Values) -> int:
    """An alarm on an expression is paid for by the metrics in it."""
    return sum(1 for query in values.get("metric_query") or () if query.get("metric")) or 1


_STANDING: dict[str, tuple[Price, Callable[[Project, Values], int]]] = {
    "aws_nat_gateway": (prices.NAT_GATEWAY, _one),
    "aws_eip": (prices.PUBLIC_ADDRESS, _one),
    "aws_vpc_endpoint": (prices.INTERFACE_ENDPOINT, _endpoint_zones),
    "aws_kms_key": (prices.KMS_KEY, _one),
    "aws_cloudwatch_metric_alarm": (prices.ALARM_METRIC, _alarm_metrics),
    "aws_cloudwatch_dashboard": (prices.DASHBOARD, _one),
}
_BY_USE: dict[str, tuple[Price, ...]] = {
    "aws_nat_gateway": (prices.NAT_DATA,),
    "aws_vpc_endpoint": (prices.ENDPOINT_DATA,),
    "aws_cloudwatch_log_group": (prices.LOG_DATA, prices.LOG_STORAGE),
    "aws_efs_file_system": (prices.EFS_STORAGE, prices.EFS_READ, prices.EFS_WRITE),
    "aws_efs_backup_policy": (prices.BACKUP_STORAGE,),
    "aws_ecr_repository": (prices.ECR_STORAGE,),
    "aws_kms_key": (prices.KMS_REQUESTS,),
    "aws_sqs_queue": (prices.SQS_REQUESTS,),
    "aws_s3_bucket": (prices.S3_STORAGE,),
}


def _line(price: Price, count: int) -> Line:
    return Line(price.name, count, round(price.usd_per_month, 2), round(count * price.usd_per_month, 2))


def _total(found: Iterable[Line]) -> float:
    return round(sum(line.usd_per_month for line in found), 2)


def _container(project: Project, size: TaskSize, spot: bool) -> float:
    usd = prices.task_usd_per_hour(
        size.cpu_units,
        size.memory_mib,
        arm=project.architecture == "ARM64",
        spot=spot,
        public_address=project.network == "public" or project.assign_public_ip,
    )
    return round(usd, 6)


def _cells(line: Line) -> str:
    return f"{line.name:<40}{line.count:>3} x {money(line.usd_each):>7}{money(line.usd_per_month):>11}"


def _used(one: ByUse) -> str:
    return f"{one.name} {'about ' if one.approximate else ''}${one.usd:.3f}".removesuffix("0") + f"/{one.per}"
