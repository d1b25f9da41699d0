"""Whether an AWS service may use a KMS key: it must stand, be enabled, and its policy let the service.

Callers hold the simulator's lock. Source: KMS developer guide, "Key policies" and "Encryption context"; what each
service asks for is documented with its functions.
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.kms.models import kms_backends

from sockerless.simulator import service_policy


def lets_logs(account_id: str, region: str, key: str, group_arn: str) -> bool:
    """CloudWatch Logs, for a log group. Source: CloudWatch Logs user guide, "Encrypt log data using KMS"."""
    actions = ("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo", "GenerateDataKey", "DescribeKey")
    context = {"kms:EncryptionContext:aws:logs:arn": group_arn}
    return _lets(account_id, region, key, f"logs.{region}.amazonaws.com", actions, context)


def lets_fargate(account_id: str, region: str, key: str, cluster: str) -> bool:
    """Fargate, for the storage of a cluster's tasks. Source: ECS developer guide, "Customer managed keys"."""
    context = {
        "kms:EncryptionContext:aws:ecs:clusterAccount": account_id,
        "kms:EncryptionContext:aws:ecs:clusterName": cluster,
        "kms:GrantOperations": "Decrypt",
    }
    actions = ("GenerateDataKeyWithoutPlaintext", "CreateGrant")
    return _lets(account_id, region, key, "fargate.amazonaws.com", actions, context)


def lets_events(account_id: str, region: str, key: str, rule_arn: str) -> bool:
    """EventBridge, for what a rule sends to a queue. Source: SQS developer guide, "Configuring KMS permissions"."""
    context = {"aws:SourceArn": rule_arn, "aws:SourceAccount": account_id}
    return _lets(account_id, region, key, "events.amazonaws.com", ("Decrypt", "GenerateDataKey"), context)


def _lets(
    account_id: str, region: str, key: str, service: str, actions: tuple[str, ...], context: Mapping[str, str]
) -> bool:
    """key: an ARN or id; an alias names AWS's own keys, which are for one service each."""
    found = kms_backends[account_id][region].keys.get(key.rpartition("/")[2])
    if found is None or found.key_state != "Enabled":
        return False
    return all(service_policy.lets(found.policy, service, f"kms:{action}", found.arn, context) for action in actions)
