"""The daemon's own files: the running interpreter, its standard library, this package and what it depends on.

Owns what goes into the daemon's image. Like the agent's bundle it brings its own loader and libraries, so the image
needs no base. Left out: the simulator's dependencies, which no daemon of AWS runs. Layout below the destination:

    bin/python3   lib/ld.so   lib/*.so*   lib/pythonX.Y/...   tmp

Packages lie beside the standard library, where any interpreter looks: Debian's own has no site-packages.
"""

from __future__ import annotations

import importlib.metadata
import platform
import re
import shutil
import sysconfig
from collections.abc import Iterator
from importlib.metadata import Distribution
from pathlib import Path

import certifi

from sockerless.errors import NotSupported, SystemFailure
from sockerless.kit.agent_bundle import ARCHITECTURES, interpreter
from sockerless.kit.agent_elf import libraries_of, loader_of

PREFIX = "/opt/sockerless"
"""Where the files lie in the image."""
DISTRIBUTION = "sockerless-kit"
_SCRATCH = "tmp"
_SIMULATOR_ONLY = frozenset({"moto"})
_UNUSED = shutil.ignore_patterns(
    *("__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "site-packages"),
    "config-*",
)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def collect(destination: Path) -> str:
    """Copies everything into destination, a directory that does not exist; the ECS architecture it is for.

    NotSupported where this interpreter cannot be carried elsewhere (no glibc, statically linked, unknown machine).
    """
    architecture = ARCHITECTURES.get(platform.machine())
    if architecture is None:
        raise NotSupported(
            f"no Fargate task runs on {platform.machine()}: build the daemon's image on Linux x86_64 or aarch64"
        )
    library = Path(sysconfig.get_path("stdlib"))
    ours = destination / "lib" / library.name
    shutil.copytree(library, ours, ignore=_UNUSED)
    for found in distributions(DISTRIBUTION):
        _copy_distribution(found, ours)
    _copy_package(ours)
    _copy_binaries(destination)
    _make_scratch(destination)
    return architecture


def command(arguments: list[str]) -> list[str]:
    """The command line that runs the kit from its place in the image."""
    loader = [f"{PREFIX}/lib/ld.so", "--inhibit-cache", "--library-path", f"{PREFIX}/lib"]
    return [*loader, f"{PREFIX}/bin/python3", "-I", "-X", "utf8", "-m", "sockerless.kit", *arguments]


def environment() -> dict[str, str]:
    """What the interpreter needs to know in the image: where certificates are, and where anybody may write."""
    found = Path(certifi.where()).relative_to(Path(certifi.__file__).parent.parent)
    library = Path(sysconfig.get_path("stdlib")).name
    certificates = f"{PREFIX}/lib/{library}/{found}"
    return {"SSL_CERT_FILE": certificates, "TMPDIR": f"{PREFIX}/{_SCRATCH}", "HOME": "/"}


def distributions(name: str) -> list[Distribution]:
    """The installed distribution of that name and all that it requires, without what only the simulator needs."""
    waiting, found = [name], dict[str, Distribution]()
    while waiting:
        wanted = _normalised(waiting.pop())
        if wanted in found or wanted in _SIMULATOR_ONLY:
            continue
        try:
            found[wanted] = importlib.metadata.distribution(wanted)
        except importlib.metadata.PackageNotFoundError:
            continue  # required on another platform or Python only
        waiting += _required(found[wanted])
    return list(found.values())


def _required(distribution: Distribution) -> Iterator[str]:
    for requirement in distribution.requires or []:
        name = _NAME.match(requirement)
        if name is not None and "extra ==" not in requirement:
            yield name[0]


def _normalised(name: str) -> str:
    """PEP 503's form of a name."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _copy_distribution(found: Distribution, target: Path) -> None:
    """Copies what the distribution installed beside itself; programs and caches stay away.

    An old installation (egg-info) lists its sources instead, of which setup.cfg and the like were never installed.
    """
    for file in found.files or []:
        if ".." in file.parts or "__pycache__" in file.parts or file.suffix == ".pth":
            continue
        source, place = Path(str(file.locate())), target.joinpath(*file.parts)
        if source.is_file():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, place)


def _copy_package(target: Path) -> None:
    """This package as it runs: an editable installation lists no files of it."""
    package = Path(__file__).resolve().parents[1]
    shutil.copytree(package, target / package.name, ignore=_UNUSED, dirs_exist_ok=True)


def _copy_binaries(destination: Path) -> None:
    python = interpreter()
    loader = loader_of(python)
    (destination / "bin").mkdir()
    shutil.copy(python, destination / "bin" / "python3")
    shutil.copy(loader, destination / "lib" / "ld.so")
    for binary in [python, *sorted(destination.rglob("*.so"))]:
        for name, library in libraries_of(binary, loader).items():
            _copy_library(name, library, destination)


def _make_scratch(destination: Path) -> None:
    """The image has no base, so no /tmp; `docker load` needs one, and the daemon need not be root."""
    scratch = destination / _SCRATCH
    scratch.mkdir()
    scratch.chmod(0o1777)


def _copy_library(name: str, library: Path, destination: Path) -> None:
    """Copies a library that lies outside; one that a package brought is found beside it."""
    if library.is_relative_to(destination):
        return
    if not library.exists():
        raise SystemFailure(f"{name} is not at {library}")
    shutil.copy(library, destination / "lib" / name)
