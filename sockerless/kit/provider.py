"""Where terraform would get the AWS provider from: a mirror on this disk, or the public registry.

Owns: the order in which sources are looked at, and what a mirror looks like. Runs no terraform and installs nothing.
Source: Terraform CLI configuration, "Provider Installation" (filesystem mirror layouts, implied local mirrors).
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

PLUGIN_DIR_VARIABLE = "SOCKERLESS_TERRAFORM_PLUGIN_DIR"
HOST = "registry.terraform.io"
_DISCOVERY_URL = f"https://{HOST}/.well-known/terraform.json"
_TIMEOUT_S = 5.0
_LAYOUTS = ("*/hashicorp/aws/*/*/terraform-provider-aws_v*", "*/hashicorp/aws/terraform-provider-aws_*.zip")


def source(plugin_dir: Path | None = None) -> str | None:
    """The first source that has the provider, in words; None when there is none.

    plugin_dir, or the directory that SOCKERLESS_TERRAFORM_PLUGIN_DIR names, is the only place looked at when given.
    """
    given = plugin_dir or Path(os.environ.get(PLUGIN_DIR_VARIABLE, ""))
    if given != Path():
        return f"mirror {given}" if holds_provider(given) else None
    for folder in implied_mirrors():
        if holds_provider(folder):
            return f"mirror {folder}"
    return HOST if registry_answers() else None


def holds_provider(mirror: Path) -> bool:
    """Whether the directory is a mirror root with any version of the AWS provider, unpacked or packed."""
    return any(True for layout in _LAYOUTS for _ in mirror.glob(layout))


def implied_mirrors() -> Iterator[Path]:
    """The folders that terraform itself looks into before it asks the registry."""
    home = Path.home()
    yield home / ".terraform.d/plugins"
    yield Path(os.environ.get("XDG_DATA_HOME") or home / ".local/share") / "terraform/plugins"
    for folder in (os.environ.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(folder) / "terraform/plugins"


def registry_answers() -> bool:
    """Whether the public registry can be reached from here."""
    try:
        with urllib.request.urlopen(_DISCOVERY_URL, timeout=_TIMEOUT_S) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


if __name__ == "__main__":  # for scripts/: prints the source, or ends with 1
    found = source()
    sys.stdout.write(f"{found}\n" if found else "")
    sys.exit(0 if found else 1)
