"""The body of POST /containers/create: every field of API 1.44, what becomes of it, and the reading of a body.

Owns the kinds of treatment and the decoding. The rows are in create_config.py and create_host_config.py; docs.py
renders them. Laws: a field is honoured, echoed, discarded with a warning or refused, never ignored in silence;
a refusal names the field, the reason and what to do instead. A field the API does not have is ignored, as Docker
ignores it. Source: Engine API 1.44, ContainerConfig, HostConfig, EndpointSettings.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from sockerless.errors import InvalidParameter, NotSupported
from sockerless.types import JsonObject

Treatment = Literal["honoured", "echoed", "discarded", "impossible", "not built"]
"""echoed: harmless, shown by inspect. discarded: dropped with a warning. impossible: Fargate has no such thing."""


class Kind(NamedTuple):
    """A JSON type: its name for messages, and whether a value other than null is of it."""

    name: str
    accepts: Callable[[Any], bool]


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


TEXT = Kind("a string", lambda value: isinstance(value, str))
FLAG = Kind("a boolean", lambda value: isinstance(value, bool))
NUMBER = Kind("an integer", _is_number)
NUMBERS = Kind("a list of integers", lambda value: isinstance(value, list) and all(map(_is_number, value)))
TEXTS = Kind("a list of strings", _is_texts)
WORDS = Kind("a string or a list of strings", lambda value: isinstance(value, str) or _is_texts(value))
MAP = Kind("an object", lambda value: isinstance(value, dict))
TEXT_MAP = Kind(
    "an object of strings",
    lambda value: isinstance(value, dict) and all(isinstance(item, str) for item in value.values()),
)
MAPS = Kind(
    "a list of objects",
    lambda value: isinstance(value, list) and all(isinstance(item, dict) for item in value),
)


def is_empty(value: Any) -> bool:
    """Whether a value asks for nothing: null, "", 0, false, [], {} or a list or object of such values."""
    if isinstance(value, dict):
        return all(is_empty(item) for item in value.values())
    if isinstance(value, list):
        return all(is_empty(item) for item in value)
    return not value


def is_absent(value: Any) -> bool:
    """Whether a list, an object or a text is missing or has no entry at all."""
    return not value


def anything(value: Any) -> bool:
    """Every value of the kind."""
    return True


@dataclass(frozen=True, slots=True)
class Option:
    """One field. accepts: the values that are not refused (or not discarded); accepted says it in words.

    note: for honoured and echoed fields what it does; otherwise the reason. remedy: what to do instead.
    flag: the docker CLI's name of it.
    """

    name: str
    kind: Kind
    treatment: Treatment
    note: str
    remedy: str = ""
    flag: str = ""
    accepts: Callable[[Any], bool] = anything
    accepted: str = ""
    check: Callable[[Any], None] | None = None

    def refusal(self, section: str) -> InvalidParameter | NotSupported:
        """The error for a value that is not accepted."""
        name = f"{section}.{self.name}" + (f" ({self.flag})" if self.flag else "")
        only = f" other than {self.accepted}" if self.accepted else ""
        if self.treatment == "not built":
            return NotSupported(
                f"{name}{only} is not available in this version of sockerless: {self.note} {self.remedy}"
            )
        return InvalidParameter(f"{name}{only} is not supported on AWS Fargate: {self.note} {self.remedy}")

    def warning(self, section: str) -> str:
        """The warning for a value that is discarded."""
        return f"{section}.{self.name} was discarded: {self.note}"


def honoured(name: str, kind: Kind, note: str, flag: str = "", check: Callable[[Any], None] | None = None) -> Option:
    """A field that does what Docker's does."""
    return Option(name, kind, "honoured", note, flag=flag, check=check)


def echoed(name: str, kind: Kind, note: str) -> Option:
    """A field that changes nothing in Docker either, or only what inspect shows."""
    return Option(name, kind, "echoed", note)


def discarded(name: str, kind: Kind, note: str, flag: str = "", accepts: Callable[[Any], bool] = is_empty) -> Option:
    """A limit that cannot be set; the container runs without it and the client is told."""
    return Option(name, kind, "discarded", note, flag=flag, accepts=accepts)


def impossible(
    name: str,
    kind: Kind,
    note: str,
    remedy: str,
    flag: str = "",
    accepts: Callable[[Any], bool] = is_empty,
    accepted: str = "",
) -> Option:
    """What Fargate cannot do: 400 unless the value is one of those accepted."""
    return Option(name, kind, "impossible", note, remedy, flag, accepts, accepted)


def not_built(
    name: str,
    kind: Kind,
    note: str,
    remedy: str,
    flag: str = "",
    accepts: Callable[[Any], bool] = is_empty,
    accepted: str = "",
) -> Option:
    """What this product does not do yet: 501 unless the value is one of those accepted."""
    return Option(name, kind, "not built", note, remedy, flag, accepts, accepted)


def read(section: str, options: Sequence[Option], given: Mapping[str, Any]) -> tuple[JsonObject, list[str]]:
    """(the section with Docker's spelling of its keys, warnings).

    Fields that the API does not have are dropped, as discarded ones are. InvalidParameter or NotSupported for the
    first field that is malformed or refused, in the table's order.
    """
    spelled = {key.lower(): value for key, value in given.items()}
    kept: JsonObject = {}
    warnings: list[str] = []
    for option in options:
        if option.name.lower() not in spelled:
            continue
        value = spelled[option.name.lower()]
        if value is not None and not option.kind.accepts(value):
            raise InvalidParameter(f"invalid JSON: {section}.{option.name} must be {option.kind.name}")
        if value is None or option.accepts(value):
            kept[option.name] = value
        elif option.treatment == "discarded":
            warnings.append(option.warning(section))
        else:
            raise option.refusal(section)
        if value is not None and option.check is not None:
            option.check(value)
    return kept, warnings
