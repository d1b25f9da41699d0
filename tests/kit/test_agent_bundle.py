"""The agent's bundle: small, complete, and the same bytes from the same input."""

from __future__ import annotations

import os
import re
import subprocess
import zipfile
from pathlib import Path

import pytest

from sockerless.errors import NotSupported
from sockerless.kit import agent_bundle, agent_elf
from sockerless.kit.agent_bundle import Bundle
from sockerless.wire import agent as wire


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return agent_bundle.build(tmp_path_factory.mktemp("bundle"))


def files(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


def test_two_builds_are_equal_byte_for_byte(bundle: Bundle, tmp_path: Path) -> None:
    again = agent_bundle.build(tmp_path / "again")
    assert files(again.path) == files(bundle.path)
    assert again.version == bundle.version


def test_the_version_is_sixteen_hex_digits_and_written_into_it(bundle: Bundle) -> None:
    assert re.fullmatch("[0-9a-f]{16}", bundle.version)
    assert (bundle.path / "version").read_text() == f"{bundle.version}\n"


def test_the_size_is_told_and_small(bundle: Bundle) -> None:
    assert bundle.size_bytes == sum(map(len, files(bundle.path).values()))
    assert bundle.size_bytes < 40 * 1024 * 1024


def test_the_architecture_is_ecs_s_word_for_this_machine(bundle: Bundle) -> None:
    assert bundle.architecture == {"x86_64": "X86_64", "aarch64": "ARM64"}[os.uname().machine]


def test_modules_name_no_file_of_this_machine_and_hold_no_more_than_the_agent_needs(bundle: Bundle) -> None:
    (path,) = (bundle.path / "lib").glob("python3*.zip")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        content = b"".join(archive.read(name) for name in names)
    assert {"sockerless/agent/__main__.pyc", "sockerless/wire/logs.pyc", "sockerless/errors.pyc"} <= set(names)
    for absent in ("sockerless/kit", "sockerless/types", "sockerless/config", "aiohttp", "boto3", "importlib/metadata"):
        assert not [name for name in names if name.startswith(absent)]
    assert os.fsencode(Path(agent_bundle.__file__).parents[2]) not in content


def test_it_unmasks_frames_in_native_code(bundle: Bundle) -> None:
    argv = [part.replace("ROOT/bundle", str(bundle.path)) for part in wire.agent_argv("bundle", [], "ROOT")][:-2]
    program = "from websockets.frames import apply_mask; print(type(apply_mask).__name__)"
    done = subprocess.run([*argv, "-c", program], env={}, cwd="/", capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("builtin_function_or_method\n", "")


def test_it_runs_with_an_empty_environment_from_where_it_lies(bundle: Bundle) -> None:
    argv = wire.agent_argv("bundle", ["dance"], "ROOT")
    argv = [part.replace("ROOT/bundle", str(bundle.path)) for part in argv]
    done = subprocess.run(argv, env={}, cwd="/", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (2, "usage: python -m sockerless.agent serve | install DEST\n")


def test_an_agent_without_credentials_says_what_is_missing(bundle: Bundle) -> None:
    argv = [part.replace("ROOT/bundle", str(bundle.path)) for part in wire.agent_argv("bundle", ["serve"], "ROOT")]
    done = subprocess.run(argv, env={}, cwd="/", capture_output=True, text=True, check=False)
    assert done.returncode == 125
    assert wire.ENV_TOKEN in done.stderr


def test_what_is_not_elf_is_refused(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh\n")
    with pytest.raises(NotSupported, match="not a 64-bit little-endian ELF file"):
        agent_elf.loader_of(script)
