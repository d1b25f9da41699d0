"""ECS's task state change events, as they lie in a queue.

Owns the reading of one message's body. Events come at least once and in no order: the view's version tells which of
two is newer. Source: Amazon ECS developer guide, "Amazon ECS task state change events": detail is DescribeTasks' Task,
but its times are ISO 8601 text and the network interface's attachment is of type eni.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime

from sockerless.ecs.state import TaskView, view
from sockerless.errors import InvalidParameter
from sockerless.types import JsonObject

SOURCE = "aws.ecs"
DETAIL_TYPE = "ECS Task State Change"
_TIMES = ("createdAt", "startedAt", "stoppingAt", "executionStoppedAt", "stoppedAt")


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """What one event tells: the cluster's name, and the task as it was after the change. view.version is above 0."""

    cluster: str
    view: TaskView


def parse(body: str) -> TaskEvent:
    """The event in a message's body; InvalidParameter says why it is none."""
    try:
        document = json.loads(body)
        if (document["source"], document["detail-type"]) != (SOURCE, DETAIL_TYPE):
            raise InvalidParameter(f"it is of type {document['detail-type']!r} from {document['source']!r}")
        detail: JsonObject = document["detail"]
        seen = view(detail | {name: _moment(detail[name]) for name in _TIMES if detail.get(name)})
        cluster = cluster_name(detail["clusterArn"])
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidParameter(f"it is not an event as ECS documents them: {error!r}") from None
    if seen.version < 1 or not seen.last_status:
        raise InvalidParameter("it tells neither the task's version nor its status")
    return TaskEvent(cluster, seen)


def cluster_name(name_or_arn: str) -> str:
    """The name of a cluster that is given by name or ARN."""
    return name_or_arn.rpartition("/")[2]


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
