"""The option matrix: every network with every encryption and every place of the state, then ARM64 and Spot."""

from __future__ import annotations

import itertools
from typing import Any

NETWORKS = ("nat", "public", "private", "existing")
ENCRYPTIONS = ("customer", "aws")
STATES = ("local", "s3")
BUCKET = "states-of-the-matrix"
EXISTING = {"vpc_id": "vpc-0123456789abcdef0", "subnet_ids": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]}
"""Stands for a VPC that is there, where nothing asks for it."""


def _crossed(network: str, encryption: str, state: str) -> dict[str, Any]:
    settings = {"network": network, "encryption": encryption, "state": state}
    return settings | ({"state_bucket": BUCKET} if state == "s3" else {})


MATRIX: dict[str, dict[str, Any]] = {
    **{"-".join(each): _crossed(*each) for each in itertools.product(NETWORKS, ENCRYPTIONS, STATES)},
    "arm": {"architecture": "ARM64"},
    "spot": {"fargate_weight": 0, "spot_weight": 1},
}
"""The settings of each rendering by its name, which is the deployment's, too."""


def settings_of(case: str, existing: dict[str, Any] = EXISTING) -> dict[str, Any]:
    """The settings of one rendering; existing: the VPC and subnets of network existing."""
    settings = MATRIX[case]
    return {"name": case, **settings, **(existing if settings.get("network") == "existing" else {})}
