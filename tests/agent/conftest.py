"""Containers of the local engine that run the real bundle."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sockerless.kit import agent_bundle
from sockerless.kit.agent_bundle import Bundle
from tests.agent.container import AgentContainer, Engine, start_agent


@pytest.fixture(scope="session")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """The agent's bundle, built once."""
    return agent_bundle.build(tmp_path_factory.mktemp("bundle"))


@pytest.fixture(scope="session")
def engine(engine_address: str) -> Engine:
    """The local engine."""
    return Engine(engine_address)


@pytest.fixture
def launch(engine: Engine, bundle: Bundle, engine_image: str) -> Iterator[Callable[..., AgentContainer]]:
    """A function that runs an agent in a container: docker's options, and image and patience_s by name."""
    containers: list[AgentContainer] = []

    def one_more(*options: str, image: str = engine_image, **more: Any) -> AgentContainer:
        containers.append(start_agent(engine, bundle, image, *options, **more))
        return containers[-1]

    yield one_more
    for container in containers:
        engine("rm", "--force", "--volumes", container.id)


@pytest.fixture
def container(launch: Callable[..., AgentContainer]) -> AgentContainer:
    """One container of the usual image."""
    return launch()
