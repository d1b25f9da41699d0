"""Which regions there are, as far as the installed botocore knows. Makes no call."""

from __future__ import annotations

import boto3

_OPEN = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
"""By partition a region that every account of it may use."""


def known() -> dict[str, str]:
    """Every region with ECS, to its partition."""
    session = boto3.session.Session()
    partitions = session.get_available_partitions()
    return {region: partition for partition in partitions for region in session.get_available_regions("ecs", partition)}


def open_region(partition: str) -> str | None:
    """A region of the partition that needs no enabling; None for one we know none of."""
    return _OPEN.get(partition)
