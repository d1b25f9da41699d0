"""What Terraform asks of EC2 and moto answers differently from AWS.

Source: EC2 API reference, SecurityGroupRule; moto 5.2, ec2/models/security_groups.py (a rule's description is read
from its address range only, although a rule that names a group keeps it beside the group).
"""

from __future__ import annotations

from moto.ec2.models.security_groups import SecurityGroupRule

from sockerless.simulator.hooks import Hooks


def _description(rule: SecurityGroupRule) -> str | None:
    return rule.ip_range.get("Description") or rule.source_group.get("Description")


def install(hooks: Hooks) -> None:
    """Serves EC2 as this simulator does."""
    hooks.replace(SecurityGroupRule, "description", property(_description))
