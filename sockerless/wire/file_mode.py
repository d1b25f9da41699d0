"""File modes as Go writes them: os.FileMode, whose upper bits differ from the kernel's.

Source: Go's io/fs package, FileMode constants; Engine API 1.44, X-Docker-Container-Path-Stat.
"""

from __future__ import annotations

import stat

DIRECTORY, SYMLINK, DEVICE, PIPE, SOCKET = 1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24
SET_UID, SET_GID, CHARACTER, STICKY = 1 << 23, 1 << 22, 1 << 21, 1 << 20
_TYPES = {
    stat.S_IFREG: 0,
    stat.S_IFDIR: DIRECTORY,
    stat.S_IFLNK: SYMLINK,
    stat.S_IFBLK: DEVICE,
    stat.S_IFCHR: DEVICE | CHARACTER,
    stat.S_IFIFO: PIPE,
    stat.S_IFSOCK: SOCKET,
}
_BITS = ((stat.S_ISUID, SET_UID), (stat.S_ISGID, SET_GID), (stat.S_ISVTX, STICKY))


def from_unix(mode: int) -> int:
    """Go's mode of a st_mode."""
    special = sum(go for bit, go in _BITS if mode & bit)
    return _TYPES.get(stat.S_IFMT(mode), 0) | special | (mode & 0o777)
