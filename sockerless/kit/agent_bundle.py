"""The agent's bundle: a directory with its own interpreter, libraries, loader and modules, that runs in any image.

Owns the layout and its version, the hash of its content. Built from the interpreter that runs this, so it has this
machine's architecture. Equal input gives equal bytes. Must not import the agent: it copies its files. Layout:

    bin/python3   lib/ld.so   lib/*.so*   lib/pythonXY.zip   lib/pythonX.Y/lib-dynload/*.so   version
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import importlib.util
import io
import json
import platform
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from sockerless.errors import NotSupported, SystemFailure
from sockerless.kit import agent_modules
from sockerless.kit.agent_elf import is_elf, libraries_of, loader_of, without_sections

ARCHITECTURES = {"x86_64": "X86_64", "aarch64": "ARM64"}
"""Machine names to ECS's cpuArchitecture."""
EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Bundle:
    """A built bundle: its directory, version (16 hex), ECS architecture and total size."""

    path: Path
    version: str
    architecture: str
    size_bytes: int


def build(destination: Path) -> Bundle:
    """Builds the bundle in destination, a directory that does not exist or is empty.

    NotSupported where this interpreter cannot be bundled (no glibc, statically linked, unknown architecture).
    """
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None or not sys.platform.startswith("linux"):
        raise NotSupported(f"no Fargate task runs on {sys.platform} {platform.machine()}: build the agent on Linux")
    contents = _contents(interpreter())
    version = _version(contents)
    contents["version"] = f"{version}\n".encode()
    for name, content in contents.items():
        path = destination / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        path.chmod(0o755 if is_elf(content) else 0o644)
    for directory in (destination, *(path for path in destination.rglob("*") if path.is_dir())):
        directory.chmod(0o755)
    return Bundle(destination, version, architecture, sum(map(len, contents.values())))


def interpreter() -> Path:
    """The real file of the running interpreter, outside any virtual environment."""
    base: str = getattr(sys, "_base_executable", None) or sys.executable
    return Path(base).resolve()


def _contents(interpreter: Path) -> dict[str, bytes]:
    """Every file of the bundle by its path in it."""
    found = _agent_modules(interpreter)
    extensions = [Path(path) for path in found["extensions"]]
    loader = loader_of(interpreter)
    libraries = _libraries([interpreter, *extensions], loader)
    short = f"{sys.version_info.major}{sys.version_info.minor}"
    dynload = f"lib/python{sys.version_info.major}.{sys.version_info.minor}/lib-dynload"
    binaries = {
        "bin/python3": interpreter,
        "lib/ld.so": loader,
        **{f"lib/{name}": path for name, path in libraries.items()},
        **{f"{dynload}/{path.name}": path for path in extensions},
    }
    contents = {name: without_sections(path.read_bytes(), path) for name, path in binaries.items()}
    contents[f"lib/python{short}.zip"] = _archive(found["modules"])
    return dict(sorted(contents.items()))


def _agent_modules(interpreter: Path) -> dict[str, dict[str, str]]:
    """What agent_modules.py finds in a clean interpreter, hashing without randomness."""
    parents = {_parent_of("sockerless"), _parent_of("websockets")}
    script = Path(agent_modules.__file__)
    version = importlib.metadata.version("websockets")
    command: list[str | Path] = [interpreter, "-S", "-s", "-P", "-B", script, version, *sorted(parents)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONHASHSEED": "0"})
    if run.returncode != 0:
        raise SystemFailure(f"the agent's modules cannot be collected: {run.stderr.strip().splitlines()[-1:]}")
    found: dict[str, dict[str, str]] = json.loads(run.stdout)
    return found


def _parent_of(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise SystemFailure(f"the package {package} is not installed as files")
    return Path(spec.origin).parent.parent


def _libraries(binaries: Iterable[Path], loader: Path) -> dict[str, Path]:
    libraries: dict[str, Path] = {}
    for binary in binaries:
        libraries.update(libraries_of(binary, loader))
    return libraries


def _archive(modules: Mapping[str, str]) -> bytes:
    """The zip that holds the modules."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, code in sorted(modules.items()):
            archive.writestr(zipfile.ZipInfo(name, EPOCH), base64.b64decode(code))
    return buffer.getvalue()


def _version(contents: Mapping[str, bytes]) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]
