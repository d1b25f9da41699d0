"""What ECS takes for a capacity provider strategy, and how the tasks of one call are spread by it. Needs no engine."""

from __future__ import annotations

from typing import Any

import pytest
from moto.ecs.exceptions import InvalidParameterException

from sockerless.simulator.capacity import providers, strategy

CLUSTER = ("FARGATE", "FARGATE_SPOT", "machines")


def item(provider: str, **members: int) -> dict[str, Any]:
    return {"capacityProvider": provider, **members}


@pytest.mark.parametrize(
    ("items", "count", "expected"),
    [
        ([item("FARGATE_SPOT")], 2, ["FARGATE_SPOT"] * 2),
        ([item("FARGATE", weight=1), item("FARGATE_SPOT", weight=3)], 1, ["FARGATE_SPOT"]),
        ([item("FARGATE", weight=0), item("FARGATE_SPOT", weight=1)], 3, ["FARGATE_SPOT"] * 3),
        (
            [item("FARGATE", weight=1), item("FARGATE_SPOT", weight=3)],
            8,
            ["FARGATE_SPOT", "FARGATE_SPOT", "FARGATE", "FARGATE_SPOT"] * 2,
        ),
        (
            [item("FARGATE", base=2, weight=0), item("FARGATE_SPOT", weight=1)],
            4,
            ["FARGATE"] * 2 + ["FARGATE_SPOT"] * 2,
        ),
        ([item("FARGATE", base=2, weight=1), item("FARGATE_SPOT", weight=1)], 1, ["FARGATE"]),
    ],
)
def test_the_base_comes_first_and_the_rest_by_weight(
    items: list[dict[str, Any]], count: int, expected: list[str]
) -> None:
    found = providers(strategy(items, CLUSTER), count)
    assert sorted(found) == sorted(expected)
    assert found[0] == expected[0]


@pytest.mark.parametrize(
    ("items", "message"),
    [
        ([item("mine", weight=1)], "not associated with the cluster"),
        ([item("machines", weight=1)], "Capacity provider machines is not simulated"),
        ([item("FARGATE", weight=0), item("FARGATE_SPOT")], "weight greater than zero"),
        ([item("FARGATE", weight=1), item("FARGATE", weight=2)], "only once"),
        ([item("FARGATE", base=1, weight=1), item("FARGATE_SPOT", base=1)], "can have a base"),
        ([item("FARGATE", weight=1001)], "from 0 to 1000"),
    ],
)
def test_what_ecs_refuses(items: list[dict[str, Any]], message: str) -> None:
    with pytest.raises(InvalidParameterException) as refused:
        strategy(items, CLUSTER)
    assert message in refused.value.message
