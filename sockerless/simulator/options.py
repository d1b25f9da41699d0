"""What a simulator can be told. No behaviour."""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_ACCOUNT_ID = "123456789012"
DEFAULT_REGION = "us-east-1"
DEFAULT_PORT = 4566
DEFAULT_ENGINE = "unix:///var/run/docker.sock"


@dataclass(frozen=True, slots=True)
class SimulatorOptions:
    """How the simulated AWS behaves.

    step_delay_s: pause after each task status. throttle: emulate the token buckets of ECS and CloudWatch Logs.
    region, account_id: what unsigned and registry requests belong to. spare_interfaces: network interfaces kept
    ready for the next tasks. stopped_task_retention_s: how long DescribeTasks still knows a stopped task.
    limit_cpu: hold tasks to their task size's vCPUs (memory always is). enforce_iam: serve a call only when the
    policies of its access key's user or role allow it; the access key "test" is the account's root user.
    upstreams: where registries that ECR caches stand, host and URL each, when it is not https://HOST.
    """

    step_delay_s: float = 0.0
    throttle: bool = True
    region: str = DEFAULT_REGION
    account_id: str = DEFAULT_ACCOUNT_ID
    spare_interfaces: int = 2
    stopped_task_retention_s: float = 3600.0
    limit_cpu: bool = True
    enforce_iam: bool = False
    upstreams: tuple[tuple[str, str], ...] = ()
