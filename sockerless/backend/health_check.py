"""Docker's HealthConfig: what a container's own says beside its image's, and what the agent is to run. Pure.

Source: Engine API 1.44, HealthConfig; moby's defaults and merging (daemon/health.go, daemon/create.go).
"""

from __future__ import annotations

from collections.abc import Sequence

from sockerless.types import JsonObject
from sockerless.wire.agent_health import HealthCheck

DEFAULT_SHELL = ("/bin/sh", "-c")
_S = 1_000_000_000
_DEFAULTS_NS = {"Interval": 30 * _S, "Timeout": 30 * _S, "StartPeriod": 0, "StartInterval": 5 * _S}
_DEFAULT_RETRIES = 3


def merge(asked: JsonObject | None, image: JsonObject | None) -> JsonObject | None:
    """The container's HealthConfig: what was asked, completed by the image's where it says nothing."""
    if not asked or not image:
        return asked or image
    missing = {key: value for key, value in image.items() if not asked.get(key)}
    return {**asked, **missing}


def health_check(config: JsonObject) -> HealthCheck | None:
    """What the agent runs for a merged Config; None without a check, for ["NONE"], and for a type nobody knows."""
    asked = config.get("Healthcheck") or {}
    argv = _argv(asked.get("Test") or [], config.get("Shell") or DEFAULT_SHELL)
    if argv is None:
        return None
    interval_ns, timeout_ns, start_period_ns, start_interval_ns = (
        int(asked.get(name) or default) for name, default in _DEFAULTS_NS.items()
    )
    retries = int(asked.get("Retries") or _DEFAULT_RETRIES)
    return HealthCheck(argv, interval_ns, timeout_ns, start_period_ns, start_interval_ns, retries)


def _argv(test: Sequence[str], shell: Sequence[str]) -> list[str] | None:
    kind, arguments = (test[0], list(test[1:])) if test else ("NONE", [])
    return {"CMD": arguments, "CMD-SHELL": [*shell, *arguments]}.get(kind)
