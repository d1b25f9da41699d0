"""One deployment: its directory and its checked settings.

Owns: reading sockerless.toml, and the typed value that the rest of the kit works with. The keys themselves are in
settings.py, what a named environment makes of them in environments.py. Knows no terraform and asks nobody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sockerless.errors import InvalidParameter, NotFound
from sockerless.kit import environments, settings
from sockerless.kit.background import STATE_FOLDER

SETTINGS_FILE = "sockerless.toml"
"""The one file a person edits."""


@dataclass(frozen=True, slots=True)
class Project:
    """The checked settings of the deployment in directory (absolute). One attribute per row of settings.FIELDS.

    home: where its sockerless.toml is (absolute); env: the named environment it is, "" for the keys at the top alone.
    """

    directory: Path
    home: Path
    env: str
    name: str
    environment: str
    target: Literal["aws", "simulator"]
    endpoint_url: str
    region: str
    zones: int
    permissions_boundary: str
    network: Literal["nat", "public", "private", "existing"]
    nat_gateways: Literal["one", "zone"]
    network_cidr: str
    daemon_cidrs: tuple[str, ...]
    vpc_id: str
    subnet_ids: tuple[str, ...]
    security_group_ids: tuple[str, ...]
    assign_public_ip: bool
    encryption: Literal["customer", "aws"]
    efs_backups: bool
    deletion_protection: bool
    repository_prefix: str
    image_tags: Literal["mutable", "immutable"]
    scan_on_push: bool
    untagged_image_days: int
    pull_through: tuple[str, ...]
    docker_hub_secret_arn: str
    log_retention_days: int
    container_insights: Literal["enabled", "enhanced", "disabled"]
    flow_logs: Literal["rejected", "all", "off"]
    task_events: bool
    dashboard: bool
    alarms: bool
    alarm_topic_arn: str
    task_quota: int
    state: Literal["local", "s3"]
    state_bucket: str
    fargate_weight: int
    spot_weight: int
    architecture: Literal["X86_64", "ARM64"]
    default_cpu_units: int
    default_memory_mib: int
    max_cpu_units: int
    max_memory_mib: int
    tags: tuple[tuple[str, str], ...]

    @property
    def simulator(self) -> bool:
        """Whether this deployment lives in the simulated AWS."""
        return self.target == "simulator"

    @property
    def state_directory(self) -> Path:
        """DIR/.sockerless, where the kit keeps what it needs (mode 0700)."""
        return self.directory / STATE_FOLDER

    @property
    def settings_path(self) -> Path:
        """The sockerless.toml that these settings come from."""
        return self.home / SETTINGS_FILE

    @property
    def state_key(self) -> str:
        """The key of terraform's state in its bucket: deployments of several names share one without meeting."""
        return f"{self.name}/terraform.tfstate"

    def command(self, words: str) -> str:
        """The kit's command ("apply") for this deployment, as it is typed beside its sockerless.toml."""
        return environments.command(self.env, words)


def from_mapping(home: Path, values: Mapping[str, Any], env: str = "") -> Project:
    """The settings that values ask for, defaults for the rest. InvalidParameter names every key that is wrong.

    values: what holds in the environment env, as environments.select() tells.
    """
    directory = environments.directory_of(home, env)
    return Project(directory=directory, home=home.absolute(), env=env, **settings.check_all(values))


def to_mapping(project: Project) -> dict[str, Any]:
    """The settings as from_mapping takes them: one entry per row of settings.FIELDS."""
    return {field.name: getattr(project, field.name) for field in settings.FIELDS}


def read_settings(directory: Path) -> dict[str, Any] | None:
    """The keys in DIR/sockerless.toml, unchecked; None when there is no such file."""
    path = directory / SETTINGS_FILE
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InvalidParameter(f"{path} is not valid TOML: {error}") from None


def load(directory: Path, env: str = "") -> Project:
    """The deployment that directory's sockerless.toml asks for in the environment env ("": its keys at the top alone).

    NotFound when there is no such file, InvalidParameter names what is wrong in it, an unknown environment included.
    """
    values = read_settings(directory)
    if values is None:
        raise NotFound(f"there is no {SETTINGS_FILE} in {directory.absolute()}; run `sockerless-kit init` first")
    try:
        selected = environments.select(values, env)
    except InvalidParameter as error:
        raise InvalidParameter(f"{directory / SETTINGS_FILE}: {error.message}") from None
    try:
        return from_mapping(directory, selected, env)
    except InvalidParameter as error:
        where = f"{directory / SETTINGS_FILE}{f', environment {env}' if env else ''}"
        raise InvalidParameter(f"{where}: {error.message}") from None
