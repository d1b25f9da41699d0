"""A deployment as terraform would tell of it, for tests that need no terraform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sockerless.kit import outputs, project
from sockerless.kit.outputs import Deployment

OUTPUTS: dict[str, Any] = {
    "region": "eu-central-1",
    "cluster_name": "test",
    "cluster_arn": "arn:aws:ecs:eu-central-1:123456789012:cluster/test",
    "vpc_id": "vpc-0a",
    "zone_names": ["eu-central-1a", "eu-central-1b"],
    "task_subnet_ids": ["subnet-0c", "subnet-0d"],
    "public_subnet_ids": ["subnet-0a", "subnet-0b"],
    "private_subnet_ids": ["subnet-0c", "subnet-0d"],
    "security_group_ids": ["sg-0a"],
    "daemon_security_group_ids": ["sg-0b"],
    "assign_public_ip": False,
    "interface_endpoints": [],
    "execution_role_arn": "arn:aws:iam::123456789012:role/execution",
    "task_role_arn": "arn:aws:iam::123456789012:role/task",
    "agent_installer_role_arn": "arn:aws:iam::123456789012:role/installer",
    "daemon_policy_arn": "arn:aws:iam::123456789012:policy/daemon",
    "daemon_policy": '{"Version":"2012-10-17","Statement":[]}',
    "kms_key_arn": "arn:aws:kms:eu-central-1:123456789012:key/0a",
    "log_group_name": "/test",
    "efs_file_system_id": "fs-0a",
    "agent_access_point_id": "fsap-0a",
    "images_repository_url": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/images",
    "agent_repository_url": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/agent",
    "repository_prefix": "test",
    "pull_through": {
        "quay.io": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/quay",
        "docker.io": "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/docker-hub",
    },
    "events_queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/test-events",
    "failed_starts_queue_url": "https://sqs.eu-central-1.amazonaws.com/123456789012/test-failed-starts",
}


def document(**differing: Any) -> dict[str, Any]:
    """What `terraform output -json` prints."""
    return {name: {"sensitive": False, "value": value} for name, value in (OUTPUTS | differing).items()}


def deployment(directory: Path, outputs_differing: dict[str, Any] | None = None, **settings: Any) -> Deployment:
    """A deployment in this directory."""
    here = project.from_mapping(directory, settings)
    return Deployment(directory, here, outputs.parse(document(**(outputs_differing or {})), here))
