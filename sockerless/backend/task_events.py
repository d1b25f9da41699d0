"""Task changes as ECS's events tell them, through EventBridge and a queue of this daemon's own.

Owns the reading of the queue. Laws: a message is deleted only after it was taken; what is no event of this cluster's
tasks is logged and deleted; a queue that cannot be read makes the poller ask ECS, as without one.
Source: Amazon ECS developer guide, "Amazon ECS events" (at least once, in no order).
"""

from __future__ import annotations

import asyncio
import logging

from sockerless.aws import sqs
from sockerless.aws.session import Aws
from sockerless.backend.poller import Poller
from sockerless.ecs.task_events import cluster_name, parse
from sockerless.errors import InvalidParameter, SockerlessError

log = logging.getLogger(__name__)

FIRST_PAUSE_S, LARGEST_PAUSE_S = 1.0, 60.0
"""Between attempts to read a queue that cannot be read, doubling."""


async def follow(aws: Aws, queue_url: str, cluster: str, poller: Poller) -> None:
    """Hands the events in the queue to the poller until cancelled."""
    pause_s = FIRST_PAUSE_S
    answers: bool | None = None
    while True:
        try:
            messages = await sqs.receive(aws, queue_url, sqs.LONGEST_WAIT_S if answers else 0)
            for message in messages:
                _take(message.body, cluster, poller)
            await sqs.delete(aws, queue_url, messages)
        except SockerlessError as error:
            if answers is not False:
                log.warning("cannot read the queue of task events, asking ECS about tasks until it can be: %s", error)
            answers = False
            poller.queue_answers(answers)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, LARGEST_PAUSE_S)
            continue
        if not answers:
            log.info("the queue %s tells of task changes", queue_url)
        answers, pause_s = True, FIRST_PAUSE_S
        poller.queue_answers(answers)


def _take(body: str, cluster: str, poller: Poller) -> None:
    try:
        event = parse(body)
    except InvalidParameter as error:
        log.warning("dropped a message in the queue of task events: %s", error)
        return
    if event.cluster == cluster_name(cluster):
        poller.take(event.view)
    else:
        log.warning("dropped an event of cluster %s in the queue of task events of %s", event.cluster, cluster)
