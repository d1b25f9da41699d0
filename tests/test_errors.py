"""The failure classes: one vocabulary, each class its own."""

from __future__ import annotations

import inspect

import pytest

from sockerless import errors

KINDS = [
    kind
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, Exception) and kind is not errors.SockerlessError
]


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_is_its_sentence(kind: type[errors.SockerlessError]) -> None:
    failure = kind("what failed, and what to do")
    assert (str(failure), failure.message) == ("what failed, and what to do",) * 2


@pytest.mark.parametrize("kind", KINDS)
def test_no_class_of_failure_is_another(kind: type[errors.SockerlessError]) -> None:
    assert kind.__bases__ == (errors.SockerlessError,)


def test_the_classes_are_mobys() -> None:
    assert {kind.__name__ for kind in KINDS} == {
        "NotFound",
        "InvalidParameter",
        "Conflict",
        "NotModified",
        "Unauthorized",
        "Forbidden",
        "Unavailable",
        "NotSupported",
        "DeadlineExceeded",
        "DataLoss",
        "SystemFailure",
    }
