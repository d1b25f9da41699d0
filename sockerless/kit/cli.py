"""The command line: `sockerless-kit`. Parses, calls one function, prints.

Owns: the group, and what becomes of a failure; the commands are in cli_*.py. Exit codes: 0 done, 1 failed with a
sentence on standard error, 2 used wrongly (an unknown option, a setting that is not valid), 3 drift found, 130 ended
by Ctrl-C. Law: what AWS or Terraform refused is a failure, 1, whatever they call it: nobody mistyped a command.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

import click

from sockerless.errors import InvalidParameter, SockerlessError
from sockerless.kit import (
    cli_daemon,
    cli_iam,
    cli_images,
    cli_init,
    cli_inspect,
    cli_shell,
    cli_state,
    cli_terraform,
    say,
)

_KEPT = "interrupted; what was done so far is kept, run the same command again"
_NO_ANSWER = (
    "standard input ended before this question was answered; answer it at a terminal, or beforehand by the options "
    "that --help lists (--yes agrees, and takes the defaults)"
)


class _Failed(click.ClickException):
    """One sentence on standard error, exit code 1."""


class _Misused(click.ClickException):
    """One sentence on standard error, exit code 2."""

    exit_code = 2


class _Interrupted(click.ClickException):
    """One sentence on standard error, exit code 130: 128 + SIGINT, as shells count."""

    exit_code = 130


class Kit(click.Group):
    """A group that turns failures into sentences and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Runs the command."""
        try:
            return super().invoke(ctx)
        except SockerlessError as error:
            ended = _Misused if isinstance(error, InvalidParameter) and not error.refused_by else _Failed
            raise _told(type(error).__name__, ended(error.message)) from error
        except PermissionError as error:
            sentence = f"{error.filename}: permission denied; run this as the user who owns it"
            raise _told("Forbidden", _Failed(sentence)) from error
        except OSError as error:
            if error.filename is None:
                raise
            sentence = f"{error.filename}: {(error.strerror or str(error)).lower()}"
            raise _told("SystemFailure", _Failed(sentence)) from error
        except KeyboardInterrupt:
            raise _told("Interrupted", _Interrupted(_KEPT)) from None
        except click.Abort as error:
            raise _unanswered(error) from None


def _unanswered(error: click.Abort) -> Exception:
    """What a question ended with that got no answer. Click makes an Abort of that and of the answer no."""
    if isinstance(error.__context__, KeyboardInterrupt):
        click.echo()  # the cursor stands behind the question
        return _told("Interrupted", _Interrupted(_KEPT))
    if isinstance(error.__context__, EOFError):
        click.echo()
        return _told("Unanswered", _Failed(_NO_ANSWER))
    return error


def _told(kind: str, failure: click.ClickException) -> click.ClickException:
    """The failure, which Click prints for people, told to machines too."""
    say.failed(kind, failure.message)
    return failure


@click.group(cls=Kit, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(version("sockerless-kit"), prog_name="sockerless-kit")
def cli() -> None:
    """A Docker Engine whose containers are AWS ECS Fargate tasks, and the kit that builds the AWS side of it.

    \b
    sockerless-kit init --simulator mydocker && cd mydocker
    sockerless-kit apply
    sockerless-kit serve
    """


for _module in (cli_init, cli_terraform, cli_daemon, cli_inspect, cli_iam, cli_state, cli_images, cli_shell):
    _module.register(cli)


def main() -> None:
    """The entry point."""
    cli(prog_name="sockerless-kit")
