"""Tags: keys, AWS's characters and lengths."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from sockerless.ecs.tags import definition_tags, tag_value, tags, task_tags


def test_a_tasks_tags_name_daemon_container_and_name() -> None:
    assert task_tags("0123456789abcdef", "f" * 64, "web") == [
        {"key": "sockerless:daemon", "value": "0123456789abcdef"},
        {"key": "sockerless:container", "value": "f" * 64},
        {"key": "sockerless:name", "value": "web"},
    ]


def test_the_project_is_a_tag_when_there_is_one() -> None:
    assert tag_value(task_tags("0" * 16, "f" * 64, "web", "shop"), "sockerless:project") == "shop"
    assert tag_value(definition_tags("0" * 16, "a" * 24, "shop"), "sockerless:project") == "shop"
    assert tag_value(definition_tags("0" * 16, "a" * 24), "sockerless:project") is None
    assert tag_value(definition_tags("0" * 16, "a" * 24), "sockerless:shape") == "a" * 24


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_whatever_is_tagged_has_awss_characters_and_lengths(values: dict[str, str]) -> None:
    for tag in tags(values):
        assert 1 <= len(tag["key"]) <= 128
        assert 1 <= len(tag["value"]) <= 256
        assert re.fullmatch(r"[\w +\-=._:/@]*", tag["key"] + tag["value"])


def test_legal_text_stays_as_it_is_and_the_rest_becomes_an_underscore() -> None:
    assert tags({"a b": "Zürich/1+2=3 @x_y.z:-"}) == [{"key": "a b", "value": "Zürich/1+2=3 @x_y.z:-"}]
    assert tags({"k": "a,b\n{c}"}) == [{"key": "k", "value": "a_b__c_"}]


def test_what_is_too_long_is_cut_to_awss_length() -> None:
    assert tags({"k" * 200: "v" * 300}) == [{"key": "k" * 128, "value": "v" * 256}]
