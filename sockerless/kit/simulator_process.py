"""The simulated AWS in the foreground: which engine it uses, whether its port is free, and that its end is clean.

Knows nothing of what it simulates.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from sockerless.errors import Conflict, Unavailable
from sockerless.kit import engines, probe
from sockerless.simulator.options import SimulatorOptions


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks of a simulator; engine and state_dir: None for the usual ones."""

    host: str
    port: int
    engine: str | None
    state_dir: Path | None
    region: str
    account_id: str
    step_delay_s: float
    throttle: bool
    limit_cpu: bool
    enforce_iam: bool


def run(asked: Asked) -> None:
    """Serves until SIGINT or SIGTERM. Unavailable without an engine, Conflict when the port is taken.

    Forgets the shell's AWS_* variables: they are of another account, and a profile that is missing would end it.
    """
    engine = _engine(asked.engine)
    if probe.get(f"tcp://{asked.host}:{asked.port}", "/") is not None:
        raise Conflict(f"something listens on {asked.host}:{asked.port} already; end it or choose another --port")
    options = SimulatorOptions(
        step_delay_s=asked.step_delay_s,
        throttle=asked.throttle,
        region=asked.region,
        account_id=asked.account_id,
        limit_cpu=asked.limit_cpu,
        enforce_iam=asked.enforce_iam,
    )
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    from sockerless.simulator import server  # here: moto takes most of a second, and reads those variables

    server.serve(asked.host, asked.port, engine, asked.state_dir or server.DEFAULT_STATE_DIR, options)


def _engine(named: str | None) -> str:
    if named is not None:
        if not engines.answers(named):
            raise Unavailable(f"no container engine answers at {named}; start it or name another with --engine")
        return named
    found = engines.find()
    if found is None:
        raise Unavailable(
            f"no container engine answers at {', '.join(engines.usual_addresses())}; start Docker or Podman, or name "
            f"another with --engine or {engines.ENGINE_VARIABLE}"
        )
    return found
