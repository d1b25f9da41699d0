"""EventBridge's deliveries: what a rule matches goes into SQS queues whose policy, and key, let that rule write.

Differs from AWS: other targets than queues, and transformed input, are refused when they are put. An event that
cannot be delivered is dropped at once; AWS retries for a day, and then drops it too.
Source: EventBridge user guide, "Event structure" and "Permissions for Amazon SQS"; moto 5.2, events/models.py (which
asks no policy, heeds no disabled rule, and leaves the account out of what it delivers).
"""

from __future__ import annotations

import json
from datetime import UTC, datetime

from moto.events.models import EventsBackend, Rule
from moto.events.utils import EventMessageType
from moto.sqs.models import Queue, sqs_backends

from sockerless.simulator import kms_keys, service_policy
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject

_MEMBERS = ("version", "id", "detail-type", "source", "account", "time", "region", "resources", "detail")


def _queue(arn: str) -> Queue | None:
    _, _, _, region, account_id, name = arn.split(":", 5)
    queue: Queue | None = sqs_backends[account_id][region].queues.get(name)
    return queue


def _lets_in(queue: Queue, rule: Rule) -> bool:
    key = queue.attributes.get("KmsMasterKeyId")
    source = {"aws:SourceArn": rule.arn, "aws:SourceAccount": rule.account_id}
    let = service_policy.lets(queue.policy, "events.amazonaws.com", "sqs:SendMessage", queue.queue_arn, source)
    return let and (not key or kms_keys.lets_events(queue.account_id, queue.region, key, rule.arn))


def _body(event: EventMessageType) -> str:
    document: JsonObject = {name: member for name, member in event.items() if name in _MEMBERS}
    time = datetime.fromtimestamp(float(document["time"]), UTC)
    return json.dumps(document | {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ")})


def send_to_targets(rule: Rule, original_event: EventMessageType, transform_input: bool = True) -> None:
    """Delivers an event to the queues of a rule that matches it."""
    if rule.state != "ENABLED" or not rule.event_pattern.matches_event(original_event):
        return
    for target in rule.targets:
        queue = _queue(target["Arn"])
        if queue is not None and _lets_in(queue, rule):
            group_id = target.get("SqsParameters", {}).get("MessageGroupId")
            backend = sqs_backends[queue.account_id][queue.region]
            backend.send_message(queue_name=queue.name, message_body=_body(original_event), group_id=group_id)


def install(hooks: Hooks) -> None:
    """Delivers events as this simulator does."""

    def put_targets(backend: EventsBackend, name: str, event_bus_arn: str | None, targets: list[JsonObject]) -> None:
        for target in targets:
            if ":sqs:" not in target["Arn"]:
                raise NotImplementedError(f"the event target {target['Arn']}: only SQS queues are")
            transformed = {"Input", "InputPath", "InputTransformer"} & target.keys()
            if transformed:
                raise NotImplementedError(f"{transformed.pop()} of an event target")
        put(backend, name, event_bus_arn, targets)

    put = hooks.replace(EventsBackend, "put_targets", put_targets)
    hooks.replace(Rule, "send_to_targets", send_to_targets)
