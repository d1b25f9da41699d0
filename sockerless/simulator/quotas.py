"""Fargate's vCPU quotas: what the account has, and whether tasks still fit. The caller holds the simulator's lock.

Source: "Amazon ECS service quotas" (L-3032A538 and L-36FBB829, 6 vCPU each by default).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sockerless.errors import InvalidParameter
from sockerless.simulator.tasks import Task

ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"
NAMES = {ON_DEMAND: "Fargate On-Demand vCPU resource count", SPOT: "Fargate Spot vCPU resource count"}
AWS_DEFAULT_VCPUS = 6.0
APPLIED_VCPUS = 1000.0
"""What the simulated account was granted: a machine runs out before it does."""
REACHED = "You’ve reached the limit on the number of vCPUs you can run concurrently"  # noqa: RUF001 - AWS's own words
_ENDED = {"DEPROVISIONING", "STOPPED"}
_UNITS_PER_VCPU = 1024


class Quotas:
    """The account's applied quotas, by code."""

    def __init__(self) -> None:
        self._applied: dict[str, float] = {}
        self.reset()

    def reset(self) -> None:
        """What the account was granted."""
        self._applied = dict.fromkeys(NAMES, APPLIED_VCPUS)

    def set(self, document: Any) -> None:
        """Takes {code: vCPUs}; InvalidParameter says what is wrong with it."""
        if not isinstance(document, dict):
            raise InvalidParameter("quotas are a JSON object of codes and vCPUs")
        for code, vcpus in document.items():
            if code not in NAMES:
                raise InvalidParameter(f"a quota's code is one of {', '.join(NAMES)}")
            if isinstance(vcpus, bool) or not isinstance(vcpus, int | float) or vcpus < 0:
                raise InvalidParameter("a quota is a number of vCPUs, 0 or more")
        self._applied.update(document)

    def applied(self) -> Mapping[str, float]:
        """vCPUs by code."""
        return dict(self._applied)

    def reached(self, running: Iterable[Task], cpu_units: int, providers: Sequence[str | None]) -> bool:
        """Whether tasks of this size, one a capacity provider given, are more than what runs leaves."""
        used = dict.fromkeys(NAMES, 0)
        for task in running:
            if task.last_status not in _ENDED:
                used[_code(task.capacity_provider_name)] += task.cpu_units
        for provider in providers:
            used[_code(provider)] += cpu_units
        asked = {_code(provider) for provider in providers}
        return any(used[code] > self._applied[code] * _UNITS_PER_VCPU for code in asked)


def _code(capacity_provider: str | None) -> str:
    return SPOT if capacity_provider == "FARGATE_SPOT" else ON_DEMAND
