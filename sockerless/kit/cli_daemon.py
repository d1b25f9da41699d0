"""The commands that run things: serve, simulator, up, down.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.kit import environments, processes, project, say, serve, up
from sockerless.kit.cli_options import (
    directory_option,
    env_option,
    events_option,
    optional_project,
    plugin_dir_option,
    yes_option,
)
from sockerless.kit.simulator_process import Asked
from sockerless.kit.simulator_process import run as run_simulator
from sockerless.simulator.options import DEFAULT_ACCOUNT_ID, DEFAULT_PORT, DEFAULT_REGION

hosts_option = click.option(
    "--host",
    "-H",
    "hosts",
    multiple=True,
    metavar="ADDRESS",
    help="Where to serve: unix:///PATH or tcp://127.0.0.1:PORT, may be repeated "
    "(default: unix://DIR/.sockerless/docker.sock).",
)


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    for command in (up_command, down_command, serve_command, simulator_command):
        group.add_command(command)


@click.command("up")
@click.option(
    "--simulator/--aws",
    "simulator",
    default=None,
    help="Make a new deployment in a simulated AWS on this machine, or in your AWS account, which costs money.",
)
@click.option("--detach", "-d", is_flag=True, help="Leave the daemon in the background and return once it answers.")
@directory_option
@env_option
@hosts_option
@plugin_dir_option
@yes_option
@events_option
def up_command(
    simulator: bool | None,
    detach: bool,
    directory: Path,
    env: str,
    hosts: tuple[str, ...],
    plugin_dir: Path | None,
    yes: bool,
) -> None:
    """Bring everything up: settings, simulated AWS, infrastructure, daemon.

    Does what is still to do, so it may be run again at any time. Where there is no sockerless.toml yet, --simulator or
    --aws says where the new deployment is to be. Ends with the DOCKER_HOST to use. Without --detach the daemon stays in
    the foreground until Ctrl-C.

    \b
    Example: sockerless-kit up --simulator --detach
    """
    say.require_yes(yes)
    up.up(directory.absolute(), env, simulator, hosts, detach, yes, plugin_dir)


@click.command("down")
@directory_option
@env_option
@events_option
def down_command(directory: Path, env: str) -> None:
    """End what up started: the daemon, then the simulated AWS with everything in it.

    On AWS the infrastructure and running tasks stay; `sockerless-kit destroy` removes them.

    \b
    Example: sockerless-kit down --dir mydocker
    """
    up.down(project.load(directory, env))


@click.command("serve")
@directory_option
@env_option
@hosts_option
def serve_command(directory: Path, env: str, hosts: tuple[str, ...]) -> None:
    """Serve the Docker API in the foreground, configured by DIR/.sockerless/daemon.env.

    A variable set in the environment wins over the file. Ctrl-C ends the daemon and leaves containers running. In
    simulator mode the simulated AWS is started in the background when it is not up.

    \b
    Example: sockerless-kit serve --host tcp://127.0.0.1:2375
    """
    here = optional_project(directory, env)
    if here is not None and here.simulator and processes.ensure_simulator(here):
        click.echo(f"started the simulated AWS at {here.endpoint_url}; it begins empty", err=True)
    serve.run(environments.directory_of(directory, env), hosts)


@click.command("simulator")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True, help="TCP port.")
@click.option("--engine", help="The engine that runs tasks (default: SOCKERLESS_ENGINE, or the usual sockets).")
@click.option("--state-dir", type=click.Path(path_type=Path), help="Where EFS and ECR keep their bytes while it runs.")
@click.option("--region", default=DEFAULT_REGION, show_default=True, help="Region of the simulated account.")
@click.option("--account-id", default=DEFAULT_ACCOUNT_ID, show_default=True, help="The simulated account's number.")
@click.option("--step-delay", type=click.FloatRange(0), default=0.0, help="Seconds a task stays in each status.")
@click.option("--throttle/--no-throttle", default=True, help="Enforce AWS's request budgets (default) or not.")
@click.option("--limit-cpu/--no-limit-cpu", default=True, help="Hold tasks to their vCPUs (default) or not.")
@click.option(
    "--enforce-iam",
    is_flag=True,
    help="Serve a call only when the IAM policies of its caller allow it; the credentials test/test are root.",
)
def simulator_command(
    host: str,
    port: int,
    engine: str | None,
    state_dir: Path | None,
    region: str,
    account_id: str,
    step_delay: float,
    throttle: bool,
    limit_cpu: bool,
    enforce_iam: bool,
) -> None:
    """Run a simulated AWS in the foreground; tasks run on a local container engine.

    Its state is in memory: when it ends, its AWS is gone and the containers it made are removed.

    \b
    Example: sockerless-kit simulator --port 4566 --region eu-central-1
    """
    run_simulator(
        Asked(host, port, engine, state_dir, region, account_id, step_delay, throttle, limit_cpu, enforce_iam)
    )
