"""A client's paths, as dockerd 20.10 was seen to read them."""

from __future__ import annotations

import pytest

from sockerless.wire import paths
from sockerless.wire.paths import Asked, LinkLoop, Refused

LINKS = {"/d/sym": "f", "/d/abs": "/etc", "/d/up": "../etc", "/etc/loop": "/etc/loop", "/d/far": "../../../../d/sym"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/d", Asked("/d", "d", False)),
        ("d/f", Asked("/d/f", "f", False)),
        ("//d//f", Asked("/d/f", "f", False)),
        ("/d/", Asked("/d", "d", True)),
        ("/d/.", Asked("/d", ".", True)),
        ("/d/./", Asked("/d", ".", True)),
        ("/", Asked("/", "/", True)),
        (".", Asked("/", ".", True)),
        ("/..", Asked("/", "/", True)),
        ("/d/../etc/", Asked("/etc", "etc", True)),
    ],
)
def test_a_client_s_path_is_read(path: str, expected: Asked) -> None:
    assert Asked.of(path) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", "/"),
        ("/d/sym", "/d/f"),
        ("/d/abs/passwd", "/etc/passwd"),
        ("/d/up/x/y", "/etc/x/y"),
        ("/d/far", "/d/f"),
        ("/d/abs/../d", "/d"),
        ("/no/such/thing", "/no/such/thing"),
    ],
)
def test_links_are_followed_from_the_container_s_root(path: str, expected: str) -> None:
    assert paths.resolve(path, LINKS.get) == expected


def test_a_loop_ends() -> None:
    with pytest.raises(LinkLoop, match="too many levels of symbolic links"):
        paths.resolve("/etc/loop/x", LINKS.get)


@pytest.mark.parametrize(
    ("destination", "name", "expected"),
    [
        ("/d", "x", "/d/x"),
        ("/d", "./x/", "/d/x"),
        ("/d", "/abs/x", "/d/abs/x"),
        ("/d", "", "/d"),
        ("/", "../esc", "/esc"),
        ("/", "//x", "/x"),
    ],
)
def test_an_entry_goes_below_its_destination(destination: str, name: str, expected: str) -> None:
    assert paths.entry_path(destination, name) == expected


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("../esc", '"../esc" is outside of "/d"'),
        ("a/../../esc", '"../esc" is outside of "/d"'),
        ("../dx", '"../dx" is outside of "/d"'),
        ("a/" * 3000, "file name too long"),
    ],
)
def test_an_entry_never_goes_outside(name: str, message: str) -> None:
    with pytest.raises(Refused) as refused:
        paths.entry_path("/d", name)
    assert message in str(refused.value)


def test_links_that_point_out_of_what_is_unpacked_are_refused() -> None:
    with pytest.raises(Refused, match=r'^invalid symlink "/d/l" -> "\.\./etc"$'):
        paths.check_symlink("/d/l", "../etc", "/d")
    with pytest.raises(Refused, match=r'^invalid hardlink "/etc/passwd" -> "\.\./etc/passwd"$'):
        paths.hard_link_target("../etc/passwd", "/d")
    paths.check_symlink("/d/sub/l", "../f", "/d")
    paths.check_symlink("/d/l", "/etc", "/d")
    assert paths.hard_link_target("/etc/passwd", "/d") == "/d/etc/passwd"
