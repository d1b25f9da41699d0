"""Everything in one step and back: settings, simulated AWS, infrastructure, daemon; and the end of what was started.

Owns: the order of these and what is said on the way. Each step is one that has a command of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from sockerless.errors import Conflict, InvalidParameter
from sockerless.kit import apply, background, init, processes, say, serve, serving
from sockerless.kit import project as settings
from sockerless.kit.background import Place
from sockerless.kit.project import SETTINGS_FILE, Project


def up(
    directory: Path,
    env: str,
    simulator: bool | None,
    hosts: Sequence[str],
    detach: bool,
    yes: bool,
    plugin_dir: Path | None,
) -> None:
    """Brings the deployment in directory, or its named environment, up, from whatever state it is in.

    simulator: whether a new deployment is made in the simulated AWS or on AWS, and an existing one must be there; None:
    wherever the existing one is. detach: returns once the daemon answers, and leaves it in the background; otherwise
    serves until Ctrl-C. InvalidParameter for a new one of which nobody said where, for AWS costs money.
    """
    standing = _standing(directory, env, simulator)
    hosts = hosts or [serving.default_host(standing.directory if standing else directory)]
    for host in hosts:
        serving.check_host(host)
    project = standing or _new(directory, simulator)
    environment = _environment_text(project)
    apply.build(project, plugin_dir, yes)
    if _is_up(project, hosts, environment):
        say.tell("daemon", f"the daemon is up already on {', '.join(hosts)}", hosts=hosts)
        _say_host(hosts[0])
        return
    if detach:
        processes.start_daemon(project, hosts)
        say.tell("daemon", f"the daemon serves {', '.join(hosts)}; `{project.command('down')}` ends it", hosts=hosts)
        _say_host(hosts[0])
        return
    _say_host(hosts[0])
    serve.run(project.directory, hosts)
    if project.simulator:
        goes_on = f"the simulated AWS and its containers go on; `{project.command('down')}` ends them"
        say.tell("simulator", goes_on, endpoint_url=project.endpoint_url)


def down(project: Project) -> None:
    """Ends what up started for the deployment: the daemon, then the simulated AWS with everything in it.

    A simulated AWS that another environment's daemon still works with goes on until that one is taken down.
    """
    _end(processes.daemon_place(project.directory))
    if not project.simulator:
        say.tell("kept", f"infrastructure and running tasks stay; `{project.command('destroy')}` removes them")
        return
    users = processes.other_users(project)
    if users:
        names = ", ".join(map(str, users))
        say.tell("kept", f"the simulated AWS goes on: the daemon of {names} works in it", directories=users)
        return
    _end(processes.simulator_place_in_use(project))


def _end(place: Place) -> None:
    ran = background.stop(place)
    text = f"ended the {place.name}" if ran else f"no {place.name} of this directory runs"
    say.tell("ended", text, process=place.name, ran=ran)


def _new(directory: Path, simulator: bool | None) -> Project:
    if simulator is None:
        raise InvalidParameter(
            f"there is no {SETTINGS_FILE} in {directory}; say where the new deployment is to be: --simulator, a "
            "simulated AWS on this machine, or --aws, your AWS account, which costs money"
        )
    project, _ = init.run(directory, {"target": "simulator" if simulator else "aws"})
    say.tell("wrote", f"wrote {directory / SETTINGS_FILE}", file=directory / SETTINGS_FILE)
    return project


def _standing(directory: Path, env: str, simulator: bool | None) -> Project | None:
    """What sockerless.toml says already; None where there is no such file and no environment is asked for."""
    if settings.read_settings(directory) is None and not env:
        return None
    project = settings.load(directory, env)
    if simulator not in (None, project.simulator):
        flag = "--simulator" if simulator else "--aws"
        raise InvalidParameter(
            f'{directory / SETTINGS_FILE} says target = "{project.target}"; leave {flag} out, or use another directory'
        )
    return project


def _is_up(project: Project, hosts: Sequence[str], environment: str) -> bool:
    """Whether the directory's daemon serves these hosts with this daemon.env; one that does not is ended.

    Conflict when that one is in the foreground: it is somebody's terminal, or a service manager's.
    """
    place, process = processes.daemon_place(project.directory), serving.process(project.directory)
    if process is not None and environment == _environment_text(project) and all(map(processes.daemon_answers, hosts)):
        return True
    in_background = background.find(place)
    if process is not None and process != in_background:
        raise Conflict(
            f"process {process.pid} serves this deployment in the foreground, with settings from before or on other "
            "hosts; end it (Ctrl-C), then run the same command again"
        )
    if in_background is not None:
        say.tell("ended", "ending the daemon: what it serves has changed", process="daemon")
        background.stop(place)
    return False


def _environment_text(project: Project) -> str:
    path = serve.env_file(project.directory)
    return path.read_text() if path.exists() else ""


def _say_host(host: str) -> None:
    say.tell("docker_host", f"export DOCKER_HOST={host}", docker_host=host)
