"""The CloudWatch Logs actions that must stay fast with hundreds of thousands of events, and the keys of log groups.

Source: CloudWatch Logs API reference; moto 5.2, logs/models.py (which sorts and scans a whole stream for every page).
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.responses import BaseResponse
from moto.logs.exceptions import InvalidParameterException, ResourceNotFoundException
from moto.logs.models import LogEvent, LogGroup, LogsBackend, LogStream, logs_backends
from moto.logs.responses import LogsResponse
from moto.logs.utils import EventMessageFilter
from moto.utilities.utils import get_partition

from sockerless.simulator import kms_keys, logs_pages
from sockerless.simulator.gate import Refusal
from sockerless.simulator.hooks import Hooks


def _group(response: BaseResponse, document: dict[str, Any]) -> LogGroup:
    groups = logs_backends[response.current_account][response.region].groups
    identifier = document.get("logGroupIdentifier") or document.get("resourceIdentifier") or ""
    name = document.get("logGroupName") or identifier.removesuffix(":*").rpartition("log-group:")[2]
    if name not in groups:
        raise ResourceNotFoundException("The specified log group does not exist.")
    return groups[name]


def _limit(document: dict[str, Any]) -> int:
    limit = int(document.get("limit") or logs_pages.MAX_EVENTS)
    if not 1 <= limit <= logs_pages.MAX_EVENTS:
        raise InvalidParameterException(
            parameter="limit", constraint=f"must be between 1 and {logs_pages.MAX_EVENTS}", value=limit
        )
    return limit


def get_log_events(response: LogsResponse) -> str:
    """GetLogEvents."""
    document: dict[str, Any] = json.loads(response.body)
    stream = _group(response, document).streams.get(document["logStreamName"])
    if stream is None:
        raise ResourceNotFoundException("The specified log stream does not exist.")
    page = logs_pages.stream_page(
        stream.events,
        document.get("startTime"),
        document.get("endTime"),
        _limit(document),
        logs_pages.parse_token(document["nextToken"]) if document.get("nextToken") else None,
        bool(document.get("startFromHead")),
    )
    return json.dumps(
        {
            "events": [
                {"timestamp": e.timestamp, "message": e.message, "ingestionTime": e.ingestion_time} for e in page.events
            ],
            "nextBackwardToken": str(page.backward),
            "nextForwardToken": str(page.forward),
        }
    )


def filter_log_events(response: LogsResponse) -> str:
    """FilterLogEvents."""
    document: dict[str, Any] = json.loads(response.body)
    group = _group(response, document)
    names = _stream_names(group, document)
    token = logs_pages.parse_token(document["nextToken"]) if document.get("nextToken") else None
    pattern = document.get("filterPattern")
    message_filter = EventMessageFilter(pattern) if pattern else None
    page, after = logs_pages.merged_page(
        [group.streams[name].events for name in names],
        document.get("startTime"),
        document.get("endTime"),
        _limit(document),
        token.key if token else None,
        message_filter.matches if message_filter else lambda message: True,
    )
    events = [{**event.to_filter_dict(), "logStreamName": names[number]} for number, event in page]
    following = {"nextToken": str(logs_pages.Token("f", after))} if after else {}
    return json.dumps({"events": events, "searchedLogStreams": [], **following})


def _stream_names(group: LogGroup, document: dict[str, Any]) -> list[str]:
    wanted, prefix = document.get("logStreamNames"), document.get("logStreamNamePrefix")
    if wanted and prefix:
        raise InvalidParameterException("logStreamNames and logStreamNamePrefix cannot be given together.")
    if wanted and not set(wanted) <= set(group.streams):
        raise ResourceNotFoundException("The specified log stream does not exist.")
    return wanted or [name for name in group.streams if name.startswith(prefix or "")]


def _check_key(account_id: str, region: str, key: str, group: str) -> None:
    arn = f"arn:{get_partition(region)}:logs:{region}:{account_id}:log-group:{group}"
    if not kms_keys.lets_logs(account_id, region, key, arn):
        message = f"The specified KMS key does not exist or is not allowed to be used with Arn '{key}'"
        raise Refusal("InvalidParameterException", message)


def associate_kms_key(response: BaseResponse, document: dict[str, Any]) -> dict[str, Any]:
    """AssociateKmsKey."""
    group = _group(response, document)
    _check_key(response.current_account, response.region, document["kmsKeyId"], group.name)
    group.kms_key_id = document["kmsKeyId"]
    return {}


def disassociate_kms_key(response: BaseResponse, document: dict[str, Any]) -> dict[str, Any]:
    """DisassociateKmsKey."""
    _group(response, document).kms_key_id = None
    return {}


def _bounds(stream: LogStream) -> None:
    stream.first_event_timestamp = stream.events[0].timestamp if stream.events else None
    stream.last_event_timestamp = stream.events[-1].timestamp if stream.events else None


def _untracked(event: type[LogEvent], *_: Any) -> LogEvent:
    """Without moto's list of every event that ever was, which keeps those of deleted streams, too."""
    return object.__new__(event)


def install(hooks: Hooks) -> None:
    """Serves the log actions of this simulator."""

    def put_log_events(stream: LogStream, log_events: list[dict[str, Any]]) -> str:
        first_new = len(stream.events)
        token: str = put(stream, log_events)
        logs_pages.keep_sorted(stream.events, first_new)
        return token

    def create_log_group(backend: LogsBackend, name: str, tags: dict[str, str], **more: Any) -> LogGroup:
        if more.get("kmsKeyId"):
            _check_key(backend.account_id, backend.region_name, more["kmsKeyId"], name)
        made: LogGroup = create(backend, name, tags, **more)
        return made

    for action in (associate_kms_key, disassociate_kms_key):
        hooks.action(LogsResponse, action.__name__, action)
    create = hooks.replace(LogsBackend, "create_log_group", create_log_group)
    put = hooks.replace(LogStream, "put_log_events", put_log_events)
    hooks.replace(LogEvent, "__new__", _untracked)
    hooks.replace(LogStream, "_update", _bounds)
    hooks.replace(LogsResponse, "get_log_events", get_log_events)
    hooks.replace(LogsResponse, "filter_log_events", filter_log_events)
