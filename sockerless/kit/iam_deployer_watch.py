"""What a deployer may do with what tells of a deployment: logs, events, alarms, the dashboard, quotas and tags.

Source: Service Authorization Reference; terraform's AWS provider 5.100 for what it calls.
"""

from __future__ import annotations

from sockerless.kit.iam_scope import Scope, allow
from sockerless.types import JsonObject


def statements(scope: Scope) -> list[JsonObject]:
    """For all of them."""
    return [*_logs(scope), *_events(scope), *_alarms(scope), *_account(scope)]


def _logs(scope: Scope) -> list[JsonObject]:
    group = f"log-group:/{scope.name}"
    return [
        allow("FindLogGroups", "logs", "DescribeLogGroups"),
        allow(
            "LogGroups",
            "logs",
            "AssociateKmsKey CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogStreams "
            "DisassociateKmsKey GetLogEvents ListTagsForResource PutRetentionPolicy TagResource UntagResource",
            scope.arns("logs", group, f"{group}:*", f"{group}/*"),
        ),
    ]


def _events(scope: Scope) -> list[JsonObject]:
    return [
        allow(
            "Rules",
            "events",
            "DeleteRule DescribeRule ListTagsForResource ListTargetsByRule PutRule PutTargets RemoveTargets "
            "TagResource UntagResource",
            scope.arns("events", f"rule/{scope.name}-*"),
        ),
        allow(
            "Queues",
            "sqs",
            "CreateQueue DeleteQueue GetQueueAttributes GetQueueUrl ListQueueTags SetQueueAttributes TagQueue "
            "UntagQueue",
            scope.arns("sqs", f"{scope.name}-*"),
        ),
    ]


def _alarms(scope: Scope) -> list[JsonObject]:
    dashboard = f"arn:{scope.partition}:cloudwatch::{scope.account_id}:dashboard/{scope.prefix}"
    return [
        allow("SeeAlarms", "cloudwatch", "DescribeAlarms", scope.arns("cloudwatch", "alarm:*")),
        allow(
            "Alarms",
            "cloudwatch",
            "DeleteAlarms ListTagsForResource PutMetricAlarm TagResource UntagResource",
            scope.arns("cloudwatch", f"alarm:{scope.name}-*"),
        ),
        allow("Dashboard", "cloudwatch", "DeleteDashboards GetDashboard PutDashboard", [dashboard]),
    ]


def _account(scope: Scope) -> list[JsonObject]:
    """What the kit looks up before and after: region, quotas, what its caller may, what still carries the tag."""
    return [
        allow("Regions", "ec2", "DescribeRegions"),
        allow("Quotas", "servicequotas", "GetAWSDefaultServiceQuota GetServiceQuota"),
        allow("Simulate", "iam", "GetRole SimulatePrincipalPolicy", scope.iam("user/${aws:username}", "role/*")),
        allow("FindByTag", "tag", "GetResources"),
    ]
