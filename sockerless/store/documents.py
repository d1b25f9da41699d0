"""Frozen dataclasses to JSON text and back, by their annotations.

Knows no table and no record type. Unknown fields are dropped and missing ones take their default, so a record
survives a field that came or went; one that cannot be read raises errors.DataLoss.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from functools import cache
from typing import Any, TypeVar

from sockerless.errors import DataLoss

T = TypeVar("T")


def to_text(record: Any) -> str:
    """A dataclass instance as JSON text, nested dataclasses as objects, tuples as arrays."""
    return json.dumps(record, default=_shallow, separators=(",", ":"))


def from_text(kind: type[T], text: str) -> T:
    """The instance of a dataclass that to_text() wrote."""
    try:
        record: T = _decode(kind, json.loads(text))
    except (TypeError, ValueError, AttributeError) as error:
        raise DataLoss(f"a stored {kind.__name__} record cannot be read: {error}") from error
    return record


def _shallow(value: Any) -> dict[str, Any]:
    return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}


@cache
def _annotations(kind: type[Any]) -> dict[str, Any]:
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def _decode(annotation: Any, value: Any) -> Any:
    if dataclasses.is_dataclass(annotation) and isinstance(annotation, type):
        known = _annotations(annotation)
        return annotation(**{name: _decode(known[name], value[name]) for name in known.keys() & value.keys()})
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin in (typing.Union, types.UnionType):
        inner = next(argument for argument in arguments if argument is not types.NoneType)
        return None if value is None else _decode(inner, value)
    if origin is tuple:
        return tuple(_decode(arguments[0], item) for item in value)
    return value
