"""The one door to AWS: credentials, endpoint, retries, threads, and failures as errors.*.

Owns boto3's clients, made when first used, and the threads they block in. Knows no operation's meaning.
Laws: a failure raises, it never reads as an empty answer; every call is bounded in time and in attempts.
With SOCKERLESS_ENDPOINT_URL set, clients come from localstack-client's session, with credentials that only the
simulated AWS knows, never those of the shell.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from importlib.metadata import version
from typing import Any, Protocol, TypeVar

import boto3
import botocore.session
import localstack_client.session
from botocore import xform_name
from botocore.config import Config as ClientConfig
from botocore.exceptions import BotoCoreError, ClientError

from sockerless import errors
from sockerless.aws import failures
from sockerless.types import JsonObject, SimulatorCredentials

CONNECT_TIMEOUT_S = 5.0
READ_TIMEOUT_S = 30.0
ATTEMPTS = 5
"""Times one request is sent at most: by botocore on its retryable codes, by us on a disguised throttle."""
FIRST_BACKOFF_S = 1.0
THREADS = 16

_UNKNOWN_TO_LOCALSTACK_CLIENT = ("service-quotas",)
T = TypeVar("T")
_Runner = Callable[[Callable[[], JsonObject]], Awaitable[JsonObject]]
"""Runs what blocks in some thread and gives its outcome."""
_random = random.SystemRandom()


class Destination(Protocol):
    """Where calls go: a Config, or the kit's values before there is one. endpoint_url: "" for AWS itself."""

    @property
    def region(self) -> str: ...
    @property
    def endpoint_url(self) -> str: ...
    @property
    def public_ip(self) -> bool: ...
    @property
    def simulator_credentials(self) -> SimulatorCredentials: ...


class Aws:
    """AWS as this daemon may use it. Clients and calls are for one event loop; close() when done.

    calls counts what was sent, by (service, operation): ("ecs", "RunTask").
    """

    def __init__(
        self, destination: Destination, *, attempts: int = ATTEMPTS, first_backoff_s: float = FIRST_BACKOFF_S
    ) -> None:
        self.calls: Counter[tuple[str, str]] = Counter()
        self._destination = destination
        self._attempts = attempts
        self._first_backoff_s = first_backoff_s
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._making = threading.Lock()
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="aws")

    async def call(self, service: str, operation: str, /, **parameters: Any) -> JsonObject:
        """AWS's answer to one operation ("ecs", "RunTask", cluster=...), without its ResponseMetadata.

        Raises errors.* whose sentence names the operation, AWS's reason and, where one is known, the fix; the
        botocore exception is its __cause__.
        """
        return await self._translated(service, operation, parameters, self._in_thread)

    async def wait(self, service: str, operation: str, /, **parameters: Any) -> JsonObject:
        """call() for an operation that answers when something has happened, in a thread of its own.

        So it keeps no other call waiting, and the process from ending neither.
        """
        return await self._translated(service, operation, parameters, _in_own_thread)

    async def warm(self) -> None:
        """Makes the clients that starting and running a container needs, so that the first request does not."""
        services = ["ecs", "logs", "ecr", *(["ec2"] if self._destination.public_ip else [])]
        try:
            for service in services:
                await self._in_thread(partial(self._client, service))
        except BotoCoreError as error:
            raise failures.unreached("sts", "GetCallerIdentity", error, self._destination.endpoint_url) from error

    def close(self) -> None:
        """Gives up the threads and connections; calls under way end by themselves."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        for client in self._clients.values():
            client.close()

    async def _translated(self, service: str, operation: str, parameters: JsonObject, run: _Runner) -> JsonObject:
        try:
            return await self._persist(service, operation, parameters, run)
        except ClientError as error:
            raise failures.refused(service, operation, error) from error
        except BotoCoreError as error:
            raise failures.unreached(service, operation, error, self._destination.endpoint_url) from error

    async def _persist(self, service: str, operation: str, parameters: JsonObject, run: _Runner) -> JsonObject:
        for attempt in range(self._attempts):
            self.calls[service, operation] += 1
            try:
                return await run(partial(self._send, service, operation, parameters))
            except ClientError as error:
                if not failures.disguised_throttle(error) or attempt + 1 == self._attempts:
                    raise
            await asyncio.sleep(_random.uniform(0.5, 1.0) * self._first_backoff_s * 2**attempt)
        raise AssertionError("attempts is at least 1")

    async def _in_thread(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _send(self, service: str, operation: str, parameters: JsonObject) -> JsonObject:
        answer: JsonObject = getattr(self._client(service), xform_name(operation))(**parameters)
        answer.pop("ResponseMetadata", None)
        return answer

    def _client(self, service: str) -> Any:
        with self._making:  # boto3's sessions are not safe for threads, its clients are
            if service not in self._clients:
                self._session = self._session or _session(self._destination)
                self._clients[service] = self._session.client(service, config=self._client_config())
            return self._clients[service]

    def _client_config(self) -> ClientConfig:
        return ClientConfig(
            connect_timeout=CONNECT_TIMEOUT_S,
            read_timeout=READ_TIMEOUT_S,
            max_pool_connections=THREADS,
            retries={"mode": "standard", "total_max_attempts": self._attempts},
            tcp_keepalive=True,
            s3={"addressing_style": "path"} if self._destination.endpoint_url else None,
            user_agent_extra=f"sockerless-kit/{version('sockerless-kit')}",
        )


def open_aws(destination: Destination) -> Aws:
    """The door to the AWS that the configuration names; makes no call and no client yet."""
    return Aws(destination)


def answer_of(error: errors.SockerlessError) -> JsonObject:
    """The AWS answer a failure was made from, for the fields a service adds to its errors; {} when there was none."""
    cause = error.__cause__
    return dict(cause.response) if isinstance(cause, ClientError) else {}


async def _in_own_thread(work: Callable[[], T]) -> T:
    """work's outcome. An executor's threads are joined when the process ends; this one is not."""
    outcome: Future[T] = Future()
    outcome.set_running_or_notify_cancel()
    threading.Thread(target=_settle, args=(work, outcome), name="aws wait", daemon=True).start()
    return await asyncio.wrap_future(outcome)


def _settle(work: Callable[[], T], outcome: Future[T]) -> None:
    try:
        outcome.set_result(work())
    except (ClientError, BotoCoreError) as error:
        outcome.set_exception(error)
    finally:
        if not outcome.done():
            outcome.set_exception(errors.SystemFailure("a call to AWS failed in its thread, whose traceback is shown"))


def _session(destination: Destination) -> Any:
    if not destination.endpoint_url:
        return boto3.session.Session(region_name=destination.region)
    # It makes clients by boto3's default session: one that reads no profile, for the credentials are the simulator's.
    boto3.setup_default_session(
        botocore_session=botocore.session.Session(session_vars={"profile": (None, [], None, None)})
    )
    given = destination.simulator_credentials
    session = localstack_client.session.Session(
        given.access_key_id, given.secret_access_key, region_name=destination.region, localstack_host="localhost"
    )
    session.common_protected_kwargs["aws_session_token"] = given.session_token or None  # it would not hand it on
    # It reads where to go from AWS_ENDPOINT_URL, LOCALSTACK_HOST and USE_SSL, and lets no caller say otherwise.
    services = (*session._service_endpoint_mapping, *_UNKNOWN_TO_LOCALSTACK_CLIENT)
    session._service_endpoint_mapping = dict.fromkeys(services, destination.endpoint_url)
    return session
