"""DIR/.sockerless/daemon.env: the daemon's variables that the deployment determines.

Owns: which output fills which variable, and the file (mode 0600, replaced in one step). Knows no terraform.
Law: every row of config.VARIABLES with determined=True has a value here, and no other row has.
"""

from __future__ import annotations

from pathlib import Path

from sockerless.config import VARIABLES
from sockerless.errors import NotFound
from sockerless.kit import render
from sockerless.kit.outputs import Deployment
from sockerless.kit.project import Project

ENV_FILE = "daemon.env"


def path_of(project: Project) -> Path:
    """Where the file is, whether written yet or not."""
    return project.state_directory / ENV_FILE


def variables(deployment: Deployment, agent_version: str, agent_architecture: str) -> dict[str, str]:
    """Every determined variable's text by name, in the table's order; empty where the deployment has nothing for it."""
    values = _values(deployment, agent_version, agent_architecture)
    return {variable.name: values[variable.attribute] for variable in VARIABLES if variable.determined}


def read(project: Project) -> str:
    """The file's text; NotFound when `apply` has not written it yet."""
    path = path_of(project)
    try:
        return path.read_text()
    except FileNotFoundError:
        raise NotFound(f"{path} is not written yet; run `{project.command('apply')}`") from None


def write(deployment: Deployment, agent_version: str, agent_architecture: str) -> Path:
    """Writes the file and returns its path."""
    text = render.render_environment(variables(deployment, agent_version, agent_architecture).items())
    path = path_of(deployment.project)
    render.private_directory(path.parent)
    render.replace_file(path, text, 0o600)
    return path


def _values(deployment: Deployment, agent_version: str, agent_architecture: str) -> dict[str, str]:
    """The text by config.Config's attribute."""
    outputs, project = deployment.outputs, deployment.project
    return {
        "region": outputs.region,
        "cluster": outputs.cluster_name,
        "subnets": ",".join(outputs.task_subnet_ids),
        "security_groups": ",".join(outputs.security_group_ids),
        "task_role_arn": outputs.task_role_arn,
        "execution_role_arn": outputs.execution_role_arn,
        "log_group": outputs.log_group_name,
        "public_ip": "true" if outputs.assign_public_ip else "false",
        "agent_image": f"{outputs.agent_repository_url}:{agent_version}",
        "agent_efs_id": outputs.efs_file_system_id,
        "agent_efs_access_point": outputs.agent_access_point_id,
        "agent_version": agent_version,
        "agent_architecture": agent_architecture,
        "capacity_providers": f"FARGATE={project.fargate_weight},FARGATE_SPOT={project.spot_weight}",
        "events_queue_url": outputs.events_queue_url,
        "architecture": project.architecture,
        "default_cpu_units": str(project.default_cpu_units),
        "default_memory_mib": str(project.default_memory_mib),
        "max_cpu_units": str(project.max_cpu_units),
        "max_memory_mib": str(project.max_memory_mib),
        "endpoint_url": project.endpoint_url if project.simulator else "",
        "ecr_repository": outputs.images_repository_url,
        "pull_through": ",".join(f"{host}={uri}" for host, uri in sorted(outputs.pull_through.items())),
        "state_dir": str(project.state_directory / "state"),
    }
