"""What time it is for AWS. A signature is refused when its time and AWS's differ by more than five minutes.

Asked without a signature: no credentials are needed, and a wrong clock does no harm. Source: Signature Version 4,
"Troubleshooting" (requests must reach AWS within five minutes of their time stamp).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

import botocore.session
from botocore import UNSIGNED
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from sockerless import errors
from sockerless.aws import failures
from sockerless.aws.session import CONNECT_TIMEOUT_S, Destination

MOST_SKEW_S = 300.0


async def server_time(destination: Destination) -> datetime:
    """The Date of STS's answer, to the second; errors.Unavailable when STS cannot be reached."""
    date = await asyncio.to_thread(_date, destination)
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        raise errors.SystemFailure(f"sts:GetCallerIdentity answered with no time of its own: {date[:80]!r}") from None


def _date(destination: Destination) -> str:
    settings = ClientConfig(
        signature_version=UNSIGNED,
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=CONNECT_TIMEOUT_S,
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    session = botocore.session.Session(session_vars={"profile": (None, [], None, None)})  # none is needed
    url = destination.endpoint_url or None
    try:
        client = session.create_client("sts", region_name=destination.region, endpoint_url=url, config=settings)
        answer = _answered(client)
    except BotoCoreError as error:
        raise failures.unreached("sts", "GetCallerIdentity", error, destination.endpoint_url) from error
    return str(answer["ResponseMetadata"]["HTTPHeaders"].get("date", ""))


def _answered(client: Any) -> Any:
    """The answer, which on AWS is a refusal: it carries the time as well."""
    try:
        return client.get_caller_identity()
    except ClientError as error:
        return error.response
    finally:
        client.close()
