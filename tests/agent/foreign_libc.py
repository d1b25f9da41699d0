"""Images of another C library than this machine's: Debian's packages of it, fetched with apt and unpacked.

Withholds the test where there is no apt, no network or no compiler, and says which.
"""

from __future__ import annotations

import platform
import shutil
import subprocess
from pathlib import Path

from tests.machine import withhold

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
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
    mirror = _mirror(directory)
    sources = directory / "sources.list"
    sources.write_text(f"deb [signed-by={KEYRING}] {mirror} {suite} main\n")
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


def _mirror(directory: Path) -> str:
    """Where this machine gets its own release of Debian from."""
    codename = platform.freedesktop_os_release().get("VERSION_CODENAME", "")
    targets = _run(["apt-get", "indextargets", "--format", "$(CODENAME) $(SITE)"], directory).splitlines()
    sites = [site for release, site in (target.split(" ", 1) for target in targets) if release == codename]
    return sites[0] if sites else withhold(f"apt knows no mirror of {codename or 'a Debian release'}")


def _run(command: list[str], directory: Path) -> str:
    if shutil.which(command[0]) is None:
        withhold(f"{command[0]} is missing here")
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        withhold(f"{' '.join(command[:1])} cannot get what the image needs: {done.stderr.strip()[-300:]}")
    return done.stdout
