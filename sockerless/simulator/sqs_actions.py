"""SQS's long polls, which must not hold up the rest of AWS while they wait; and a queue's policy, which stays.

AWS calls are served one at a time under the simulator's lock; a poll that finds nothing gives it up until something
is sent, or the time is over. Source: SQS developer guide, "Short and long polling"; moto 5.2, sqs/models.py (which
forgets the policy when another attribute is set).
"""

from __future__ import annotations

import time
from threading import Condition, Event
from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend

from sockerless.simulator.hooks import Hooks

REAPPEARING_S = 0.5
"""How often a poll looks for messages that became visible again, or whose delay is over; nothing tells of those."""


def install(hooks: Hooks, sent: Condition, ending: Event) -> None:
    """Serves SQS as this simulator does. sent: over the simulator's lock. ending: set when the simulator stops."""

    def receive_message(
        backend: SQSBackend, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any
    ) -> list[Message]:
        deadline = time.monotonic() + wait_seconds_timeout
        while True:
            found: list[Message] = receive(backend, queue_name, count, 0, *rest)
            remaining = deadline - time.monotonic()
            if found or remaining <= 0 or ending.is_set():
                return found
            sent.wait(min(remaining, REAPPEARING_S))

    def add_message(queue: Queue, message: Message) -> None:
        add(queue, message)
        with sent:
            sent.notify_all()

    def set_attributes(queue: Queue, attributes: dict[str, Any], now: float | None = None) -> None:
        kept = {"Policy": queue.policy} if hasattr(queue, "_policy_json") else {}
        set_plainly(queue, kept | attributes, now)

    set_plainly = hooks.replace(Queue, "_set_attributes", set_attributes)
    receive = hooks.replace(SQSBackend, "receive_message", receive_message)
    add = hooks.replace(Queue, "add_message", add_message)
