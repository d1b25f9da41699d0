"""Images assembled in pure Python: reproducible, and the real engine runs them."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import tarfile
from pathlib import Path

import docker
import pytest

from sockerless.errors import InvalidParameter
from sockerless.registry.assemble import BuiltImage, assemble
from sockerless.registry.client import Registry
from sockerless.registry.push import push
from sockerless.registry.reference import parse
from tests.registry.registries import DockerRegistry


def _tree(directory: Path, names: list[str]) -> Path:
    for name in names:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
        path.chmod(0o755 if name.startswith("bin") else 0o640)
    (directory / "link").symlink_to("bin/run")
    return directory


def _entries(built: BuiltImage) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(built.layer.path.read_bytes()))) as tar:
        return tar.getmembers()


def test_the_same_files_give_the_same_image_whenever_and_wherever_they_were_made(tmp_path: Path) -> None:
    names = ["bin/run", "lib/b", "lib/a", "etc/" + "x" * 120 + "/deep"]
    one, two = _tree(tmp_path / "one", names), _tree(tmp_path / "two", names[::-1])
    for path in two.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    with (
        assemble(one, ["/opt/x/bin/run"], "arm64", "/opt/x") as first,
        assemble(two, ["/opt/x/bin/run"], "arm64", "/opt/x") as second,
    ):
        assert first.config == second.config
        assert first.layer.descriptor == second.layer.descriptor
        assert json.loads(first.config)["architecture"] == "arm64"


def test_entries_are_sorted_under_the_prefix_without_times_or_owners(tmp_path: Path) -> None:
    with assemble(_tree(tmp_path, ["bin/run", "a"]), ["x"], "amd64", "/opt/x") as built:
        entries = _entries(built)
        path = built.layer.path
    assert [entry.name for entry in entries] == [
        "opt", "opt/x", "opt/x/a", "opt/x/bin", "opt/x/bin/run", "opt/x/link",
    ]  # fmt: skip
    assert {(entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname) for entry in entries} == {(0, 0, 0, "", "")}
    assert [oct(entry.mode) for entry in entries if entry.isreg()] == ["0o640", "0o755"]
    assert entries[-1].linkname == "bin/run"
    assert not path.exists()


def test_a_device_or_socket_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InvalidParameter, match="pipe"), assemble(tmp_path, ["x"], "amd64", "/"):
        pass


@pytest.mark.engine
async def test_an_assembled_image_is_pushed_and_the_engine_runs_it(
    client: Registry, docker_registry: DockerRegistry, engine: docker.APIClient, tmp_path: Path
) -> None:
    busybox = shutil.which("busybox")
    assert busybox is not None
    shutil.copy(busybox, tmp_path / "busybox")
    reference = parse(f"{docker_registry.host}/assembled:v1")
    with assemble(tmp_path, ["/tool/busybox", "echo", "it", "runs"], "amd64", "/tool") as built:
        digest = await push(client, reference, built)
        image_id = built.id
        assert await push(client, reference, built) == digest
    name = f"{reference.name}@{digest}"
    engine.pull(name)
    assert engine.inspect_image(name)["Id"] == image_id
    container = engine.create_container(name)["Id"]
    try:
        engine.start(container)
        assert engine.wait(container)["StatusCode"] == 0
        assert engine.logs(container) == b"it runs\n"
    finally:
        engine.remove_container(container)
        engine.remove_image(name)
