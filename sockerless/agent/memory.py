"""Whether the kernel killed for memory: the cgroup's count of out-of-memory kills.

Sources: memory.events of cgroup v2, memory.oom_control of cgroup v1 (Linux Documentation/admin-guide).
"""

from __future__ import annotations

_FILES = ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")


def oom_kills() -> int:
    """Out-of-memory kills in this container's cgroup so far; 0 where the kernel does not tell."""
    for path in _FILES:
        try:
            with open(path, encoding="ascii") as file:
                return count_of(file.read())
        except OSError:
            continue
    return 0


def count_of(text: str) -> int:
    """The oom_kill count in either file's text."""
    counts = dict(line.split(maxsplit=1) for line in text.splitlines() if " " in line)
    return int(counts.get("oom_kill", 0))
