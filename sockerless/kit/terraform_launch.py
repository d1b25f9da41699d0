"""`python -m sockerless.kit.terraform_launch [--hermetic] ARGUMENTS`: becomes terraform, in a process group of its own.

Owns: what terraform inherits. In its own group it does not get the terminal's Ctrl-C, which would reach it beside the
one that terraform.py passes on: two of them make it drop what it is doing. Knows no deployment.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from sockerless.config import simulator_credentials

HERMETIC = "--hermetic"
"""Keeps every AWS_* variable away: in simulator mode no profile or endpoint of the user's shell may lead elsewhere.
In their place stand the credentials that the simulated AWS is to know us by."""


def environment_for(environment: Mapping[str, str], hermetic: bool) -> dict[str, str]:
    """What terraform gets of this environment; a TF_CLI_CONFIG_FILE that is not there is left out."""
    kept = {name: value for name, value in environment.items() if not (hermetic and name.startswith("AWS_"))}
    if not os.path.isfile(kept.get("TF_CLI_CONFIG_FILE", "")):
        kept.pop("TF_CLI_CONFIG_FILE", None)
    if hermetic:
        kept |= _credentials(environment)
    return {**kept, "TF_IN_AUTOMATION": "1", "TF_INPUT": "0", "CHECKPOINT_DISABLE": "1"}


def _credentials(environment: Mapping[str, str]) -> dict[str, str]:
    given = simulator_credentials(environment)
    named = {"AWS_ACCESS_KEY_ID": given.access_key_id, "AWS_SECRET_ACCESS_KEY": given.secret_access_key}
    return named | ({"AWS_SESSION_TOKEN": given.session_token} if given.session_token else {})


def main(arguments: list[str]) -> None:
    """Replaces this process by terraform with these arguments."""
    hermetic = arguments[:1] == [HERMETIC]
    os.setpgid(0, 0)
    passed = arguments[1:] if hermetic else arguments
    os.execvpe("terraform", ["terraform", *passed], environment_for(os.environ, hermetic))  # noqa: S606


if __name__ == "__main__":
    main(sys.argv[1:])
