"""Restart policies: whether an exited container runs again, and when. Pure.

Source: Engine API 1.44, RestartPolicy; moby's restartmanager (the pauses, and that a stop or kill cancels it). One
difference, because a daemon here may come and go while containers run: a container that was stopped by hand stays
stopped when the daemon starts, whatever its policy.
"""

from __future__ import annotations

from sockerless.errors import InvalidParameter
from sockerless.types import Container, JsonObject

FIRST_PAUSE_S, LARGEST_PAUSE_S = 0.1, 60.0
SETTLED_S = 10.0
"""A run this long makes the next pause the first one again."""
LINGER_S = 2 * LARGEST_PAUSE_S
"""How long a task at least waits for its container's next run."""


def name_of(host_config: JsonObject) -> str:
    """no, always, unless-stopped or on-failure."""
    return str((host_config.get("RestartPolicy") or {}).get("Name") or "no")


def check(host_config: JsonObject) -> None:
    """InvalidParameter in Docker's words for a policy beside AutoRemove."""
    if host_config.get("AutoRemove") and name_of(host_config) != "no":
        raise InvalidParameter("can't create 'AutoRemove' container with restart policy")


def applies(container: Container, exit_code: int) -> bool:
    """Whether the container is to run again after this exit."""
    if container.stopped_by_user:
        return False
    policy = name_of(container.host_config)
    if policy == "on-failure":
        most = int(container.host_config["RestartPolicy"].get("MaximumRetryCount") or 0)
        return exit_code != 0 and (most == 0 or container.restart_count < most)
    return policy in {"always", "unless-stopped"}


def next_pause_s(last_pause_s: float, ran_s: float) -> float:
    """Seconds until the next run, after one of ran_s that had been waited for last_pause_s (0: somebody started it)."""
    if last_pause_s == 0 or ran_s >= SETTLED_S:
        return FIRST_PAUSE_S
    return min(2 * last_pause_s, LARGEST_PAUSE_S)
