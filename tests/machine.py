"""What becomes of a test whose machine lacks what it needs."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def withhold(reason: str) -> NoReturn:
    """Fails the test in CI (the environment variable CI is set), which has everything; skips it elsewhere."""
    if os.environ.get("CI"):
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)
