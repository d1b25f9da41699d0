"""ECS tells the default event bus of each change of a task. Callers hold the simulator's lock.

Source: ECS developer guide, "Amazon ECS task state change events": the detail is the task as DescribeTasks has it,
without tags, with updatedAt, and with attachments of type "eni"; detail.version grows with every change.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from moto.events.models import events_backends

from sockerless.simulator.faults import Faults
from sockerless.simulator.tasks import JsonObject, Task, now

DETAIL_TYPE = "ECS Task State Change"


class TaskEvents:
    """Puts events on the bus of the account and region a task lives in, except those a fault takes."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults

    def tell(self, task: Task) -> None:
        """Tells what the task is now; the caller has counted its version up."""
        if self._faults.take("event", task.last_status):
            return
        _, _, _, region, account_id, _ = task.arn.split(":", 5)
        event = {
            "Source": "aws.ecs",
            "DetailType": DETAIL_TYPE,
            "Resources": [task.arn],
            "Detail": json.dumps(_detail(task), default=_encoded),
        }
        events_backends[account_id][region].put_events([event])


def _detail(task: Task) -> JsonObject:
    document = task.describe(with_tags=False)
    attachments = [attachment | {"type": "eni"} for attachment in document["attachments"]]
    return document | {"attachments": attachments, "updatedAt": now()}


def _encoded(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    raise TypeError(f"{type(value).__name__} is not JSON")
