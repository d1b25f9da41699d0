"""examples/sdk, run as its README says."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.conftest import ROOT, Deployed

pytestmark = [pytest.mark.engine, pytest.mark.terraform]


def test_the_batch_prints_its_result_and_ends_with_the_work_s_code(deployment: Deployed, image: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "examples/sdk/batch.py", image],
        env=deployment.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == [
        "seen from inside: ['apple', 'fig', 'pear']",
        "stdout: sorting 3 words",
        "stderr: a warning goes to its own stream",
        "result: ['apple', 'fig', 'pear']",
        "exit code: 3",
    ], done.stderr
    assert done.returncode == 3
