"""Docker's `filters` query parameter: a JSON object from filter name to values, in the two forms clients send.

Owns: decoding, and the ways one value is compared (exact, pattern, label). Knows no object that is filtered.
Source: Engine API 1.44, `filters` of GET /containers/json; the forms docker-py (lists) and Go clients (maps) send.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping

from sockerless.errors import InvalidParameter

Filters = Mapping[str, tuple[str, ...]]
"""Filter name to its values, in the order given; a name that was not given is absent."""

_TRUE, _FALSE = frozenset({"1", "true"}), frozenset({"0", "false"})


def parse(text: str) -> dict[str, tuple[str, ...]]:
    """{"label": ["a"]} or {"label": {"a": true}} as {"label": ("a",)}; {} for an empty text.

    A value mapped to false in the second form is not a value. InvalidParameter for anything else, as for the two
    forms in one object.
    """
    if not text:
        return {}
    try:
        document = json.loads(text)
    except ValueError:
        raise InvalidParameter("invalid filter") from None
    if not isinstance(document, dict) or len({type(values) for values in document.values()}) > 1:
        raise InvalidParameter("invalid filter")
    return {name: _values(values) for name, values in document.items()}


def _values(values: object) -> tuple[str, ...]:
    if isinstance(values, list) and all(isinstance(value, str) for value in values):
        return tuple(values)
    if isinstance(values, dict) and all(isinstance(chosen, bool) for chosen in values.values()):
        return tuple(value for value, chosen in values.items() if chosen)
    raise InvalidParameter("invalid filter")


def check_names(filters: Filters, known: Iterable[str]) -> None:
    """InvalidParameter in Docker's words for the first filter that is not known."""
    accepted = frozenset(known)
    for name in filters:
        if name not in accepted:
            raise InvalidParameter(f"invalid filter '{name}'")


def matches_pattern(patterns: Iterable[str], text: str) -> bool:
    """Whether text equals one of the patterns or one of them, read as a regular expression, is found in it."""
    return any(pattern == text or _found(pattern, text) for pattern in patterns)


def _found(pattern: str, text: str) -> bool:
    try:
        return re.search(pattern, text) is not None
    except re.error:
        return False


def matches_labels(wanted: Iterable[str], labels: Mapping[str, str]) -> bool:
    """Whether every wanted "key" or "key=value" is among the labels."""
    return all(_has_label(entry, labels) for entry in wanted)


def _has_label(entry: str, labels: Mapping[str, str]) -> bool:
    key, equals, value = entry.partition("=")
    return key in labels and (not equals or labels[key] == value)


def boolean(filters: Filters, name: str) -> bool | None:
    """The filter's truth, None when it was not given; InvalidParameter for other words and for contradictions."""
    if name not in filters:
        return None
    values = {value.lower() for value in filters[name]}
    if values and values <= _TRUE:
        return True
    if values and values <= _FALSE:
        return False
    raise InvalidParameter(f"invalid filter '{name}={list(filters[name])}'")
