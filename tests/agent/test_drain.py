"""The end of an agent: what counts as progress of those who still follow its output."""

from __future__ import annotations

from typing import Any, cast

import pytest
from websockets.asyncio.server import ServerConnection

from sockerless.agent.server import STUCK_S, _has_moved

ONE, OTHER = (cast(ServerConnection, name) for name in ("one", "other"))


@pytest.mark.parametrize(
    ("before", "now", "moved"),
    [
        ((5, {ONE: 100}), (5, {ONE: 100}), False),
        ((5, {ONE: 100}), (5, {ONE: 106}), False),
        ((5, {ONE: 100}), (5, {ONE: 99}), True),
        ((5, {ONE: 100}), (6, {ONE: 100}), True),
        ((5, {ONE: 100, OTHER: 7}), (5, {ONE: 100}), True),
        ((5, {}), (5, {ONE: 100}), True),
        ((5, {}), (5, {}), False),
    ],
)
def test_taking_output_is_progress_and_a_ping_of_our_own_is_not(before: Any, now: Any, moved: bool) -> None:
    assert _has_moved(before, now) is moved


def test_a_network_that_is_held_for_20_s_costs_no_output_at_the_end() -> None:
    assert STUCK_S > 20
