"""The commands for what the kit itself brings into the deployment: the agent, and the daemon as a container.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import click

from sockerless.errors import Conflict, SockerlessError
from sockerless.kit import agent_bundle, agent_install, apply, daemon_image, project, say
from sockerless.kit.cli_options import directory_option, document_option, env_option
from sockerless.kit.outputs import Deployment


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    group.add_command(agent_group)
    group.add_command(daemon_group)


@click.group("agent")
def agent_group() -> None:
    """The agent that runs in every task: its bundle and its image."""


@agent_group.command("build")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("agent"),
    show_default=True,
    help="The directory to make; it must not exist.",
)
@document_option
def agent_build_command(output: Path) -> None:
    """Build the agent's bundle from this interpreter into a directory.

    \b
    Example: sockerless-kit agent build --output agent
    """
    if output.exists():
        raise Conflict(f"{output} exists already; name another directory with --output")
    try:
        bundle = agent_bundle.build(output)
    except SockerlessError:
        shutil.rmtree(output, ignore_errors=True)
        raise
    if say.machines():
        say.document(bundle)
        return
    click.echo(f"agent {bundle.version} ({bundle.architecture}, {bundle.size_bytes / 1e6:.1f} MB) in {output}")


@agent_group.command("push")
@directory_option
@env_option
@document_option
def agent_push_command(directory: Path, env: str) -> None:
    """Push the agent's image to the deployment's ECR, unless this version is there.

    \b
    Example: sockerless-kit agent push --dir mydocker
    """
    image = agent_install.push_image(_standing(directory, env))
    if say.machines():
        say.document({"image": image})
        return
    click.echo(image)


@click.group("daemon")
def daemon_group() -> None:
    """The daemon as a container: its image, and the ECS task definition that runs it inside the deployment."""


@daemon_group.command("push")
@directory_option
@env_option
@document_option
def daemon_push_command(directory: Path, env: str) -> None:
    """Push the daemon's image to the deployment's ECR, unless this version is there.

    \b
    Example: sockerless-kit daemon push --dir mydocker
    """
    image = daemon_image.push_image(_standing(directory, env))
    if say.machines():
        say.document({"image": image})
        return
    click.echo(image)


@daemon_group.command("task-definition")
@directory_option
@env_option
@click.option("--role-arn", required=True, help="A role of tasks that has the daemon's policy.")
@click.option("--access-point", required=True, help="The EFS access point, of user 1000:1000, for its records.")
@document_option
def daemon_task_definition_command(directory: Path, env: str, role_arn: str, access_point: str) -> None:
    """Print the task definition that runs the daemon, as JSON for `aws ecs register-task-definition`.

    \b
    Example: sockerless-kit daemon task-definition --role-arn ARN --access-point fsap-0123abcd > daemon.json
    """
    say.document(daemon_image.task_definition(_standing(directory, env), role_arn, access_point))


def _standing(directory: Path, env: str) -> Deployment:
    return apply.load(project.load(directory, env))
