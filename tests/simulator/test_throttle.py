"""The token buckets, by a clock that the test turns."""

from __future__ import annotations

import pytest

from sockerless.simulator.throttle import BUCKETS, Throttle


class Clock:
    """A clock that stands until it is turned."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def admitted(throttled: Throttle, action: str, calls: int) -> int:
    """How many of so many calls pass."""
    return sum(throttled.admits("1", "r", action) for _ in range(calls))


@pytest.mark.parametrize(
    ("action", "burst", "refill"),
    [
        ("ecs.RegisterTaskDefinition", 20, 1),
        ("ecs.DeleteTaskDefinitions", 5, 1),
        ("ecs.DescribeTaskDefinition", 50, 20),
        ("ecs.RunTask", 20, 20),
        ("ecs.StopTask", 100, 40),
        ("ecs.DescribeTasks", 100, 20),
        ("ecs.TagResource", 20, 10),
        ("logs.GetLogEvents", 25, 25),
    ],
)
def test_a_bucket_holds_its_burst_and_refills_at_its_rate(action: str, burst: int, refill: int) -> None:
    clock = Clock()
    throttled = Throttle(clock)
    assert admitted(throttled, action, burst + 50) == burst
    clock.now_s += 1
    assert admitted(throttled, action, burst + 50) == refill
    clock.now_s += 1000
    assert admitted(throttled, action, burst + 50) == burst


def test_actions_of_one_bucket_share_it_and_others_do_not() -> None:
    throttled = Throttle(Clock())
    assert admitted(throttled, "ecs.RegisterTaskDefinition", 15) == 15
    assert admitted(throttled, "ecs.DeregisterTaskDefinition", 15) == 5
    assert throttled.admits("1", "r", "ecs.StopTask")
    assert throttled.admits("2", "r", "ecs.RegisterTaskDefinition")
    assert throttled.admits("1", "other", "ecs.RegisterTaskDefinition")


@pytest.mark.parametrize(
    ("action", "region", "rate"),
    [
        ("logs.GetLogEvents", "eu-central-1", 10),
        ("logs.GetLogEvents", "us-east-1", 25),
        ("logs.FilterLogEvents", "us-east-1", 25),
        ("logs.FilterLogEvents", "eu-west-1", 10),
    ],
)
def test_log_reads_have_the_regions_rate(action: str, region: str, rate: int) -> None:
    throttled = Throttle(Clock())
    assert sum(throttled.admits("1", region, action) for _ in range(100)) == rate


def test_what_has_no_bucket_passes() -> None:
    assert "ec2.DescribeSubnets" not in BUCKETS
    assert admitted(Throttle(Clock()), "ec2.DescribeSubnets", 1000) == 1000


def test_launches_are_counted_by_task_and_by_kind_of_capacity() -> None:
    throttled = Throttle(Clock())
    assert all(throttled.launches("1", "r", "on-demand", 10) for _ in range(10))
    assert not throttled.launches("1", "r", "on-demand", 1)
    assert throttled.launches("1", "r", "spot", 10)
