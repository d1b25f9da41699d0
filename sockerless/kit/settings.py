"""The table of keys in sockerless.toml: what a person may ask for, each with its default, meaning and check.

Owns: the table, and what must hold between keys. The same table makes sockerless.toml, init's flags and questions.
Knows no terraform and asks nobody. Law: whatever passes is legal in AWS names and harmless in HCL; every refusal names
the key.
"""

from __future__ import annotations

import dataclasses
import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sockerless.ecs.fargate import Limits, size_for
from sockerless.errors import InvalidParameter
from sockerless.kit import checks

DEFAULT_ENDPOINT_URL = "http://127.0.0.1:4566"
"""Where the simulated AWS listens unless sockerless.toml says otherwise."""
UPSTREAMS = ("docker-hub", "public-ecr", "quay", "kubernetes")
"""The registries that ECR can pull through."""
_MISSPELT = 0.7
"""How like it is to a key what is taken for that key misspelt: nmae is, cidr is not vpc_id."""
_MOST_MEANT = 3
MAX_CACHE_PREFIX = 30
"""Characters of PREFIX/UPSTREAM. Source: ECR API reference, CreatePullThroughCacheRule."""


@dataclass(frozen=True, slots=True)
class Field:
    """One key: its name, default, meaning, check, heading in the file; choices: the words it may be.

    asked: init asks for it. flag: the name of its option in init when it is not the key's own, without the dashes.
    variable: it is a variable of the root module, too.
    """

    name: str
    default: Any
    meaning: str
    check: checks.Check
    group: str
    choices: tuple[str, ...] = ()
    asked: bool = False
    flag: str = ""
    variable: bool = True


def _choice(
    name: str, choices: tuple[str, ...], meaning: str, group: str, asked: bool = False, variable: bool = True
) -> Field:
    """A key that is one of these words, the first by default."""
    return Field(name, choices[0], meaning, checks.one_of(*choices), group, choices, asked, variable=variable)


def _switch(name: str, default: bool, meaning: str, group: str) -> Field:
    return Field(name, default, meaning, checks.boolean, group)


_POLICY_ARN = r"arn:aws[a-z-]*:iam::(\d{12}|aws):policy/[\w+=,.@/-]{1,512}"
_HUB_ACCOUNT_ARN = r"arn:aws[a-z-]*:secretsmanager:[a-z0-9-]+:\d{12}:secret:ecr-pullthroughcache/[\w/+=.@-]{1,400}"
_TOPIC_ARN = r"arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}"

_DEPLOYMENT, _NETWORK, _DATA = "Deployment", "Network", "Encryption and data"
_REGISTRY, _OBSERVABILITY = "Registry", "Observability"
_STATE, _CAPACITY = "Terraform's state", "Capacity"

FIELDS: tuple[Field, ...] = (
    Field("name", "sockerless", "name that starts every resource's name", checks.name, _DEPLOYMENT, asked=True),
    Field(
        "environment",
        "dev",
        "environment, a tag on every resource",
        checks.matching(r"[a-z][a-z0-9-]{0,31}", "1 to 32 small letters, digits and hyphens, starting with a letter"),
        _DEPLOYMENT,
    ),
    _choice(
        "target",
        ("aws", "simulator"),
        "where it runs: aws, or simulator (a simulated AWS on this machine)",
        _DEPLOYMENT,
        asked=True,
        variable=False,
    ),
    Field(
        "endpoint_url",
        DEFAULT_ENDPOINT_URL,
        "address of the simulated AWS",
        checks.url,
        _DEPLOYMENT,
        variable=False,
    ),
    Field(
        "region",
        "us-east-1",
        "AWS region",
        checks.matching(r"[a-z]{2}(-[a-z]{2,12}){1,2}-\d", "a region like eu-central-1"),
        _DEPLOYMENT,
        asked=True,
    ),
    Field("zones", 2, "number of availability zones", checks.number(1, 6), _DEPLOYMENT, asked=True),
    Field(
        "permissions_boundary",
        "",
        "ARN of the IAM policy that bounds every role made here; none: no boundary",
        checks.matching(_POLICY_ARN, "the ARN of an IAM policy", empty=True),
        _DEPLOYMENT,
    ),
    _choice(
        "network",
        ("nat", "public", "private", "existing"),
        "how tasks reach the world: nat (private subnets behind NAT), public (public addresses, no NAT), private "
        "(no internet, VPC endpoints), existing (your VPC and subnets)",
        _NETWORK,
        asked=True,
    ),
    _choice("nat_gateways", ("one", "zone"), "NAT gateways of network nat: one, or one a zone", _NETWORK),
    Field(
        "network_cidr",
        "10.0.0.0/16",
        "IPv4 range of the network, /16 to /24",
        checks.network_cidr,
        _NETWORK,
        asked=True,
    ),
    Field(
        "daemon_cidrs",
        (),
        "IPv4 ranges the daemon dials the agents from; none: only what carries the security group NAME-daemon",
        checks.several(checks.daemon_cidr, 'IPv4 ranges like ["10.0.0.0/16"]', 50),
        _NETWORK,
        flag="daemon-cidr",
    ),
    Field(
        "vpc_id",
        "",
        "the VPC of network existing",
        checks.matching(r"vpc-[0-9a-f]{8,17}", "an id like vpc-0123abcd", empty=True),
        _NETWORK,
    ),
    Field(
        "subnet_ids",
        (),
        "the subnets of network existing, where tasks run",
        checks.several(checks.matching(r"subnet-[0-9a-f]{8,17}", "ids like subnet-0123abcd"), "subnet ids", 16),
        _NETWORK,
        flag="subnet-id",
    ),
    Field(
        "security_group_ids",
        (),
        "security groups of yours for tasks of network existing; none: one is made",
        checks.several(checks.matching(r"sg-[0-9a-f]{8,17}", "ids like sg-0123abcd"), "security group ids", 5),
        _NETWORK,
        flag="security-group-id",
    ),
    _switch("assign_public_ip", False, "whether tasks in network existing get public addresses", _NETWORK),
    _choice(
        "encryption",
        ("customer", "aws"),
        "keys for logs, EFS, ECR and task storage: customer (one KMS key of yours), or aws (keys that AWS manages)",
        _DATA,
    ),
    _switch("efs_backups", True, "whether AWS Backup keeps daily copies of the EFS file system", _DATA),
    _switch(
        "deletion_protection",
        False,
        "whether terraform refuses to delete what holds data (EFS, images, logs)",
        _DATA,
    ),
    Field(
        "repository_prefix",
        "",
        "starts every ECR repository's name; none: the deployment's name",
        checks.matching(
            r"(?=.{2,30}$)[a-z0-9]+([._-][a-z0-9]+)*", "2 to 30 small letters and digits, with . _ - inside", empty=True
        ),
        _REGISTRY,
    ),
    _choice(
        "image_tags", ("mutable", "immutable"), "whether a loaded image may take a tag over from another", _REGISTRY
    ),
    _switch("scan_on_push", True, "whether ECR scans images when they are pushed", _REGISTRY),
    Field(
        "untagged_image_days",
        30,
        "days after its push that an image without a tag is deleted",
        checks.number(1, 3650),
        _REGISTRY,
    ),
    Field(
        "pull_through",
        (),
        f"registries that ECR caches ({', '.join(UPSTREAMS)}), so that tasks pull inside the region",
        checks.several(checks.one_of(*UPSTREAMS), "registries", len(UPSTREAMS)),
        _REGISTRY,
        choices=UPSTREAMS,
    ),
    Field(
        "docker_hub_secret_arn",
        "",
        "Secrets Manager secret with the Docker Hub account that pull_through docker-hub needs",
        checks.matching(
            _HUB_ACCOUNT_ARN, "the ARN of a secret whose name starts with ecr-pullthroughcache/", empty=True
        ),
        _REGISTRY,
    ),
    Field(
        "log_retention_days",
        365,
        "days CloudWatch keeps the containers' output",
        checks.retention_days,
        _OBSERVABILITY,
    ),
    _choice(
        "container_insights",
        ("enabled", "enhanced", "disabled"),
        "CloudWatch Container Insights for tasks",
        _OBSERVABILITY,
    ),
    _choice(
        "flow_logs",
        ("rejected", "all", "off"),
        "VPC flow logs of a network made here: rejected traffic, all of it, or none",
        _OBSERVABILITY,
    ),
    _switch(
        "task_events",
        True,
        "whether ECS tells the daemon of task changes through a queue, instead of being asked",
        _OBSERVABILITY,
    ),
    _switch("dashboard", True, "whether there is a CloudWatch dashboard", _OBSERVABILITY),
    _switch("alarms", True, "whether CloudWatch watches failed starts and the number of tasks", _OBSERVABILITY),
    Field(
        "alarm_topic_arn",
        "",
        "SNS topic that alarms tell; none: they only show",
        checks.matching(_TOPIC_ARN, "the ARN of an SNS topic", empty=True),
        _OBSERVABILITY,
    ),
    Field(
        "task_quota",
        100,
        "running tasks that count as full: the alarm rings at 80 percent of it",
        checks.number(1, 100_000),
        _OBSERVABILITY,
    ),
    _choice(
        "state",
        ("local", "s3"),
        "where terraform keeps its state: a local file, or an S3 bucket",
        _STATE,
        variable=False,
    ),
    Field(
        "state_bucket",
        "",
        "the bucket of state s3; none: NAME-ACCOUNT-REGION-terraform",
        checks.matching(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", "a bucket name of small letters, digits, hyphens", True),
        _STATE,
        variable=False,
    ),
    Field("fargate_weight", 1, "share of tasks that run on demand", checks.number(0, 1000), _CAPACITY),
    Field(
        "spot_weight", 0, "share of tasks that run on Spot, which AWS may take back", checks.number(0, 1000), _CAPACITY
    ),
    _choice(
        "architecture",
        ("X86_64", "ARM64"),
        "what containers of images for both platforms run on",
        _CAPACITY,
        variable=False,
    ),
    Field(
        "default_cpu_units",
        256,
        "CPU of a container that asks for none (1024 = 1 vCPU)",
        checks.number(256, 16384),
        _CAPACITY,
        variable=False,
    ),
    Field(
        "default_memory_mib",
        512,
        "memory of a container that asks for none",
        checks.number(512, 122880),
        _CAPACITY,
        variable=False,
    ),
    Field(
        "max_cpu_units",
        16384,
        "most CPU one container may ask for",
        checks.number(256, 16384),
        _CAPACITY,
        variable=False,
    ),
    Field(
        "max_memory_mib",
        122880,
        "most memory one container may ask for",
        checks.number(512, 122880),
        _CAPACITY,
        variable=False,
    ),
    Field("tags", (), "further tags on every resource", checks.tags, "Tags", flag="tag"),
)
BY_NAME: Mapping[str, Field] = {field.name: field for field in FIELDS}


def check(name: str, value: Any) -> Any:
    """The checked value of the key called name; InvalidParameter names the key."""
    try:
        return BY_NAME[name].check(value)
    except (ValueError, TypeError) as error:
        shown = repr(value)
        raise InvalidParameter(f"{name}: {shown[:80]}{'…' if len(shown) > 80 else ''} is not valid: {error}") from None


def check_all(values: Mapping[str, Any]) -> dict[str, Any]:
    """Every key's value, defaults for those not given. InvalidParameter names every key that is wrong."""
    problems = [_unknown(key) for key in values if key not in BY_NAME]
    checked: dict[str, Any] = {}
    for field in FIELDS:
        try:
            checked[field.name] = check(field.name, values.get(field.name, field.default))
        except InvalidParameter as error:
            problems.append(error.message)
    if not problems:
        problems = disagreements(checked)
    if problems:
        raise InvalidParameter("; ".join(problems))
    return checked


def disagreements(values: Mapping[str, Any]) -> list[str]:
    """What does not fit together, a sentence each that starts with the key to change. values: all keys, checked."""
    existing = values["network"] == "existing"
    problems = []
    if existing and not values["vpc_id"]:
        problems.append("vpc_id: network existing needs the VPC's id")
    if existing and not values["subnet_ids"]:
        problems.append("subnet_ids: network existing needs at least one subnet's id")
    problems += [
        f"{key}: only network existing takes it"
        for key in ("vpc_id", "subnet_ids", "security_group_ids", "assign_public_ip")
        if values[key] and not existing
    ]
    if "docker-hub" in values["pull_through"] and not values["docker_hub_secret_arn"]:
        problems.append("docker_hub_secret_arn: pull_through docker-hub needs the secret with a Docker Hub account")
    if problem := _long_cache_prefix(values["repository_prefix"] or values["name"], values["pull_through"]):
        problems.append(problem)
    if values["state_bucket"] and values["state"] != "s3":
        problems.append("state_bucket: only state s3 takes it")
    if not values["fargate_weight"] and not values["spot_weight"]:
        problems.append("fargate_weight: it and spot_weight cannot both be 0")
    return [*problems, *_size_problems(values)]


def _size_problems(values: Mapping[str, Any]) -> list[str]:
    """Why the default size, rounded up to one that Fargate sells, is beyond the maximum."""
    limits = Limits(**{field.name: values[field.name] for field in dataclasses.fields(Limits)})
    try:
        size_for(0, 0, limits)
    except InvalidParameter as error:
        key = "default_cpu_units" if limits.default_cpu_units > limits.max_cpu_units else "default_memory_mib"
        return [f"{key}: {error.message}"]
    return []


def _long_cache_prefix(prefix: str, upstreams: tuple[str, ...]) -> str:
    """What is wrong with the prefix of cached repositories, "" when nothing is."""
    most = MAX_CACHE_PREFIX - max((len(f"/{upstream}") for upstream in upstreams), default=0)
    if not upstreams or len(prefix) <= most:
        return ""
    return (
        f"repository_prefix: with pull_through it, or else name, has at most {most} characters, and {prefix} has more"
    )


def _unknown(key: str) -> str:
    near = difflib.get_close_matches(key, BY_NAME, n=1, cutoff=_MISSPELT) or _sharing_a_word(key)[:_MOST_MEANT]
    hint = f"did you mean {' or '.join(near)}?" if near else f"the keys are {', '.join(BY_NAME)}"
    return f"{key[:80]}: there is no such key; {hint}"


def _sharing_a_word(key: str) -> list[str]:
    """The keys that hold one of its words: cidr is in network_cidr and daemon_cidrs."""
    words = [word for word in key.lower().replace("-", "_").split("_") if len(word) > 2]
    return [name for name in BY_NAME if any(word in name for word in words)]
