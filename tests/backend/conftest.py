"""The rig: a backend one can kill."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.backend.rig import Rig


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[Rig]:
    rig = Rig(tmp_path / "state")
    await rig.boot()
    yield rig
    await rig.close()
