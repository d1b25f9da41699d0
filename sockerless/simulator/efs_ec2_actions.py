"""What terraform asks of EFS and EC2 and moto lacks: without it a second plan is not empty and destroy does not end.

Source: Amazon EFS API (DeleteFileSystemPolicy), Amazon EC2 API (SecurityGroupRule.Description); moto 5.2,
efs/models.py (no such action), ec2/models/security_groups.py (a rule's description is read from its address range
only, a rule that names a group keeps it beside the group).
"""

from __future__ import annotations

from moto.core.responses import BaseResponse
from moto.ec2.models.security_groups import SecurityGroupRule
from moto.efs.exceptions import FileSystemNotFound
from moto.efs.models import efs_backends
from moto.efs.responses import EFSResponse

from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject


def install(hooks: Hooks) -> None:
    """Serves them."""
    hooks.action(EFSResponse, "delete_file_system_policy", _delete_file_system_policy)
    hooks.replace(SecurityGroupRule, "description", property(_description))


def _delete_file_system_policy(response: BaseResponse, document: JsonObject) -> JsonObject:
    file_system_id = document["FileSystemId"]
    file_system = efs_backends[response.current_account][response.region].file_systems_by_id.get(file_system_id)
    if file_system is None:
        raise FileSystemNotFound(file_system_id)
    file_system.file_system_policy = None
    return {}


def _description(rule: SecurityGroupRule) -> str | None:
    return rule.ip_range.get("Description") or rule.source_group.get("Description")
