"""The commands for terraform's state: its bucket, its move, its lock.

Owns: their options, questions and help. Each calls one function of the kit and prints what it returned.
"""

from __future__ import annotations

from pathlib import Path

import click

from sockerless.errors import InvalidParameter
from sockerless.kit import backend, plan, project, say, state, state_lock
from sockerless.kit.cli_options import directory_option, env_option, events_option, plugin_dir_option, yes_option


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
    group.add_command(state_group)


@click.group("state")
def state_group() -> None:
    """Terraform's state: where it is kept, and its lock."""


@state_group.command("create-bucket")
@directory_option
@env_option
@events_option
def create_bucket_command(directory: Path, env: str) -> None:
    """Create the bucket for the state: versioned, encrypted, private, reached by TLS only.

    `apply` asks for the same; this is for whoever may make buckets and does not apply. Safe to run again.

    \b
    Example: sockerless-kit state create-bucket
    """
    here = project.load(directory, env)
    plan.prepare(here)
    wanted = state.wanted(here)
    if wanted is None:
        raise InvalidParameter(f'{here.settings_path} says state = "local"; with state = "s3" there is a bucket')
    backend.create_bucket(here, wanted)


@state_group.command("move")
@directory_option
@env_option
@plugin_dir_option
@yes_option
@events_option
def move_command(directory: Path, env: str, plugin_dir: Path | None, yes: bool) -> None:
    """Move the state to where sockerless.toml wants it, after `state` or `state_bucket` was changed there.

    A copy stays where it was. Makes the bucket first when it is missing.

    \b
    Example: sockerless-kit state move --yes
    """
    say.require_yes(yes)
    here = project.load(directory, env)
    plan.prepare(here)
    if not backend.bring(here, plugin_dir, yes):
        say.tell("nothing", "nothing to move: the state is where sockerless.toml wants it")


@state_group.command("unlock")
@directory_option
@env_option
@yes_option
@events_option
def unlock_command(directory: Path, env: str, yes: bool) -> None:
    """Free the state's lock that a terraform left which was killed.

    Says who holds it and asks: while that one still works, freeing it can damage the state.

    \b
    Example: sockerless-kit state unlock
    """
    say.require_yes(yes)
    here = project.load(directory, env)
    lock = state_lock.held(here)
    if lock is None:
        say.tell("nothing", "nothing to free: the state is not locked")
        return
    who = f"{lock.who} holds the lock since {lock.created}, for {lock.operation} (ID {lock.id})"
    say.tell("locked", who, lock=lock)
    if not yes:
        click.confirm("Is that terraform surely no more, and shall its lock be freed?", abort=True)
    state_lock.free(here, lock)
    say.tell("unlocked", "the lock is free", id=lock.id)
