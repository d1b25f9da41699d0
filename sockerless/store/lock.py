"""One daemon per store: an flock on a file that holds the owner's pid. The kernel frees it when the owner dies."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from sockerless.errors import Conflict


def acquire(path: Path) -> int:
    """Locks the file for this process and returns its descriptor; errors.Conflict names the pid that holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 32, 0).decode(errors="replace").strip() or "unknown"
        os.close(descriptor)
        raise Conflict(
            f"the records in {path.parent} are in use by another daemon (pid {holder}); stop it, or choose another "
            "SOCKERLESS_STATE_DIR"
        ) from None
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
