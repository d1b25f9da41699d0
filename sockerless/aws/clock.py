"""What time it is for AWS. A signature is refused when its time and AWS's differ by more than five minutes.

Asked without a signature and of no operation: no credentials are needed, and a wrong clock does no harm; whatever the
answer is, its Date tells. Source: Signature Version 4, "Troubleshooting" (requests must reach AWS within five minutes
of their time stamp).
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from email.utils import parsedate_to_datetime

import botocore.session
from botocore import UNSIGNED
from botocore.awsrequest import AWSRequest
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError
from botocore.httpsession import URLLib3Session
from botocore.utils import get_environ_proxies

from sockerless import errors
from sockerless.aws import failures
from sockerless.aws.session import CONNECT_TIMEOUT_S, Destination

MOST_SKEW_S = 300.0


async def server_time(destination: Destination) -> datetime:
    """The Date of an answer of STS's, to the second; errors.Unavailable when STS cannot be reached."""
    date = await asyncio.to_thread(_date, destination)
    try:
        return parsedate_to_datetime(date)
    except ValueError:
        raise errors.SystemFailure(f"STS answered with no time of its own: {date[:80]!r}") from None


def _date(destination: Destination) -> str:
    session = botocore.session.Session(session_vars={"profile": (None, [], None, None)})  # none is needed
    try:
        url = destination.endpoint_url or _endpoint(session, destination.region)
        http = URLLib3Session(
            verify=session.get_config_variable("ca_bundle") or True,
            proxies=get_environ_proxies(url),
            timeout=int(CONNECT_TIMEOUT_S),
        )
        answer = http.send(AWSRequest("GET", url).prepare())
        http.close()
    except BotoCoreError as error:
        raise failures.unreached("sts", "GetCallerIdentity", error, destination.endpoint_url) from error
    return str(answer.headers.get("date", ""))


def _endpoint(session: botocore.session.Session, region: str) -> str:
    """Where STS of the region is, in whatever partition."""
    client = session.create_client("sts", region_name=region, config=ClientConfig(signature_version=UNSIGNED))
    url: str = client.meta.endpoint_url
    client.close()
    return url
