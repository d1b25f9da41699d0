"""Where a container's health check stands, as its agent reports it: into the record, and told when it changes."""

from __future__ import annotations

from dataclasses import asdict, replace

from sockerless.backend import events
from sockerless.backend.context import Backend
from sockerless.types import Container, Health, HealthProbe
from sockerless.wire.agent_health import HealthReport


def take(backend: Backend, container: Container, report: HealthReport) -> None:
    """Records a report about a container that runs; a status that changed is an event."""
    log = tuple(HealthProbe(**asdict(probe)) for probe in report.log)
    health = Health(report.status, report.failing_streak, log)
    if health == container.health:
        return
    backend.store.save_container(replace(container, health=health))
    if container.health is None or container.health.status != health.status:
        events.emit(backend, container, f"health_status: {health.status}")


def unwatched(health: Health | None) -> Health | None:
    """What a pause or an exit makes of it: no longer watched counts as unhealthy, without an event, as in moby."""
    return None if health is None else replace(health, status="unhealthy")
