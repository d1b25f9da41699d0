"""The commands that run things: serve, simulator, up, down, status, doctor."""

from __future__ import annotations

import click


def register(group: click.Group) -> None:
    """Adds the commands to the group."""
