"""Named environments: tables [environments.NAME] in sockerless.toml, each a deployment of its own beside the others.

Owns: the tables' names, how one is laid over the keys above it, and where an environment lives: DIR/environments/NAME
is a complete root module with its own .sockerless and state. Without a name the keys at the top alone are meant, in
DIR itself. Knows no file. Law: an environment gets its own name and tag unless its table says otherwise, so that two of
them never build the same resource.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sockerless.errors import InvalidParameter
from sockerless.kit import checks
from sockerless.kit.settings import BY_NAME

KEY = "environments"
"""The key of the tables, and the folder that holds their directories."""
VARIABLE = "SOCKERLESS_ENV"
"""The environment variable that --env is taken from when it is not given."""
_NAME = checks.matching(
    r"(?=.{1,24}$)[a-z][a-z0-9]*(-[a-z0-9]+)*",
    "1 to 24 small letters, digits and single hyphens, starting with a letter",
)


def directory_of(directory: Path, env: str) -> Path:
    """Where the environment lives (absolute): DIR/environments/NAME; DIR itself without a name."""
    return directory.absolute() / KEY / env if env else directory.absolute()


def command(env: str, words: str) -> str:
    """The kit's command ("apply") for the environment, as it is typed beside its sockerless.toml."""
    return f"sockerless-kit {words}{f' --env {env}' if env else ''}"


def check_name(env: str) -> None:
    """InvalidParameter for what no environment can be called."""
    try:
        _NAME(env)
    except ValueError as error:
        raise InvalidParameter(f"environment {env[:40]!r} is not valid: {error}") from None


def tables(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each environment's own keys by its name, in the file's order. InvalidParameter for what is no such table."""
    found = values.get(KEY, {})
    if not isinstance(found, Mapping) or not all(isinstance(table, Mapping) for table in found.values()):
        raise InvalidParameter(f"{KEY}: expected tables like [{KEY}.prod]")
    for env in found:
        check_name(env)
    return {env: dict(table) for env, table in found.items()}


def select(values: Mapping[str, Any], env: str) -> dict[str, Any]:
    """The keys that hold in the environment: its table over those at the top; those alone without a name.

    InvalidParameter names the environments there are when env is none of them.
    """
    known = tables(values)
    top = {key: value for key, value in values.items() if key != KEY}
    if not env:
        return top
    if env not in known:
        raise InvalidParameter(_unknown(env, list(known)))
    own = known[env]
    return {**top, "name": f"{top.get('name', BY_NAME['name'].default)}-{env}", "environment": env, **own}


def _unknown(env: str, known: list[str]) -> str:
    if not known:
        return f"there is no environment {env[:40]!r}, nor any other; `sockerless-kit init --env {env[:40]}` makes it"
    near = difflib.get_close_matches(env, known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"there is no environment {env[:40]!r}; there is {', '.join(known)}{hint}"
