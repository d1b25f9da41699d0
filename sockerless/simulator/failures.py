"""How a task fails to start, in AWS's families of stopped reasons.

Source: ECS developer guide, "Amazon ECS stopped tasks error messages".
"""

from __future__ import annotations

from sockerless.errors import SystemFailure


class TaskFailure(SystemFailure):
    """The task cannot start; str() is the stopped reason, family first. container: whose reason it is, if one's."""

    family = "TaskFailedToStart"

    def __init__(self, detail: str, container: str | None = None) -> None:
        super().__init__(f"{self.family}: {detail}")
        self.container = container


class ResourceInitializationError(TaskFailure):
    """Log group, secret or volume is not to be had."""

    family = "ResourceInitializationError"


class CannotPullContainerError(TaskFailure):
    """The image is not to be had."""

    family = "CannotPullContainerError"


class CannotCreateContainerError(TaskFailure):
    """The engine refused the container."""

    family = "CannotCreateContainerError"


class CannotStartContainerError(TaskFailure):
    """The runtime could not run the program."""

    family = "CannotStartContainerError"
