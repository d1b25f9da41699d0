"""Values that rooms hand each other: frozen dataclasses, no behaviour, no I/O.

Times are integer nanoseconds since the Unix epoch (0 = never); sizes carry their unit in the name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

JsonObject = dict[str, Any]
"""A decoded JSON object whose shape another document defines (Docker's API, an OCI image config, an ECS task)."""

ContainerStatus = Literal["created", "running", "paused", "restarting", "exited", "removing", "dead"]
"""Docker's State.Status values that occur here (Engine API 1.44, ContainerState)."""


@dataclass(frozen=True, slots=True)
class TaskSize:
    """A legal Fargate pair: cpu_units (1024 = one vCPU) and memory_mib."""

    cpu_units: int
    memory_mib: int


@dataclass(frozen=True, slots=True)
class AgentCredentials:
    """What the daemon and one container's agent trust each other by.

    agent_id: 32 hex; token: url-safe text; certificate_pem and key_pem: self-signed ECDSA P-256, TLS server side.
    """

    agent_id: str
    token: str
    certificate_pem: str
    key_pem: str


@dataclass(frozen=True, slots=True)
class TaskBinding:
    """The Fargate task that serves (or was asked to serve) a container.

    task_arn is None between intent and outcome of RunTask: client_token then tells whether the task exists.
    address is the task's IPv4 address, once known. calls: the agent calls the daemon, instead of being dialled there.
    log_stream is the awslogs stream, once the task id is known.
    """

    client_token: str
    credentials: AgentCredentials
    task_arn: str | None = None
    address: str | None = None
    log_stream: str | None = None
    calls: bool = False


@dataclass(frozen=True, slots=True)
class ContainerState:
    """Docker's State, without what can be derived. exit_code is meaningful once status is exited."""

    status: ContainerStatus = "created"
    exit_code: int = 0
    error: str = ""
    oom_killed: bool = False
    pid: int = 0
    started_at_ns: int = 0
    finished_at_ns: int = 0


@dataclass(frozen=True, slots=True)
class PublishedPort:
    """A TCP port of the task that the daemon's machine listens for: host_ip and host_port, 0 until one is chosen."""

    container_port: int
    host_ip: str
    host_port: int


@dataclass(frozen=True, slots=True)
class HealthProbe:
    """One run of a health check. exit_code: 0 healthy, -1 when it could not run or took too long."""

    start_ns: int
    end_ns: int
    exit_code: int
    output: str


@dataclass(frozen=True, slots=True)
class Health:
    """Where a container's health check stands: its last probes (at most five), oldest first."""

    status: Literal["starting", "healthy", "unhealthy"] = "starting"
    failing_streak: int = 0
    log: tuple[HealthProbe, ...] = ()


@dataclass(frozen=True, slots=True)
class Container:
    """One container's record: what was asked and how it ended.

    config, host_config, networking_config: Docker's create sections as asked; config is merged with the image's.
    image: the reference as the client wrote it. task: the live binding, or None when no task exists (any more).
    log_streams: awslogs streams of every task that served this container, oldest first.
    ports: what is published while the process runs.
    last_log_ns: stamp of the last archived log piece the agent reported; 0: it logged nothing, -1: unknown.
    health: of the last run, None when it has no health check (or has not run). stopped_by_user: a stop or kill ended
    (or ends) the last run, so that its restart policy does not apply.
    """

    id: str
    name: str
    created_at_ns: int
    image: str
    image_id: str
    platform: str
    config: JsonObject
    host_config: JsonObject
    networking_config: JsonObject
    size: TaskSize
    task_definition_arn: str
    state: ContainerState = field(default_factory=ContainerState)
    task: TaskBinding | None = None
    log_streams: tuple[str, ...] = ()
    last_log_ns: int = -1
    restart_count: int = 0
    ports: tuple[PublishedPort, ...] = ()
    health: Health | None = None
    stopped_by_user: bool = False


@dataclass(frozen=True, slots=True)
class Exec:
    """One exec instance as inspect shows it. config: Docker's ExecConfig with the container's user and directory.

    exit_code is None until it has ended; pid is 0 until it runs.
    """

    id: str
    container_id: str
    config: JsonObject
    running: bool = False
    exit_code: int | None = None
    pid: int = 0


@dataclass(frozen=True, slots=True)
class Image:
    """An image this daemon knows. Layers stay in their registry.

    id: "sha256:<config digest>". config: the OCI image config document. pull_reference: what a task definition
    names, always by manifest digest. repo_tags: normalised familiar names ("alpine:3.20"). size_bytes: compressed.
    """

    id: str
    config: JsonObject
    manifest_digest: str
    pull_reference: str
    size_bytes: int
    repo_tags: tuple[str, ...] = ()
    repo_digests: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskDefinitionRecord:
    """A registered definition and the shape it was registered for (ecs/taskdef.py computes the shape's hash)."""

    shape: str
    arn: str
    last_used_at_ns: int


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to an object, as Docker's event stream tells it.

    type: "container", "image"...; attributes: labels and particulars. sequence: its place in the journal, 0 before.
    """

    type: str
    action: str
    actor_id: str
    attributes: dict[str, str]
    time_ns: int
    sequence: int = 0


@dataclass(frozen=True, slots=True)
class SimulatorCredentials:
    """Whom the simulated AWS takes the caller for; session_token: "" for a user's own access key."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """One path that differs from the image. kind: Docker's 0 (modified), 1 (added), 2 (deleted)."""

    path: str
    kind: Literal[0, 1, 2]
