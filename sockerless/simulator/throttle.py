"""The token buckets that ECS, Fargate and CloudWatch Logs hold callers to, per account and region.

Source: ECS API reference, "Request throttling"; developer guide, "Fargate throttling"; CloudWatch Logs quotas.
Knows no HTTP; the clock is given.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket's size and its refill a second."""

    burst: float
    refill_per_s: float


def _shared(bucket: Bucket, *actions: str) -> dict[str, tuple[str, Bucket]]:
    """actions that draw from one bucket, which the first names."""
    return dict.fromkeys(actions, (actions[0], bucket))


BUCKETS: dict[str, tuple[str, Bucket]] = {
    **_shared(Bucket(20, 1), "ecs.RegisterTaskDefinition", "ecs.DeregisterTaskDefinition"),
    **_shared(Bucket(5, 1), "ecs.DeleteTaskDefinitions"),
    **_shared(
        Bucket(50, 20),
        "ecs.DescribeTaskDefinition",
        "ecs.ListTaskDefinitions",
        "ecs.ListTaskDefinitionFamilies",
    ),
    **_shared(Bucket(100, 40), "ecs.StopTask", "ecs.StartTask", "ecs.ExecuteCommand", "ecs.PutAttributes"),
    **_shared(Bucket(20, 20), "ecs.RunTask"),
    **_shared(Bucket(100, 20), "ecs.DescribeTasks", "ecs.ListTasks", "ecs.DescribeContainerInstances"),
    **_shared(Bucket(20, 10), "ecs.TagResource", "ecs.UntagResource"),
    **_shared(Bucket(50, 20), "ecs.ListTagsForResource"),
    **_shared(
        Bucket(20, 1),
        "ecs.CreateCluster",
        "ecs.DeleteCluster",
        "ecs.UpdateCluster",
        "ecs.UpdateClusterSettings",
        "ecs.PutClusterCapacityProviders",
    ),
    **_shared(Bucket(50, 20), "ecs.DescribeClusters", "ecs.ListClusters"),
    **_shared(Bucket(50, 5), "ecs.CreateService", "ecs.UpdateService", "ecs.DeleteService"),
    **_shared(Bucket(100, 20), "ecs.DescribeServices", "ecs.ListServices"),
    **_shared(Bucket(10, 1), "ecs.CreateCapacityProvider", "ecs.UpdateCapacityProvider", "ecs.DeleteCapacityProvider"),
    **_shared(Bucket(25, 25), "logs.GetLogEvents"),
    **_shared(Bucket(10, 10), "logs.FilterLogEvents"),
    **_shared(Bucket(25, 25), "logs.DescribeLogStreams"),
}
"""Action to the name of its bucket and its size."""
LOG_READS_PER_S = {
    "logs.GetLogEvents": {"us-west-2": 10, "eu-west-1": 10, "eu-central-1": 10, "eu-west-3": 30},
    "logs.FilterLogEvents": {"us-east-1": 25, "eu-central-1": 5},
}
"""Regions whose quota differs: GetLogEvents is 25 a second elsewhere, FilterLogEvents 10."""
TASK_LAUNCHES = Bucket(100, 20)
"""Fargate task launches, on-demand and Spot each."""


@dataclass(slots=True)
class _Level:
    tokens: float
    at_s: float


class Throttle:
    """The buckets' levels. Thread-safe. clock: seconds, monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = Lock()
        self._levels: dict[tuple[str, str, str], _Level] = {}

    def admits(self, account_id: str, region: str, action: str) -> bool:
        """Whether the call may pass; takes its token when it may."""
        if action not in BUCKETS:
            return True
        name, bucket = BUCKETS[action]
        per_s = LOG_READS_PER_S.get(action, {}).get(region)
        bucket = Bucket(per_s, per_s) if per_s else bucket
        return self.take((account_id, region, name), bucket, 1)

    def launches(self, account_id: str, region: str, provider: str, count: int) -> bool:
        """Whether Fargate launches count more tasks now, on demand or on Spot; takes the tokens when it does."""
        return self.take((account_id, region, f"launch:{provider}"), TASK_LAUNCHES, count)

    def take(self, key: tuple[str, str, str], bucket: Bucket, tokens: float) -> bool:
        """Takes tokens from the bucket of this key, all or none."""
        now_s = self._clock()
        with self._lock:
            level = self._levels.setdefault(key, _Level(bucket.burst, now_s))
            level.tokens = min(bucket.burst, level.tokens + (now_s - level.at_s) * bucket.refill_per_s)
            level.at_s = now_s
            if level.tokens < tokens:
                return False
            level.tokens -= tokens
            return True
