"""The rows of iam_targets.py for what tells of tasks: CloudWatch, its logs, EventBridge, SQS.

Source: Service Authorization Reference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sockerless.simulator import iam_lookups as lookups
from sockerless.simulator.iam_targets import Call, Check, Row, Target, arn, rows


def _queue_key(call: Call) -> Iterable[Check]:
    """Reading what a customer key encrypts: AWS lets SQS decrypt for whoever may."""
    for key in lookups.queue_key(call):
        queue = [arn(call, "sqs:queue", one) for one in _queue(call)]
        keys = {
            "kms:ViaService": (f"sqs.{call.region}.amazonaws.com",),
            "kms:EncryptionContext:aws:sqs:arn": tuple(queue),
            "aws:ViaAWSService": ("true",),
        }
        yield Check("kms:Decrypt", arn(call, "kms:key", key), keys, "kms:key", key)


def _group(call: Call) -> list[str]:
    """Both forms of a group's ARN: AWS's pages do not agree which action takes which."""
    names = [name.removesuffix(":*") for name in call.find("logGroupName || resourceArn")]
    return [form for name in names for form in (name, f"{name}:log-stream:")]


def _stream(call: Call) -> list[str]:
    return [f"{name}:log-stream:{call.parameters['logStreamName']}" for name in call.find("logGroupName")]


_GROUP, _STREAM = Target("logs:log-group", _group), Target("logs:log-stream", _stream)
_LOGS = {
    **rows("logs", "CreateLogGroup", _GROUP, tag="logs:TagResource"),
    **rows(
        "logs",
        "AssociateKmsKey DeleteLogGroup DeleteRetentionPolicy DescribeLogStreams DisassociateKmsKey "
        "FilterLogEvents ListTagsLogGroup PutLogGroupDeletionProtection PutRetentionPolicy TagResource "
        "UntagResource ListTagsForResource",
        _GROUP,
    ),
    **rows("logs", "CreateLogStream GetLogEvents PutLogEvents", _STREAM),
}


def _queue(call: Call) -> list[str]:
    return [url.rpartition("/")[2] for url in call.find("QueueUrl || QueueName")]


_QUEUE = Target("sqs:queue", _queue)
_SQS = {
    **rows("sqs", "CreateQueue", _QUEUE, tag="sqs:TagQueue"),
    **rows("sqs", "ReceiveMessage", _QUEUE, more=_queue_key),
    **rows(
        "sqs",
        "ChangeMessageVisibility ChangeMessageVisibilityBatch DeleteMessage DeleteMessageBatch DeleteQueue "
        "GetQueueAttributes GetQueueUrl ListQueueTags PurgeQueue SendMessage SetQueueAttributes TagQueue "
        "UntagQueue",
        _QUEUE,
    ),
}
for _batch, _one in (
    ("ChangeMessageVisibilityBatch", "ChangeMessageVisibility"),
    ("DeleteMessageBatch", "DeleteMessage"),
):
    _SQS[f"sqs.{_batch}"] = Row((_QUEUE,), action=f"sqs:{_one}")

_RULE = "events:rule-on-default-event-bus"
_EVENTS = {
    **rows("events", "PutRule", Target(_RULE, "Name"), tag="events:TagResource"),
    **rows("events", "DeleteRule DescribeRule DisableRule EnableRule", Target(_RULE, "Name")),
    **rows("events", "PutTargets", Target(_RULE, "Rule"), passes=("Targets[].RoleArn", "events.amazonaws.com")),
    **rows("events", "ListTargetsByRule RemoveTargets", Target(_RULE, "Rule")),
    **rows("events", "ListTagsForResource TagResource UntagResource", Target(_RULE, "ResourceARN")),
}

_ALARM, _DASHBOARD = "cloudwatch:alarm", "cloudwatch:dashboard"
_CLOUDWATCH = {
    **rows("cloudwatch", "PutMetricAlarm", Target(_ALARM, "AlarmName"), tag="cloudwatch:TagResource"),
    **rows("cloudwatch", "DeleteAlarms", Target(_ALARM, "AlarmNames")),
    **rows("cloudwatch", "DescribeAlarms", Target(_ALARM)),
    **rows("cloudwatch", "DeleteDashboards", Target(_DASHBOARD, "DashboardNames")),
    **rows("cloudwatch", "GetDashboard PutDashboard", Target(_DASHBOARD, "DashboardName")),
    **rows("cloudwatch", "ListTagsForResource TagResource UntagResource", Target(_ALARM, "ResourceARN")),
}


WATCH: Mapping[str, Row] = {**_LOGS, **_SQS, **_EVENTS, **_CLOUDWATCH}
"""Operation ("logs.GetLogEvents") to what it needs."""
