"""CloudWatch Logs: one stream's events, page by page.

Law: pages may be short or empty; a stream's end is the same token twice. Source: CloudWatch Logs API, GetLogEvents.
"""

from __future__ import annotations

from dataclasses import dataclass

from sockerless import errors
from sockerless.aws.session import Aws
from sockerless.config import FILL_COMMAND

_NO_STREAM = "log stream does not exist"
"""AWS's words for a missing stream; its code for a missing group is the same one."""


@dataclass(frozen=True, slots=True)
class LogPage:
    """messages: (milliseconds since the epoch, text) in order; next_token: asks for the page after this one."""

    messages: list[tuple[int, str]]
    next_token: str


async def log_events(aws: Aws, group: str, stream: str, token: str | None) -> LogPage:
    """The page after token, or the first of the stream (None): at most 1 MB or 10,000 events.

    errors.NotFound: the group holds no such stream (yet). A missing group is a SystemFailure: nothing was archived.
    """
    after = {"nextToken": token} if token else {}
    try:
        answer = await aws.call(
            "logs", "GetLogEvents", logGroupName=group, logStreamName=stream, startFromHead=True, **after
        )
    except errors.NotFound as missing:
        if _NO_STREAM in missing.message:
            raise
        raise await _what_is_missing(aws, group, stream) from missing
    return LogPage(
        messages=[(event["timestamp"], event["message"]) for event in answer["events"]],
        next_token=answer["nextForwardToken"],
    )


async def _what_is_missing(aws: Aws, group: str, stream: str) -> errors.SockerlessError:
    """Where the words do not tell a missing group from a missing stream, asking for the streams does."""
    try:
        await aws.call("logs", "DescribeLogStreams", logGroupName=group, logStreamNamePrefix=stream, limit=1)
    except errors.NotFound:
        return errors.SystemFailure(
            f"the CloudWatch log group {group} does not exist; check SOCKERLESS_ECS_LOG_GROUP or run `{FILL_COMMAND}`"
        )
    return errors.NotFound(f"the log group {group} has no stream {stream}")
