"""Both forms of the filters parameter, what is none, and how one value is compared."""

from __future__ import annotations

import pytest

from sockerless.errors import InvalidParameter
from sockerless.wire.filters import boolean, check_names, matches_labels, matches_pattern, parse


@pytest.mark.parametrize(
    ("text", "filters"),
    [
        ("", {}),
        ("{}", {}),
        ('{"label": ["a=b", "c"]}', {"label": ("a=b", "c")}),
        ('{"label":{"a=b":true,"c":true}}', {"label": ("a=b", "c")}),
        ('{"label":{"a=b":true,"c":false}}', {"label": ("a=b",)}),
        ('{"id":[],"name":["x"]}', {"id": (), "name": ("x",)}),
    ],
)
def test_both_forms_are_the_same(text: str, filters: dict[str, tuple[str, ...]]) -> None:
    assert parse(text) == filters


@pytest.mark.parametrize(
    "text", ["x", "[]", "1", '{"a":"b"}', '{"a":[1]}', '{"a":{"b":1}}', '{"a":["b"],"c":{"d":true}}', '{"a":null}']
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match=r"^invalid filter$"):
        parse(text)


def test_an_unknown_name_is_named() -> None:
    check_names({"label": ()}, ["label", "id"])
    with pytest.raises(InvalidParameter, match=r"^invalid filter 'foo'$"):
        check_names({"label": (), "foo": ()}, ["label", "id"])


@pytest.mark.parametrize(
    ("patterns", "text", "found"),
    [
        (["web"], "my-web-1", True),
        (["^web"], "my-web-1", False),
        (["^/?web$"], "/web", True),
        (["a", "web"], "web", True),
        (["["], "[", True),
        (["["], "x[", False),
        ([], "x", False),
    ],
)
def test_a_pattern_is_equal_or_found(patterns: list[str], text: str, found: bool) -> None:
    assert matches_pattern(patterns, text) is found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([], True),
        (["a"], True),
        (["a=1"], True),
        (["a=2"], False),
        (["a", "c"], False),
        (["b="], True),
        (["a="], False),
    ],
)
def test_every_label_must_be_there(wanted: list[str], found: bool) -> None:
    assert matches_labels(wanted, {"a": "1", "b": ""}) is found


@pytest.mark.parametrize(
    ("values", "truth"), [(("1",), True), (("true", "1"), True), (("False",), False), (("0",), False)]
)
def test_truth_is_read_from_its_words(values: tuple[str, ...], truth: bool) -> None:
    assert boolean({"dangling": values}, "dangling") is truth


def test_truth_that_was_not_given_is_none() -> None:
    assert boolean({}, "dangling") is None


@pytest.mark.parametrize("values", [("maybe",), ("true", "false"), ()])
def test_truth_in_other_words_is_refused(values: tuple[str, ...]) -> None:
    with pytest.raises(InvalidParameter, match="invalid filter 'dangling="):
        boolean({"dangling": values}, "dangling")
