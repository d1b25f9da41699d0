"""SQS: the messages of one queue, waited for and deleted.

Knows no message's meaning. Law: a message that is not deleted comes again; one that is may still come again.
Source: Amazon SQS API reference, ReceiveMessage and DeleteMessageBatch (10 messages at most, 20 s of waiting at most).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sockerless import errors
from sockerless.aws.session import Aws

MESSAGES_PER_CALL = 10
LONGEST_WAIT_S = 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message: receipt names it for deletion, as received this time."""

    receipt: str
    body: str


async def receive(aws: Aws, queue_url: str, wait_s: int = LONGEST_WAIT_S) -> list[Message]:
    """The next messages, at most MESSAGES_PER_CALL; empty when none came within wait_s (0: what is there now)."""
    answer = await aws.wait(
        "sqs", "ReceiveMessage", QueueUrl=queue_url, MaxNumberOfMessages=MESSAGES_PER_CALL, WaitTimeSeconds=wait_s
    )
    return [Message(message["ReceiptHandle"], message["Body"]) for message in answer.get("Messages", [])]


async def delete(aws: Aws, queue_url: str, messages: Sequence[Message]) -> None:
    """Deletes messages of one receive(); SystemFailure when SQS refuses one of them."""
    if not messages:
        return
    entries = [{"Id": str(number), "ReceiptHandle": message.receipt} for number, message in enumerate(messages)]
    answer = await aws.call("sqs", "DeleteMessageBatch", QueueUrl=queue_url, Entries=entries)
    if failed := answer.get("Failed"):
        raise errors.SystemFailure(
            f"sqs:DeleteMessageBatch failed for {len(failed)} of {len(messages)} messages: "
            f"{failed[0].get('Message') or 'no reason given'} ({failed[0].get('Code')})"
        )
