"""Where terraform gets the AWS provider from: a named mirror, one that terraform looks into anyway, the registry.

Owns: the order of these, what a mirror looks like, and the sentence when there is none. Runs no terraform and installs
nothing; touches the network only when no folder holds the provider, and then for at most REGISTRY_TIMEOUT_S.
Source: Terraform CLI configuration, "Implied Local Mirror Directories" and "Provider Installation" (1.5 to 1.11).
"""

from __future__ import annotations

import os
import platform
import re
import socket
import sys
import threading
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sockerless.errors import NotFound, SockerlessError, Unavailable

PLUGIN_DIR_VARIABLE = "SOCKERLESS_TERRAFORM_PLUGIN_DIR"
HOST = "registry.terraform.io"
REGISTRY_TIMEOUT_S = 4.0
LEAST_VERSION = (5, 80)
_LEAST = ".".join(map(str, LEAST_VERSION))
_MACHINES = {"x86_64": "amd64", "aarch64": "arm64", "armv7l": "arm", "i686": "386"}


@dataclass(frozen=True, slots=True)
class Source:
    """Where the provider is taken from. plugin_dir: for `terraform init`, None when terraform finds it itself."""

    description: str
    plugin_dir: Path | None = None


def find(directory: Path, plugin_dir: Path | None = None, environment: Mapping[str, str] = os.environ) -> Source:
    """The first source that has the provider for a terraform that runs in directory.

    NotFound when the mirror named by plugin_dir or the environment lacks it, Unavailable when there is none at all.
    """
    named = plugin_dir or (Path(environment[PLUGIN_DIR_VARIABLE]) if environment.get(PLUGIN_DIR_VARIABLE) else None)
    if named is not None:
        return _named(named)
    installed = directory / ".terraform" / "providers"
    if holds_provider(installed):
        return Source("installed already", installed.absolute())  # a mirror, too: saves a question to the registry
    configured = _configured(environment)
    if configured is not None:
        return Source(f"as {configured} says")
    for folder in implied_mirrors(directory, environment):
        if holds_provider(folder):
            return Source(f"mirror {folder}")
    if registry_answers():
        return Source(HOST)
    raise Unavailable(
        f"terraform's AWS provider is nowhere to be found: {HOST} cannot be reached, and no local mirror holds "
        f"hashicorp/aws {_LEAST} or newer for {platform_name()}; name a mirror with --plugin-dir DIR or "
        f"{PLUGIN_DIR_VARIABLE}, or put one into ~/.terraform.d/plugins (`terraform providers mirror DIR` makes one "
        "on a machine that reaches the registry)"
    )


def source(plugin_dir: Path | None = None) -> str | None:
    """The first source that has the provider, in words, for a terraform that runs here; None when there is none."""
    try:
        return find(Path.cwd(), plugin_dir).description
    except SockerlessError:
        return None


def holds_provider(mirror: Path) -> bool:
    """Whether this mirror's root has a provider new enough for this machine, unpacked (VERSION/OS_ARCH/) or as .zip."""
    home = mirror / HOST / "hashicorp" / "aws"
    unpacked = (path.parent.parent.name for path in home.glob(f"*/{platform_name()}/terraform-provider-aws*"))
    packed = (path.name.split("_")[1] for path in home.glob(f"terraform-provider-aws_*_{platform_name()}.zip"))
    return any(_new_enough(version) for version in (*unpacked, *packed))


def implied_mirrors(directory: Path, environment: Mapping[str, str] = os.environ) -> Iterator[Path]:
    """The folders that terraform looks into by itself when it runs in directory, in its order."""
    home = Path(environment.get("HOME") or Path.home())
    yield directory / "terraform.d" / "plugins"
    yield home / ".terraform.d" / "plugins"
    yield Path(environment.get("XDG_DATA_HOME") or home / ".local" / "share") / "terraform" / "plugins"
    for base in (environment.get("XDG_DATA_DIRS") or "/usr/local/share:/usr/share").split(":"):
        yield Path(base) / "terraform" / "plugins"


def registry_answers(timeout_s: float = REGISTRY_TIMEOUT_S) -> bool:
    """Whether the registry, or the proxy in front of it, takes a connection within timeout_s, its lookup included."""
    host, port = _way_to(HOST)
    answered: list[bool] = []
    thread = threading.Thread(target=lambda: answered.append(_connects(host, port, timeout_s)), daemon=True)
    thread.start()
    thread.join(timeout_s)
    return answered == [True]


def platform_name() -> str:
    """Terraform's name of this platform, like linux_amd64."""
    return f"{platform.system().lower()}_{_MACHINES.get(platform.machine(), platform.machine())}"


def _named(folder: Path) -> Source:
    path = folder.expanduser().absolute()
    if not holds_provider(path):
        raise NotFound(
            f"{path} holds no hashicorp/aws provider {_LEAST} or newer for {platform_name()}; name a mirror's root, "
            f"the folder above {HOST}/hashicorp/aws/VERSION/{platform_name()}/"
        )
    return Source(f"mirror {path}", path)


def _configured(environment: Mapping[str, str]) -> Path | None:
    """The user's CLI configuration, when it says where providers come from."""
    usual = Path(environment.get("HOME") or Path.home()) / ".terraformrc"
    named = Path(environment.get("TF_CLI_CONFIG_FILE") or usual)
    path = named if named.is_file() else usual
    text = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    return path if re.search(r"^\s*provider_installation\s*\{", text, re.MULTILINE) else None


def _new_enough(version: str) -> bool:
    found = re.match(r"(\d+)\.(\d+)", version)
    return found is not None and (int(found[1]), int(found[2])) >= LEAST_VERSION


def _way_to(host: str) -> tuple[str, int]:
    """Host and port to connect to: the HTTPS proxy of the environment, when one applies to the host."""
    proxy = urllib.request.getproxies().get("https")
    if proxy and not urllib.request.proxy_bypass(host):
        parts = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        return parts.hostname or host, parts.port or 80
    return host, 443


def _connects(host: str, port: int, timeout_s: float) -> bool:
    try:
        socket.create_connection((host, port), timeout_s).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":  # for scripts/: prints the source, or ends with 1
    found = source()
    sys.stdout.write(f"{found}\n" if found else "")
    sys.exit(0 if found else 1)
