"""Events tell of task changes; ECS is asked where they do not, and said so once."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest

from sockerless.aws.session import Aws
from sockerless.backend import task_events
from sockerless.backend.poller import Patience, Poller
from sockerless.ecs.state import TaskView, view
from sockerless.errors import Unavailable
from tests.backend.rig import eventually
from tests.ecs.task_events import CLUSTER_ARN, event

QUEUE = "https://sqs.us-west-2.amazonaws.com/111122223333/test-events"


class FakeQueue:
    """Stands in for aws.session.Aws: one queue, whose messages stay until they are deleted. closed: cannot be asked."""

    def __init__(self) -> None:
        self.messages: dict[str, str] = {}
        self.closed = False
        self.waits: list[int] = []
        self.calls: Counter[str] = Counter()
        self._came = asyncio.Event()

    def send(self, *bodies: str) -> None:
        for body in bodies:
            self.messages[f"receipt-{sum(self.calls.values())}-{len(self.messages)}"] = body
        self._came.set()

    def close(self) -> None:
        """From now on every call fails, those under way too."""
        self.closed = True
        self._came.set()

    async def wait(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        self.calls[operation] += 1
        self.waits.append(request["WaitTimeSeconds"])
        if not self.closed and not self.messages and request["WaitTimeSeconds"]:
            self._came.clear()
            await self._came.wait()
        if self.closed:
            raise Unavailable("sqs:ReceiveMessage failed: Connection refused")
        return {"Messages": [{"ReceiptHandle": r, "Body": b} for r, b in list(self.messages.items())[:10]]}

    async def call(self, service: str, operation: str, **request: Any) -> dict[str, Any]:
        self.calls[operation] += 1
        for entry in request["Entries"]:
            self.messages.pop(entry["ReceiptHandle"], None)
        return {"Successful": request["Entries"]}


class FakeTasks:
    """What DescribeTasks answers: ARN -> (version, status). asked: how often it was."""

    def __init__(self) -> None:
        self.tasks: dict[str, tuple[int, str]] = {}
        self.asked = 0

    async def __call__(self, arns: list[str]) -> dict[str, TaskView]:
        self.asked += 1
        return {arn: seen(arn, *self.tasks[arn]) for arn in arns if arn in self.tasks}


def seen(arn: str, version: int = 1, status: str = "PROVISIONING") -> TaskView:
    """A task as DescribeTasks and RunTask tell it."""
    return view({"taskArn": arn, "lastStatus": status, "version": version})


class Daemon:
    """A poller and the reading of its queue."""

    def __init__(self, patience: Patience) -> None:
        self.tasks, self.queue = FakeTasks(), FakeQueue()
        self.poller = Poller(self.tasks, patience)

    @contextlib.asynccontextmanager
    async def running(self, cluster: str = "test") -> AsyncIterator[None]:
        """Both loops run; the queue has answered once."""
        reading = task_events.follow(cast(Aws, self.queue), QUEUE, cluster, self.poller)
        loops = [asyncio.create_task(self.poller.run()), asyncio.create_task(reading)]
        try:
            await eventually(lambda: self.poller.told or self.queue.closed)
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.gather(*loops, return_exceptions=True)


@pytest.fixture
def daemon() -> Daemon:
    return Daemon(Patience())


async def test_a_whole_life_is_told_without_asking_ecs(daemon: Daemon) -> None:
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=True, view=seen("a"))
        for version, status in enumerate(("PENDING", "ACTIVATING", "RUNNING", "DEACTIVATING"), start=2):
            daemon.queue.send(event(version, status, "a"))
            await eventually(lambda status=status: watch.view.last_status == status)  # type: ignore[misc, union-attr]
        daemon.queue.send(event(9, "STOPPED", "a"))
        async with asyncio.timeout(5):
            await watch.ended()
        await eventually(lambda: daemon.queue.messages == {})
    assert daemon.tasks.asked == 0
    assert daemon.queue.waits[0] == 0, "whether the queue answers is known at once"
    assert set(daemon.queue.waits[1:]) == {20}


async def test_old_and_repeated_events_change_nothing(daemon: Daemon) -> None:
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=True, view=seen("a"))
        daemon.queue.send(event(3, "RUNNING", "a"), event(2, "PENDING", "a"), event(3, "DEACTIVATING", "a"))
        daemon.queue.send(event(1, "STOPPED", "a"))
        await eventually(lambda: daemon.queue.messages == {})
    assert watch.view is not None
    assert (watch.view.version, watch.view.last_status) == (3, "RUNNING")


async def test_an_event_that_comes_before_run_tasks_answer_is_kept_for_it(daemon: Daemon) -> None:
    async with daemon.running():
        daemon.queue.send(event(3, "STOPPED", "a"), event(2, "PENDING", "a"))
        await eventually(lambda: daemon.queue.messages == {})
        assert daemon.poller.watch("a", urgent=True, view=seen("a")).over


async def test_a_task_of_which_nothing_is_known_is_asked_about_at_once(daemon: Daemon) -> None:
    daemon.tasks.tasks["a"] = (4, "RUNNING")
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=True)
        await eventually(lambda: watch.view is not None)
    assert daemon.tasks.asked == 1


@pytest.mark.parametrize("cluster", ["test", CLUSTER_ARN])
async def test_what_is_not_this_clusters_is_deleted_and_logged_and_the_rest_is_taken(
    daemon: Daemon, cluster: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with daemon.running(cluster):
        watch = daemon.poller.watch("a", urgent=True, view=seen("a"))
        other = event(9, "STOPPED", "a", clusterArn=CLUSTER_ARN.replace("/test", "/other"))
        daemon.queue.send("garbage", other, event(2, "PENDING", "a"))
        await eventually(lambda: daemon.queue.messages == {})
    assert watch.view is not None
    assert watch.view.last_status == "PENDING"
    warnings = [record.message for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.partition(":")[0] for text in warnings] == [
        "dropped a message in the queue of task events",
        f"dropped an event of cluster other in the queue of task events of {cluster}".partition(":")[0],
    ]


async def test_a_queue_that_cannot_be_read_makes_ecs_be_asked_says_so_once_and_comes_back(
    daemon: Daemon, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    daemon.tasks.tasks["a"] = (2, "PENDING")
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=True, view=seen("a"))
        daemon.queue.close()
        await eventually(lambda: daemon.tasks.asked >= 3)
        assert watch.view is not None
        assert watch.view.last_status == "PENDING"
        await eventually(lambda: daemon.queue.calls["ReceiveMessage"] >= 4)
        daemon.queue.closed = False
        daemon.queue.send(event(3, "RUNNING", "a"))
        await eventually(lambda: daemon.poller.told and watch.view.last_status == "RUNNING", timeout_s=10)  # type: ignore[union-attr]
    said = [record.message for record in caplog.records if "queue" in record.message]
    assert said == [
        f"the queue {QUEUE} tells of task changes",
        "cannot read the queue of task events, asking ECS about tasks until it can be: "
        "sqs:ReceiveMessage failed: Connection refused",
        f"the queue {QUEUE} tells of task changes",
    ]


async def test_a_silent_task_is_asked_about_less_and_less_often() -> None:
    daemon = Daemon(Patience(most_s=0.8, urgent_s=0.1, event_s=60))
    daemon.tasks.tasks["a"] = (1, "PROVISIONING")
    async with daemon.running():
        daemon.poller.watch("a", urgent=True, view=seen("a"))
        await asyncio.sleep(1.6)
    assert 3 <= daemon.tasks.asked <= 5, "after 0.1, 0.2, 0.4 and 0.8 s, give or take a fifth"


async def test_events_that_do_not_come_make_ecs_be_asked_until_they_do(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    daemon = Daemon(Patience(most_s=0.2, urgent_s=0.2, event_s=0.1))
    daemon.tasks.tasks["a"] = (2, "RUNNING")
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=False, view=seen("a"))
        await eventually(lambda: not daemon.poller.told)
        assert watch.view is not None
        assert watch.view.last_status == "RUNNING", "ECS was asked"
        daemon.queue.send(event(2, "RUNNING", "a"))
        await eventually(lambda: daemon.poller.told)
        await asyncio.sleep(0.5)
        assert daemon.poller.told, "what was missing has come"
    said = [record.message for record in caplog.records if record.name.endswith(".poller")]
    assert said[0].startswith("no event has told of a change of a that ECS knew before: asking ECS about tasks")
    assert said[1:] == ["task events come again"]
    assert set(daemon.queue.waits[1:]) == {20}, "the queue is waited on all the while"


async def test_an_older_answer_of_describe_tasks_does_not_undo_an_event() -> None:
    daemon = Daemon(Patience(most_s=0.1, urgent_s=0.1))
    daemon.tasks.tasks["a"] = (1, "PROVISIONING")
    async with daemon.running():
        watch = daemon.poller.watch("a", urgent=True, view=seen("a"))
        daemon.queue.send(event(3, "RUNNING", "a"))
        await eventually(lambda: daemon.tasks.asked >= 3)
    assert watch.view is not None
    assert watch.view.last_status == "RUNNING"
