"""SQS against moto; waiting neither holds up other calls nor the end of the process."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from sockerless import errors
from sockerless.aws import sqs
from sockerless.aws.session import THREADS, Aws
from tests.aws.conftest import ScriptedAws

ENDS_WHILE_WAITING = """
import asyncio, sys
from tests.aws.conftest import config_for
from sockerless.aws import sqs
from sockerless.aws.session import Aws

async def main():
    waiting = asyncio.create_task(sqs.receive(Aws(config_for(sys.argv[1])), sys.argv[1] + "/1/q"))
    await asyncio.sleep(1)
    assert not waiting.done()
    print("ends", flush=True)

asyncio.run(main())
"""


async def _queue(aws: Aws, name: str) -> str:
    return str((await aws.call("sqs", "CreateQueue", QueueName=name))["QueueUrl"])


async def test_messages_come_ten_at_most_and_again_until_they_are_deleted(aws: Aws) -> None:
    url = await _queue(aws, "many")
    await aws.call("sqs", "SetQueueAttributes", QueueUrl=url, Attributes={"VisibilityTimeout": "0"})
    for number in range(12):
        await aws.call("sqs", "SendMessage", QueueUrl=url, MessageBody=f"body {number}")
    assert len(await sqs.receive(aws, url, 0)) == 10
    taken: list[str] = []
    while messages := await sqs.receive(aws, url, 0):
        await sqs.delete(aws, url, messages)
        taken += [message.body for message in messages]
    assert sorted(taken) == sorted(f"body {number}" for number in range(12))


async def test_nothing_is_asked_of_sqs_to_delete_nothing(aws: Aws) -> None:
    await sqs.delete(aws, "https://nowhere.example/q", [])
    assert aws.calls["sqs", "DeleteMessageBatch"] == 0


async def test_a_refused_deletion_is_told(scripted_aws: Aws, script: ScriptedAws) -> None:
    failed = {"Id": "0", "SenderFault": True, "Code": "ReceiptHandleIsInvalid", "Message": "It has expired."}
    script.answers(Successful=[{"Id": "1"}], Failed=[failed])
    messages = [sqs.Message("old", ""), sqs.Message("new", "")]
    with pytest.raises(errors.SystemFailure, match=r"1 of 2 messages: It has expired\. \(ReceiptHandleIsInvalid\)"):
        await sqs.delete(scripted_aws, script.url, messages)


async def test_a_queue_that_is_not_there_is_not_found_with_the_remedy(aws: Aws, moto_url: str) -> None:
    with pytest.raises(errors.NotFound, match="SOCKERLESS_EVENTS_QUEUE_URL"):
        await sqs.receive(aws, f"{moto_url}/123456789012/nosuch", 0)


async def test_waits_do_not_hold_up_other_calls(aws: Aws, moto_url: str) -> None:
    url = await _queue(aws, "quiet")
    waits = [asyncio.create_task(sqs.receive(aws, url, 2)) for _ in range(THREADS + 1)]
    await asyncio.sleep(0.2)
    began_s = time.monotonic()
    await aws.call("sts", "GetCallerIdentity")
    assert not any(wait.done() for wait in waits)
    assert time.monotonic() - began_s < 2
    assert await asyncio.gather(*waits) == [[]] * (THREADS + 1)


async def test_a_failure_while_waiting_is_translated_as_any_other(open_at: Callable[..., Aws]) -> None:
    with pytest.raises(errors.Unavailable, match="ReceiveMessage failed"):
        await sqs.receive(open_at("http://127.0.0.1:1", attempts=1), "http://127.0.0.1:1/1/q")


def test_a_process_that_waits_can_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began_s = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-c", ENDS_WHILE_WAITING, url], capture_output=True, timeout=60, check=False
        )
        assert (done.returncode, done.stdout) == (0, b"ends\n"), done.stderr.decode()
        assert time.monotonic() - began_s < 15, "it waited for SQS's answer"
