"""The commands that run things: serve, simulator, up, down, status, doctor, and agent for its bundle.

Owns: their options and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path

import click

from sockerless.errors import Conflict, NotFound, SockerlessError
from sockerless.kit import agent_bundle, agent_install, apply, doctor, processes, project, serve, status, up
from sockerless.kit.cli_terraform import directory_option, plugin_dir_option, yes_option
from sockerless.kit.project import Project
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
    for command in (
        up_command,
        down_command,
        serve_command,
        simulator_command,
        status_command,
        doctor_command,
        agent_group,
    ):
        group.add_command(command)


@click.command("up")
@click.option("--simulator", is_flag=True, help="Make a new deployment in a simulated AWS on this machine.")
@click.option("--detach", "-d", is_flag=True, help="Leave the daemon in the background and return once it answers.")
@directory_option
@hosts_option
@plugin_dir_option
@yes_option
def up_command(
    simulator: bool, detach: bool, directory: Path, hosts: tuple[str, ...], plugin_dir: Path | None, yes: bool
) -> None:
    """Bring everything up: settings, simulated AWS, infrastructure, daemon.

    Does what is still to do, so it may be run again at any time. Ends with the DOCKER_HOST to use. Without --detach the
    daemon stays in the foreground until Ctrl-C.

    \b
    Example: sockerless-kit up --simulator --detach
    """
    up.up(directory.absolute(), simulator, hosts, detach, yes, plugin_dir)


@click.command("down")
@directory_option
def down_command(directory: Path) -> None:
    """End what up started: the daemon, then the simulated AWS with everything in it.

    On AWS the infrastructure and running tasks stay; `sockerless-kit destroy` removes them.
    """
    up.down(directory.absolute())


@click.command("serve")
@directory_option
@hosts_option
def serve_command(directory: Path, hosts: tuple[str, ...]) -> None:
    """Serve the Docker API in the foreground, configured by DIR/.sockerless/daemon.env.

    A variable set in the environment wins over the file. Ctrl-C ends the daemon and leaves containers running. In
    simulator mode the simulated AWS is started in the background when it is not up.

    \b
    Example: sockerless-kit serve --host tcp://127.0.0.1:2375
    """
    here = _optional_project(directory)
    if here is not None and here.simulator and processes.ensure_simulator(here):
        click.echo(f"started the simulated AWS at {here.endpoint_url}; it begins empty", err=True)
    serve.run(directory.absolute(), hosts)


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
) -> None:
    """Run a simulated AWS in the foreground; tasks run on a local container engine.

    Its state is in memory: when it ends, its AWS is gone and the containers it made are removed.
    """
    run_simulator(Asked(host, port, engine, state_dir, region, account_id, step_delay, throttle, limit_cpu))


@click.command("status")
@directory_option
@click.option("--json", "as_json", is_flag=True, help="As one JSON object.")
def status_command(directory: Path, as_json: bool) -> None:
    """Show what is provisioned, whether the daemon is up and what runs."""
    found = status.gather(project.load(directory))
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(found), default=str, indent=2))
        return
    for line in status.lines(found):
        click.echo(line)


@click.command("doctor")
@directory_option
@plugin_dir_option
@click.option(
    "--simulator/--aws",
    "simulator",
    default=None,
    help="What to check for (default: what DIR/sockerless.toml says; the simulated AWS without one).",
)
@click.pass_context
def doctor_command(context: click.Context, directory: Path, plugin_dir: Path | None, simulator: bool | None) -> None:
    """Check what this machine needs: one line a requirement, with the fix where something is missing.

    Ends with 1 when something required is missing.
    """
    here = _optional_project(directory)
    if simulator is None:
        simulator = here.simulator if here else True
    findings = doctor.examine(here, simulator, plugin_dir)
    for finding in findings:
        click.echo(doctor.line(finding))
    context.exit(1 if any(finding.required and not finding.ok for finding in findings) else 0)


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
def agent_build_command(output: Path) -> None:
    """Build the agent's bundle from this interpreter into a directory."""
    if output.exists():
        raise Conflict(f"{output} exists already; name another directory with --output")
    try:
        bundle = agent_bundle.build(output)
    except SockerlessError:
        shutil.rmtree(output, ignore_errors=True)
        raise
    click.echo(f"agent {bundle.version} ({bundle.architecture}, {bundle.size_bytes / 1e6:.1f} MB) in {output}")


@agent_group.command("push")
@directory_option
def agent_push_command(directory: Path) -> None:
    """Push the agent's image to the deployment's ECR, unless this version is there."""
    click.echo(agent_install.push_image(apply.load(project.load(directory))))


def _optional_project(directory: Path) -> Project | None:
    try:
        return project.load(directory)
    except NotFound:
        return None
