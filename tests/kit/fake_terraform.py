"""A stand-in for the terraform executable: writes what a script of lines says, and tells what it was given.

Each test writes a shell script named `terraform` into a directory of its own and puts that first in PATH.
"""

from __future__ import annotations

from pathlib import Path

VERSION = 'if [ "$1" = version ]; then echo \'{"terraform_version":"1.11.4"}\'; exit 0; fi\n'


def install(directory: Path, body: str, version: str = VERSION) -> Path:
    """Writes the script; the directory to put into PATH."""
    folder = directory / "bin"
    folder.mkdir(exist_ok=True)
    script = folder / "terraform"
    script.write_text(f"#!/bin/sh\n{version}{body}\n")
    script.chmod(0o755)
    return folder
