"""Tar archives: what is written is what Python's and GNU's tar read, and what they write is read, at every split."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.wire import tar
from sockerless.wire.tar import Entry, TarError
from sockerless.wire.tar_decoder import Begin, Data, TarDecoder

names = st.text(st.characters(blacklist_characters="\0/", blacklist_categories=("Cs",)), min_size=1, max_size=130)
long_names = st.lists(names.filter(lambda name: name not in {".", ".."}), min_size=1, max_size=4).map("/".join)


def decoded(raw: bytes, *cuts: int) -> list[tuple[Entry, bytes]]:
    """The entries of an archive with their contents, holes filled, fed in the pieces between the cuts."""
    decoder = TarDecoder()
    found: list[tuple[Entry, bytearray]] = []
    for start, end in zip((0, *cuts), (*cuts, len(raw)), strict=True):
        for event in decoder.feed(raw[start:end]):
            if isinstance(event, Begin):
                found.append((event.entry, bytearray(event.entry.size_bytes)))
            elif isinstance(event, Data):
                found[-1][1][event.offset : event.offset + len(event.data)] = event.data
    decoder.finish()
    return [(entry, bytes(content)) for entry, content in found]


def encoded(*entries: tuple[Entry, bytes]) -> bytes:
    return b"".join(tar.header(entry) + content + tar.padding(len(content)) for entry, content in entries) + tar.END


@given(
    name=long_names,
    link=long_names,
    mode=st.integers(0, 0o7777),
    uid=st.integers(0, 2**32 - 1),
    gid=st.integers(0, 2**32 - 1),
    mtime_s=st.integers(-(2**40), 2**40),
    content=st.binary(max_size=600),
)
def test_what_is_written_is_what_python_reads(
    name: str, link: str, mode: int, uid: int, gid: int, mtime_s: int, content: bytes
) -> None:
    file = Entry(name, tar.REGULAR, mode, uid, gid, len(content), mtime_s * 10**9)
    symlink = Entry(name + "~", tar.SYMLINK, 0o777, link=link)
    with tarfile.open(fileobj=io.BytesIO(encoded((file, content), (symlink, b"")))) as archive:
        first, second = archive.getmembers()
        opened = archive.extractfile(first)
        assert opened is not None
        assert opened.read() == content
    assert (first.name, first.mode, first.uid, first.gid, int(first.mtime)) == (name, mode, uid, gid, mtime_s)
    assert (second.name, second.linkname, second.type) == (name + "~", link, tarfile.SYMTYPE)


@given(name=long_names, size=st.integers(0, 1500), data=st.data())
def test_any_split_decodes_to_what_was_written(name: str, size: int, data: st.DataObject) -> None:
    content = os.urandom(size)
    file = Entry(name, tar.REGULAR, 0o640, 7, 8, size, 10**18, xattrs={"security.capability": b"\0=\n"})
    raw = encoded((Entry("d/", tar.DIRECTORY, 0o755), b""), (file, content), (Entry("l", tar.SYMLINK, link=name), b""))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=6)))
    directory, found, link = decoded(raw, *cuts)
    assert (directory[0].name, directory[0].kind) == ("d/", tar.DIRECTORY)
    assert found == (file, content)
    assert link[0].link == name


def test_ordinary_entries_need_one_block() -> None:
    assert len(tar.header(Entry("usr/share/doc/" + "a" * 120 + "/b", uid=1000, gid=1000, mtime_ns=10**18))) == 512


def test_a_time_is_cut_to_seconds_and_a_size_beyond_octal_stands_in_a_record() -> None:
    entry = Entry("big", size_bytes=1 << 40, mtime_ns=1_500_000_000_999_999_999)
    decoder = TarDecoder()
    (begin,) = decoder.feed(tar.header(entry))
    assert isinstance(begin, Begin)
    assert (begin.entry.size_bytes, begin.entry.mtime_ns) == (1 << 40, 1_500_000_000 * 10**9)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sparse file, one with more holes than a header holds, a long name, a long link."""
    path = tmp_path_factory.mktemp("tar")
    with (path / "sparse").open("wb") as file:
        for offset in (0, 100_000, 1_000_000, 3_000_000):
            file.seek(offset)
            file.write(b"X" * 5000)
        file.truncate(5_000_000)
    with (path / "holes").open("wb") as file:
        for number in range(60):
            file.seek(number * 20_000)
            file.write(b"Y")
        file.truncate(1_300_000)
    (path / ("n" * 150)).write_bytes(b"long")
    (path / "link").symlink_to("q" * 150)
    return path


@pytest.mark.parametrize(
    "options",
    [
        ["--format=gnu"],
        ["--format=gnu", "-S"],
        ["--format=oldgnu", "-S"],
        ["--format=pax"],
        ["--format=pax", "-S", "--sparse-version=0.0"],
        ["--format=pax", "-S", "--sparse-version=0.1"],
        ["--format=pax", "-S", "--sparse-version=1.0"],
        ["--format=ustar", "--exclude=nnn*", "--exclude=link"],
        ["--format=v7", "--exclude=nnn*", "--exclude=link"],
    ],
    ids=" ".join,
)
def test_what_gnu_tar_writes_is_read(folder: Path, options: list[str]) -> None:
    raw = subprocess.run(["tar", "-cC", folder, *options, "."], capture_output=True, check=True).stdout
    for cuts in ((), range(777, len(raw), 65_537)):
        found = decoded(raw, *cuts)
        files = {entry.name: content for entry, content in found if entry.kind == tar.REGULAR}
        assert len(files) == (2 if "--exclude=link" in options else 3)
        assert all(content == (folder / name).read_bytes() for name, content in files.items())
        assert all(entry.link == "q" * 150 for entry, _ in found if entry.kind == tar.SYMLINK)


def broken(mutate: int, value: bytes) -> bytes:
    header = bytearray(tar.header(Entry("x", size_bytes=5)))
    header[mutate : mutate + len(value)] = value
    return bytes(header) + b"hello" + bytes(507) + tar.END


def pax(text: bytes) -> bytes:
    special = Entry("pax", tar.PAX, size_bytes=len(text))
    return tar.header(special) + text + tar.padding(len(text)) + tar.header(Entry("x")) + tar.END


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"garbage", "unexpected EOF"),
        (b"garbage" * 200, "archive/tar: invalid tar header"),
        (broken(0, b"y"), "archive/tar: invalid tar header"),
        (broken(124, b"99999999999\0"), "archive/tar: invalid tar header"),
        (encoded((Entry("x", size_bytes=2000), b"x" * 2000))[:1200], "unexpected EOF"),
        (tar.header(Entry("p", tar.PAX, size_bytes=2 << 20)), "archive/tar: header field too long"),
        (tar.header(Entry("p", b"L", size_bytes=1 << 32)), "archive/tar: header field too long"),
        (pax(b"6 a=b\n\n"), "archive/tar: invalid tar header"),
        (pax(b"99 path=a\n"), "archive/tar: invalid tar header"),
        (pax(b"12 size=-12\n"), "archive/tar: invalid tar header"),
        (pax(b"13 path=a\0bc\n"), "archive/tar: invalid tar header"),
        (pax(b"19 mtime=1e9999999\n"), "archive/tar: invalid tar header"),
    ],
)
def test_damage_is_told_in_go_s_words(raw: bytes, message: str) -> None:
    with pytest.raises(TarError, match=f"^{message}$"):
        decoded(raw)


@pytest.mark.parametrize("raw", [b"", bytes(512), bytes(1024), encoded((Entry("x", size_bytes=5), b"hello"))[:-1500]])
def test_a_missing_end_is_no_damage(raw: bytes) -> None:
    decoded(raw)


def test_what_follows_the_end_is_not_read() -> None:
    assert len(decoded(encoded((Entry("x"), b"")) + b"garbage" * 500)) == 1


@given(raw=st.binary(max_size=3000), header=st.booleans(), kind=st.sampled_from([b"0", b"x", b"g", b"L", b"K", b"S"]))
def test_no_bytes_do_anything_but_decode_or_fail(raw: bytes, header: bool, kind: bytes) -> None:
    prefix = tar.header(Entry("x", kind, size_bytes=len(raw))) if header else b""
    with contextlib.suppress(TarError):
        decoded(prefix + raw[:2500])
