"""The Condition element of IAM policies: what the operators make of a request's context. Pure.

A context maps lower-cased keys to the values the request has for them; a key it lacks is absent. Source: IAM user
guide, "IAM JSON policy elements: Condition operators" and "Conditions with multiple context keys or values".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sockerless.errors import NotSupported

Context = Mapping[str, tuple[str, ...]]
Test = Callable[[str, str], bool]
"""Whether a policy's value (first) takes the request's (second)."""

_VARIABLE = re.compile(r"\$\{([^}]+)\}")


def like(pattern: str, text: str) -> bool:
    """Whether the whole text matches: * stands for any characters, ? for one."""
    return _glob(pattern).fullmatch(text) is not None


def arn_like(pattern: str, arn: str) -> bool:
    """Whether the ARN matches part by part: no wildcard reaches over one of the first five colons."""
    wanted, found = pattern.split(":", 5), arn.split(":", 5)
    return len(wanted) == len(found) == 6 and all(map(like, wanted, found))


def substituted(value: str, context: Context) -> str | None:
    """The value with its policy variables filled in; None when the context lacks one: then it matches nothing."""
    names = [name.strip().lower() for name in _VARIABLE.findall(value)]
    if any(name not in context for name in names):
        return None
    return _VARIABLE.sub(lambda found: context[found[1].strip().lower()][0], value)


def holds(conditions: Mapping[str, Any], context: Context) -> bool:
    """Whether every operator and key of a Condition element holds; NotSupported names an operator not evaluated."""
    return all(
        _key_holds(operator, key, _listed(values), context)
        for operator, keys in conditions.items()
        for key, values in keys.items()
    )


def _key_holds(operator: str, key: str, wanted: list[str], context: Context) -> bool:
    quantifier, _, rest = operator.rpartition(":")
    name, if_exists = rest.removesuffix("IfExists"), rest.endswith("IfExists")
    found = context.get(key.lower())
    if name == "Null":
        return any((found is None) == (value.lower() == "true") for value in wanted)
    if name not in _OPERATORS or quantifier not in {"", "ForAllValues", "ForAnyValue"}:
        raise NotSupported(f"the condition operator {operator} is not simulated")
    test, negated = _OPERATORS[name]
    filled = [text for text in (substituted(value, context) for value in wanted) if text is not None]
    if quantifier == "ForAllValues":
        return all(_takes(test, negated, filled, value) for value in found or ())
    if found is None:
        return if_exists or (negated and quantifier == "")
    return any(_takes(test, negated, filled, value) for value in found)


def _takes(test: Test, negated: bool, wanted: Sequence[str], found: str) -> bool:
    return any(test(value, found) for value in wanted) != negated


def _listed(values: Any) -> list[str]:
    return [_text(value) for value in (values if isinstance(values, list) else [values])]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=4096)
def _glob(pattern: str) -> re.Pattern[str]:
    """fnmatch without its character classes."""
    meaning = {"*": ".*", "?": "."}
    return re.compile("".join(meaning.get(character) or re.escape(character) for character in pattern), re.DOTALL)


def _same(wanted: str, found: str) -> bool:
    return wanted == found


def _same_text(wanted: str, found: str) -> bool:
    return wanted.lower() == found.lower()


def _number(compare: Callable[[float, float], bool]) -> Test:
    return lambda wanted, found: compare(float(found), float(wanted))


_OPERATORS: dict[str, tuple[Test, bool]] = {
    "StringEquals": (_same, False),
    "StringNotEquals": (_same, True),
    "StringEqualsIgnoreCase": (_same_text, False),
    "StringNotEqualsIgnoreCase": (_same_text, True),
    "StringLike": (like, False),
    "StringNotLike": (like, True),
    "ArnEquals": (arn_like, False),
    "ArnLike": (arn_like, False),
    "ArnNotEquals": (arn_like, True),
    "ArnNotLike": (arn_like, True),
    "Bool": (_same_text, False),
    "NumericEquals": (_number(lambda found, wanted: found == wanted), False),
    "NumericNotEquals": (_number(lambda found, wanted: found == wanted), True),
    "NumericLessThan": (_number(lambda found, wanted: found < wanted), False),
    "NumericLessThanEquals": (_number(lambda found, wanted: found <= wanted), False),
    "NumericGreaterThan": (_number(lambda found, wanted: found > wanted), False),
    "NumericGreaterThanEquals": (_number(lambda found, wanted: found >= wanted), False),
}
"""Operator to its test and whether it is that test's negation. Dates, binaries and addresses are not simulated."""
