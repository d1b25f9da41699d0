"""Tasks are drawn by weight, one call each, and a repeated request draws the same."""

from __future__ import annotations

from collections import Counter

import pytest

from sockerless.ecs.capacity import drawn, launch

TOKENS = [f"{number:032x}" for number in range(4000)]


@pytest.mark.parametrize("weights", [(("FARGATE", 1),), (("FARGATE", 5), ("FARGATE_SPOT", 0))])
def test_where_all_run_on_demand_a_launch_type_is_asked_for(weights: tuple[tuple[str, int], ...]) -> None:
    assert launch(weights, "a") == {"launchType": "FARGATE"}


def test_otherwise_one_provider_is_asked_for_and_no_launch_type() -> None:
    assert launch((("FARGATE", 0), ("FARGATE_SPOT", 1)), "a") == {
        "capacityProviderStrategy": [{"capacityProvider": "FARGATE_SPOT", "weight": 1}]
    }


def test_the_same_token_draws_the_same_provider() -> None:
    weights = (("FARGATE", 1), ("FARGATE_SPOT", 1))
    assert [launch(weights, token) for token in TOKENS[:50]] == [launch(weights, token) for token in TOKENS[:50]]


def test_the_shares_are_those_of_the_weights() -> None:
    counts = Counter(drawn((("FARGATE", 1), ("FARGATE_SPOT", 3)), token) for token in TOKENS)
    assert counts["FARGATE_SPOT"] / len(TOKENS) == pytest.approx(0.75, abs=0.03)
