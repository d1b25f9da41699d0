"""Installing: the bundle copies itself, whole or not at all, beside older versions."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockerless.kit.agent_bundle import Bundle
from sockerless.wire import agent as wire
from tests.agent.container import Engine

pytestmark = pytest.mark.engine


def test_the_installed_copy_is_equal_and_runs(
    engine: Engine, engine_image: str, bundle: Bundle, tmp_path: Path
) -> None:
    older = tmp_path / "0123456789abcdef"
    older.mkdir()
    image_dir, loader_and_more = wire.AGENT_IMAGE_DIR, wire.agent_argv(bundle.version, ["install", "/destination"])
    argv = [part.replace(wire.AGENT_DIR, image_dir) for part in loader_and_more]

    def install() -> str:
        mounts = ["-v", f"{bundle.path}:{image_dir}/{bundle.version}:ro", "-v", f"{tmp_path}:/destination"]
        return engine("run", "--rm", *mounts, "--entrypoint", argv[0], engine_image, *argv[1:])

    assert install() == f"installed agent {bundle.version} in /destination\n"
    copied = {path.relative_to(tmp_path / bundle.version) for path in (tmp_path / bundle.version).rglob("*")}
    assert copied == {path.relative_to(bundle.path) for path in bundle.path.rglob("*")}
    for name in copied:
        source, copy = bundle.path / name, tmp_path / bundle.version / name
        assert source.is_dir() or (source.read_bytes(), source.stat().st_mode) == (
            copy.read_bytes(),
            copy.stat().st_mode,
        )
    assert install() == f"agent {bundle.version} is already in /destination\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([bundle.version, older.name])


def test_what_is_no_command_is_explained(engine: Engine, engine_image: str, bundle: Bundle) -> None:
    argv = wire.agent_argv(bundle.version, ["dance"])
    mount = ["-v", f"{bundle.path}:{wire.AGENT_DIR}/{bundle.version}:ro"]
    container = engine("create", *mount, "--entrypoint", argv[0], engine_image, *argv[1:]).strip()
    engine("start", "--attach", container, check=False)
    assert engine("inspect", "--format", "{{.State.ExitCode}}", container) == "2\n"
    engine("rm", container)
