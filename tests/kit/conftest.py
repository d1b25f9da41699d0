"""A simulated AWS in this process for tests that need no task to run, and a deployment's settings that lead to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest

from sockerless.kit import project
from sockerless.kit.project import Project
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator

from .live import KEYS


@dataclass(frozen=True, slots=True)
class Simulated:
    """The simulated AWS, and clients of it."""

    simulator: Simulator

    def client(self, service: str) -> Any:
        """A boto3 client."""
        return boto3.client(service, endpoint_url=self.simulator.endpoint_url, region_name="us-east-1", **KEYS)

    def inject(self, code: str, action: str, reason: str = "") -> None:
        """Has the next call of the action ("ec2.CreateVpc") refused with AWS's code."""
        self.simulator.faults.inject({"kind": "error", "target": action, "code": code, "reason": reason})


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulated]:
    """It begins empty with each module of tests."""
    running = Simulator(
        port=0, state_dir=tmp_path_factory.mktemp("simulator"), options=SimulatorOptions(throttle=False)
    )
    running.start()
    yield Simulated(running)
    running.stop()


@pytest.fixture
def in_simulator(tmp_path: Path, simulated: Simulated) -> Callable[..., Project]:
    """A function that makes a deployment's settings, in that AWS."""

    def make(**settings: Any) -> Project:
        values = {"target": "simulator", "endpoint_url": simulated.simulator.endpoint_url, **settings}
        return project.from_mapping(tmp_path, values)

    return make
