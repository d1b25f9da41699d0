"""The text of the files that names are written to."""

from __future__ import annotations

import pytest

from sockerless.agent.names import with_hosts, with_resolver

OWN = "# made by the engine\nsearch old.example\nnameserver 10.0.0.2\noptions timeout:1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("127.0.0.1\tlocalhost\n", "127.0.0.1\tlocalhost\n1.2.3.4\ta\n"),
        ("no newline", "no newline\n1.2.3.4\ta\n"),
        ("", "1.2.3.4\ta\n"),
        ("1.2.3.4\ta\n", "1.2.3.4\ta\n"),
    ],
)
def test_host_lines_are_appended_once(text: str, expected: str) -> None:
    assert with_hosts(text, ["1.2.3.4\ta"]) == expected


@pytest.mark.parametrize(
    ("dns", "search", "options", "expected"),
    [
        (["1.1.1.1", "::1"], [], [], "nameserver 1.1.1.1\nnameserver ::1\n# made by the engine\n"
         "search old.example\noptions timeout:1\n"),
        ([], ["new.example", "b"], [], "search new.example b\n# made by the engine\n"
         "nameserver 10.0.0.2\noptions timeout:1\n"),
        ([], ["."], ["ndots:2"], "options ndots:2\n# made by the engine\nnameserver 10.0.0.2\n"),
    ],
)  # fmt: skip
def test_what_is_given_replaces_its_like_and_nothing_else(
    dns: list[str], search: list[str], options: list[str], expected: str
) -> None:
    assert with_resolver(OWN, dns, search, options) == expected


def test_a_domain_line_is_a_search_line() -> None:
    assert with_resolver("domain old\n", [], ["new"], []) == "search new\n"
