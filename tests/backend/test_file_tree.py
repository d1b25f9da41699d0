"""An image's files without a container: layers by OCI's rules, copies by docker cp's, and docker diff between trees."""

from __future__ import annotations

import pytest

from sockerless.backend.changes import ADDED, DELETED, MODIFIED, compare
from sockerless.backend.file_tree import FileTree
from sockerless.errors import InvalidParameter
from sockerless.types import Change
from sockerless.wire import tar
from sockerless.wire.agent_files import Listed
from sockerless.wire.paths import Asked, NoSuchPath, Refused
from sockerless.wire.tar import Entry


def directory(name: str, mode: int = 0o755) -> Entry:
    return Entry(name, tar.DIRECTORY, mode)


def file(name: str, size_bytes: int = 0) -> Entry:
    return Entry(name, tar.REGULAR, 0o644, size_bytes=size_bytes)


def link(name: str, target: str, kind: bytes = tar.SYMLINK) -> Entry:
    return Entry(name, kind, 0o777, link=target)


def tree(*layers: list[Entry]) -> FileTree:
    """The tree of these layers, base first."""
    made = FileTree()
    for number, entries in enumerate(layers):
        made.add_layer(entries, number)
    return made


def paths_of(made: FileTree) -> set[str]:
    """Every path but the directories that each container has."""
    return {path for path, _, _ in made.walk("/", "/")} - {"/", "/dev", "/etc", "/proc", "/sys"}


BASE = [directory("usr"), directory("usr/bin"), file("usr/bin/sh", 7), link("bin", "usr/bin"), file("etc/passwd")]


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ([], {"/usr", "/usr/bin", "/usr/bin/sh", "/bin", "/etc/passwd"}),
        ([file("usr/bin/.wh.sh")], {"/usr", "/usr/bin", "/bin", "/etc/passwd"}),
        ([file("usr/.wh.bin")], {"/usr", "/bin", "/etc/passwd"}),
        ([directory("usr/bin"), file("usr/bin/.wh..wh..opq"), file("usr/bin/new")],
         {"/usr", "/usr/bin", "/usr/bin/new", "/bin", "/etc/passwd"}),
        ([file("usr/bin/new"), file("usr/bin/.wh..wh..opq")],
         {"/usr", "/usr/bin", "/usr/bin/new", "/bin", "/etc/passwd"}),
        ([file("bin/ls")], {"/usr", "/usr/bin", "/usr/bin/sh", "/usr/bin/ls", "/bin", "/etc/passwd"}),
        ([file("usr")], {"/usr", "/bin", "/etc/passwd"}),
        ([file("./opt/a/b")], {"/usr", "/usr/bin", "/usr/bin/sh", "/bin", "/etc/passwd", "/opt", "/opt/a", "/opt/a/b"}),
    ],
    ids=["plain", "whiteout", "whiteout of a directory", "opaque", "opaque last", "through a link",
         "a file for a directory", "directories nobody named"],
)  # fmt: skip
def test_a_layer_hides_replaces_and_adds(above: list[Entry], expected: set[str]) -> None:
    assert paths_of(tree(BASE, above)) == expected


def test_a_hard_link_is_the_file_it_links_to() -> None:
    made = tree(BASE, [link("usr/bin/ash", "usr/bin/sh", tar.HARD_LINK)])
    assert made.describe(Asked.of("/usr/bin/ash")).size_bytes == 7
    assert made.find(Asked.of("/usr/bin/ash"))[1].source == made.find(Asked.of("/usr/bin/sh"))[1].source


def test_a_path_is_described_as_it_is_asked_for() -> None:
    made = tree(BASE)
    assert made.describe(Asked.of("/bin")).link_target == "/usr/bin"
    assert made.describe(Asked.of("/bin/")).mode == 1 << 31 | 0o755
    assert made.find(Asked.of("/bin/sh"))[0] == "/usr/bin/sh"
    with pytest.raises(NoSuchPath):
        made.describe(Asked.of("/bin/nosuch"))
    with pytest.raises(InvalidParameter, match="not a directory"):
        made.describe(Asked.of("/bin/sh/"))


def test_links_in_a_circle_are_refused() -> None:
    made = tree([link("a", "b"), link("b", "a")])
    with pytest.raises(InvalidParameter):
        made.resolve("/a/x")


def test_what_is_copied_in_lies_on_top() -> None:
    made = tree(BASE)
    made.unpack([file("new", 3), directory("d"), file("d/x")], "/bin", 9, keep_kinds=True)
    assert {"/usr/bin/new", "/usr/bin/d/x"} < paths_of(made)
    assert made.describe(Asked.of("/bin/new")).size_bytes == 3


@pytest.mark.parametrize(
    ("entry", "keep_kinds", "words"),
    [
        (directory("sh"), True, "cannot overwrite non-directory"),
        (file("../outside"), True, None),
        (link("x", "../../../../etc"), False, "invalid symlink"),
        (link("x", "nosuch", tar.HARD_LINK), False, "no such file or directory"),
        (file("sh/below"), False, "not a directory"),
        (Entry("x", b"Z"), False, "unhandled tar header type"),
    ],
)
def test_what_docker_cp_forbids_is_refused(entry: Entry, keep_kinds: bool, words: str | None) -> None:
    with pytest.raises(Refused, match=words):
        tree(BASE).unpack([entry], "/usr/bin", 9, keep_kinds=keep_kinds)


@pytest.mark.parametrize(("path", "failure"), [("/nosuch", NoSuchPath), ("/bin/sh", InvalidParameter)])
def test_an_archive_is_unpacked_into_directories_only(path: str, failure: type[Exception]) -> None:
    with pytest.raises(failure):
        tree(BASE).unpack([file("x")], path, 9, keep_kinds=False)


def listed(*paths: str, changed: tuple[str, ...] = ()) -> list[Listed]:
    """A listing with what is mounted in every container, parents first; a trailing / makes a directory."""
    mounts = [Listed(path, "mount") for path in ("/dev", "/proc", "/sys")]
    return mounts + [
        Listed(path.rstrip("/") or "/", "directory" if path.endswith("/") else "other", path in changed)
        for path in paths
    ]


def test_diff_tells_what_was_added_changed_and_deleted() -> None:
    image = tree(BASE)
    found = listed(
        *("/", "/bin", "/etc/", "/etc/passwd", "/usr/", "/usr/bin/", "/usr/bin/new", "/opt/", "/opt/a"),
        changed=("/etc/passwd", "/usr/bin/", "/usr/bin/new", "/opt/", "/opt/a"),
    )
    assert compare(found, image) == [
        Change("/etc", MODIFIED),
        Change("/etc/passwd", MODIFIED),
        Change("/opt", ADDED),
        Change("/opt/a", ADDED),
        Change("/usr", MODIFIED),
        Change("/usr/bin", MODIFIED),
        Change("/usr/bin/new", ADDED),
        Change("/usr/bin/sh", DELETED),
    ]


def test_diff_leaves_out_what_the_runtime_made_and_what_a_mount_covers() -> None:
    image = tree(BASE, [directory("data"), file("data/kept")])
    found = [*listed("/", "/bin", "/etc/", "/etc/passwd", "/usr/", "/usr/bin/", "/usr/bin/sh", "/.dockerenv"),
             Listed("/data", "mount")]  # fmt: skip
    assert compare(found, image) == []


def test_diff_names_a_deleted_directory_and_not_what_was_in_it() -> None:
    found = listed("/", "/bin", "/etc/", "/etc/passwd", "/usr/", changed=("/usr/",))
    assert compare(found, tree(BASE)) == [Change("/usr", MODIFIED), Change("/usr/bin", DELETED)]
