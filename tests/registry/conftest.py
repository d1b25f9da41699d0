"""Registries, and a client of them."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator, Callable, Iterator

import docker
import pytest

from sockerless.registry.client import Registry, open_registry
from tests.registry.registries import DockerRegistry, TokenRegistry

Save = Callable[..., bytes]


@pytest.fixture(scope="session")
def docker_registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DockerRegistry]:
    """An open docker-registry."""
    registry = DockerRegistry(tmp_path_factory.mktemp("registry"))
    yield registry
    registry.stop()


@pytest.fixture(scope="session")
def guarded_registry(
    docker_registry: DockerRegistry, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[DockerRegistry]:
    """A docker-registry that asks for USER and PASSWORD, over the storage of the open one."""
    registry = DockerRegistry(tmp_path_factory.mktemp("guarded"), guarded=True, storage=docker_registry.storage)
    yield registry
    registry.stop()


@pytest.fixture
async def token_registry() -> AsyncIterator[TokenRegistry]:
    """A registry behind bearer tokens."""
    registry = TokenRegistry()
    await registry.start()
    yield registry
    await registry.stop()


@pytest.fixture(scope="session")
def engine(engine_address: str, engine_image: str) -> Iterator[docker.APIClient]:
    """The local engine's API; engine_image is in it."""
    assert engine_image
    api = docker.APIClient(base_url=engine_address)
    yield api
    api.close()


@pytest.fixture(scope="session")
def save(engine_address: str) -> Save:
    """`docker save` of these images: the archive."""

    def run(*images: str) -> bytes:
        command = ["docker", "--host", engine_address, "save", *images]
        return subprocess.run(command, check=True, capture_output=True).stdout

    return run


@pytest.fixture
async def client() -> AsyncIterator[Registry]:
    """Our client."""
    async with open_registry() as registry:
        yield registry
