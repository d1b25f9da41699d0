"""The API reference: every operation that is served, in one table. unsupported.py holds every other one.

Owns which handler answers which method and path, and how a path is matched. {name} stands for an id or a name and
may contain slashes, as image names do. Source: Engine API 1.44.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sockerless.api import (
    archive,
    container_processes,
    container_streams,
    container_update,
    container_websocket,
    containers,
    events,
    exec,
    images,
    system,
)
from sockerless.api.call import Handler
from sockerless.api.unsupported import UNSUPPORTED, Refusal


@dataclass(frozen=True, slots=True)
class Route:
    """One served operation. fargate: what it means on AWS; query: the options it reads. Both for the reference."""

    method: str
    path: str
    handler: Handler
    fargate: str
    query: str = ""


ROUTES: tuple[Route, ...] = (
    # system
    Route("GET", "/_ping", system.ping, "answered by the daemon; no AWS call"),
    Route("HEAD", "/_ping", system.ping, "answered by the daemon; no AWS call"),
    Route("GET", "/version", system.version, "answered by the daemon; no AWS call"),
    Route("GET", "/info", system.info, "counts from the daemon's records; sizes are the largest Fargate task's"),
    Route("GET", "/plugins", system.plugins, "always empty"),
    Route("GET", "/events", events.events, "the daemon's journal, which survives it", "since, until, filters"),
    # containers
    Route("GET", "/containers/json", containers.list_,
          "the daemon's records, kept in step with DescribeTasks", "all, limit, filters"),
    Route("POST", "/containers/create", containers.create,
          "RegisterTaskDefinition, once for all equal shapes", "name, platform"),
    Route("POST", "/containers/prune", containers.prune,
          "StopTask of lingering tasks; the records go", "filters (label, label!, until)"),
    Route("GET", "/containers/{name}/json", containers.inspect, "the daemon's record"),
    Route("GET", "/containers/{name}/logs", container_streams.logs,
          "the agent while its task lives, then CloudWatch", "stdout, stderr, follow, since, until, timestamps, tail"),
    Route("POST", "/containers/{name}/start", containers.start, "RunTask, then the agent starts the process"),
    Route("POST", "/containers/{name}/stop", containers.stop, "a signal through the agent, then StopTask", "t, signal"),
    Route("POST", "/containers/{name}/restart", containers.restart,
          "the process again, in the same task if it lives", "t, signal"),
    Route("POST", "/containers/{name}/kill", containers.kill, "a signal through the agent", "signal"),
    Route("POST", "/containers/{name}/wait", containers.wait,
          "answers at the process's exit, not at the task's end", "condition"),
    Route("POST", "/containers/{name}/rename", containers.rename, "the daemon's record", "name"),
    Route("POST", "/containers/{name}/resize", containers.resize, "the terminal's size, through the agent", "h, w"),
    Route("POST", "/containers/{name}/pause", container_processes.pause,
          "the agent stops every process of the task but itself; Fargate offers no freezer"),
    Route("POST", "/containers/{name}/unpause", container_processes.unpause, "the agent lets them go on"),
    Route("GET", "/containers/{name}/top", container_processes.top, "the agent, from /proc, as ps would", "ps_args"),
    Route("GET", "/containers/{name}/stats", container_processes.stats,
          "the agent, from the task's cgroup; the limit is the task's size", "stream, one-shot"),
    Route("POST", "/containers/{name}/update", container_update.update,
          "the size of a container without a task; a task's is fixed"),
    Route("POST", "/containers/{name}/attach", container_streams.attach,
          "a stream of its own to the agent", "stdin, stdout, stderr, stream, logs, detachKeys"),
    Route("GET", "/containers/{name}/attach/ws", container_websocket.attach,
          "the same in WebSocket messages", "stdin, stdout, stderr, stream, logs, detachKeys"),
    Route("DELETE", "/containers/{name}", containers.remove, "StopTask if the task lives; the record goes", "force, v"),
    # exec
    Route("POST", "/containers/{name}/exec", exec.create, "an instance in the daemon's memory"),
    Route("POST", "/exec/{name}/start", exec.start, "a process started by the agent, with a stream of its own"),
    Route("POST", "/exec/{name}/resize", exec.resize, "the terminal's size, through the agent", "h, w"),
    Route("GET", "/exec/{name}/json", exec.inspect, "final before the stream ends"),
    Route("HEAD", "/containers/{name}/archive", archive.head,
          "asked of the agent; before the first start, of the image's layers", "path"),
    Route("GET", "/containers/{name}/archive", archive.get,
          "a tar stream from the agent; before the first start, from the image's layers", "path"),
    Route("PUT", "/containers/{name}/archive", archive.put,
          "a tar stream to the agent; before the first start, kept by the daemon",
          "path, noOverwriteDirNonDir, copyUIDGID"),
    Route("GET", "/containers/{name}/export", archive.export,
          "a tar stream from the agent; before the first start, from the image's layers"),
    Route("GET", "/containers/{name}/changes", archive.changes,
          "the agent's list of files beside those of the image's layers"),
    # images
    Route("GET", "/images/json", images.list_,
          "the images the daemon knows; layers stay in their registry", "all, filters"),
    Route("POST", "/images/create", images.pull,
          "manifest and config from the registry; no layer is downloaded",
          "fromImage, tag, platform; header X-Registry-Auth"),
    Route("POST", "/images/load", images.load, "pushes the archive's layers to Amazon ECR", "quiet"),
    Route("GET", "/images/{name}/json", images.inspect, "the image's config"),
    Route("POST", "/images/{name}/tag", images.tag, "the daemon's record", "repo, tag"),
    Route("DELETE", "/images/{name}", images.remove,
          "the daemon's record; the registry keeps the image", "force, noprune"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Match:
    """What answers a request: a route or a refusal, and what {name} stood for."""

    target: Route | Refusal
    name: str


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.escape(path).replace(r"\{name\}", "(?P<name>.+)"))


def _by_method() -> dict[str, list[tuple[re.Pattern[str], Route | Refusal]]]:
    """Per method, fixed paths first, then the longer ones: /images/json is not the image "json"."""
    table: dict[str, list[tuple[re.Pattern[str], Route | Refusal]]] = {}
    targets: list[Route | Refusal] = [*ROUTES, *UNSUPPORTED]
    for target in sorted(targets, key=lambda target: ("{name}" in target.path, -len(target.path))):
        table.setdefault(target.method, []).append((_pattern(target.path), target))
    return table


_TABLE = _by_method()


def resolve(method: str, path: str) -> Match | None:
    """What answers this method and unversioned path, percent-decoded; None for an unknown one."""
    for pattern, target in _TABLE.get(method, ()):
        match = pattern.fullmatch(path)
        if match:
            return Match(target, match.groupdict().get("name", ""))
    return None
