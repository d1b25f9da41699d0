"""Images of another C library than this machine's: Debian's packages of it, fetched with apt and unpacked.

Skips where there is no apt, no network or no compiler, and says which.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
MIRROR = "http://deb.debian.org/debian"
MUSL_PROGRAM = """
extern int puts(const char *);
extern void exit(int);
void _start(void) { puts("linked to musl"); exit(7); }
"""


def unpacked(suite: str, packages: list[str], directory: Path) -> Path:
    """The packages' files, below directory/root."""
    for folder in ("lists", "cache", "debs"):
        (directory / folder).mkdir(parents=True)
    (directory / "status").touch()
    sources = directory / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {MIRROR} {suite} main\n")
    options = {
        "Dir::Etc::sourcelist": sources,
        "Dir::Etc::sourceparts": "-",
        "Dir::State::lists": directory / "lists",
        "Dir::State::status": directory / "status",
        "Dir::Cache": directory / "cache",
        "APT::Sandbox::User": "root",
        "Acquire::Retries": 1,
        "Acquire::http::Timeout": 10,
    }
    apt = ["apt-get", *(part for name, value in options.items() for part in ("-o", f"{name}={value}"))]
    _run([*apt, "update"], directory)
    _run([*apt, "download", *packages], directory / "debs")
    for package in (directory / "debs").glob("*.deb"):
        _run(["dpkg-deb", "--extract", str(package), str(directory / "root")], directory)
    return directory / "root"


def musl_root(directory: Path) -> Path:
    """A root file system of musl and one program that is linked to it, /program."""
    root = unpacked("bookworm", ["musl"], directory)
    source = directory / "program.c"
    source.write_text(MUSL_PROGRAM)
    loader = "/lib/ld-musl-x86_64.so.1"
    shutil.copy(
        f"{root}{loader}", directory / "libc.so"
    )  # the loader is the library, under the name it knows itself by
    options = ["-nostdlib", "-nostartfiles", "-fno-builtin", "-fno-stack-protector", f"-Wl,--dynamic-linker={loader}"]
    program = str(root / "program")
    _run(["gcc", *options, "-o", program, str(source), f"-L{directory}", "-l:libc.so"], directory)
    return root


def glibc_root(suite: str, directory: Path) -> Path:
    """A root file system of this suite's glibc and its busybox, which is linked to it."""
    root = unpacked(suite, ["libc6", "busybox"], directory)
    for name in ("bin", "lib", "lib64"):  # as base-files merges them
        if not (root / name).exists():
            (root / name).symlink_to(f"usr/{name}")
    return root


def _run(command: list[str], directory: Path) -> None:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is missing here")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"{' '.join(command[:1])} cannot get what the image needs: {done.stderr.strip()[-300:]}")
