"""A tar archive made from a file tree, with contents taken from the archives that it was made of.

Owns the order: first what has no content, then each underlying archive's files as they stand in it, so that each is
read once, whatever is asked for. Memory does not grow with a file.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable
from contextlib import aclosing
from dataclasses import replace

from sockerless.backend.file_tree import Node
from sockerless.wire import tar
from sockerless.wire.tar import Entry
from sockerless.wire.tar_decoder import Begin, Data, Event

_ZEROS = bytes(1 << 19)


async def archive(
    nodes: Iterable[tuple[str, Node]], events: Callable[[int], AsyncGenerator[Event]]
) -> AsyncGenerator[bytes]:
    """The archive of nodes under new names. events: what stands in one of the underlying archives."""
    wanted: dict[int, dict[int, list[str]]] = {}
    for name, node in nodes:
        if node.entry.kind == tar.REGULAR:
            wanted.setdefault(node.source.archive, {}).setdefault(node.source.member, []).append(name)
        else:
            yield tar.header(_renamed(node.entry, name + "/" if node.is_directory and name[-1:] != "/" else name))
    for number, members in sorted(wanted.items()):
        async with aclosing(events(number)) as read:
            async for piece in _files(read, members):
                yield piece
    yield tar.END


async def _files(events: AsyncGenerator[Event], members: dict[int, list[str]]) -> AsyncGenerator[bytes]:
    """Those members of one archive, each under its first name and linked to that by the others."""
    member, position, entry = -1, 0, Entry("")
    names: list[str] = []
    async for event in events:
        if isinstance(event, Begin):
            member, position, entry = member + 1, 0, event.entry
            names = members.get(member, [])
            if names:
                yield tar.header(_renamed(entry, names[0]))
        elif names and isinstance(event, Data):
            for zeros in _zeros(event.offset - position):
                yield zeros
            yield bytes(event.data)
            position = event.offset + len(event.data)
        elif names:
            for zeros in _zeros(entry.size_bytes - position):
                yield zeros
            yield tar.padding(entry.size_bytes)
            for name in names[1:]:
                yield tar.header(replace(_renamed(entry, name), kind=tar.HARD_LINK, link=names[0], size_bytes=0))


def _renamed(entry: Entry, name: str) -> Entry:
    return replace(entry, name=name, extents=None)


def _zeros(count: int) -> Iterable[bytes]:
    while count > 0:
        yield _ZEROS[:count]
        count -= len(_ZEROS)
