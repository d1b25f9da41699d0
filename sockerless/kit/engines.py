"""Where a local container engine usually listens, and which one answers. The simulator runs its tasks with it.

Knows no engine's API beyond its ping. Law: DOCKER_HOST is never looked at; it may be our own daemon.
"""

from __future__ import annotations

import os
import sys

from sockerless.kit import probe

ENGINE_VARIABLE = "SOCKERLESS_ENGINE"
"""Names the one engine to use instead of the usual ones: unix://PATH or tcp://HOST:PORT."""


def usual_addresses() -> list[str]:
    """The sockets of Docker and Podman, the machine's before the user's, as unix://PATH; or SOCKERLESS_ENGINE alone."""
    if named := os.environ.get(ENGINE_VARIABLE):
        return [named]
    user = os.environ.get("XDG_RUNTIME_DIR") or f"/run/user/{os.getuid()}"
    paths = (
        "/var/run/docker.sock",
        f"{user}/docker.sock",
        "/run/podman/podman.sock",
        f"{user}/podman/podman.sock",
    )
    return [f"unix://{path}" for path in paths]


def answers(address: str) -> bool:
    """Whether an engine answers its ping at unix://PATH or tcp://HOST:PORT."""
    answer = probe.get(address, "/_ping")
    return answer is not None and answer.status == 200


def find() -> str | None:
    """The first usual address where an engine answers; None when none does."""
    return next((address for address in usual_addresses() if answers(address)), None)


if __name__ == "__main__":  # for scripts/: prints the address, or ends with 1
    found = find()
    sys.stdout.write(f"{found}\n" if found else "")
    sys.exit(0 if found else 1)
