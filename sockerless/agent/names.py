"""Names inside the container: /etc/hosts, /etc/hostname and the resolver's settings.

Owns these three files. They are written in place, never replaced: in a task they are mounts. Source: hosts(5),
hostname(5), resolv.conf(5); what Docker writes for --add-host, --hostname, --dns, --dns-search and --dns-option.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sockerless.agent.child import StartRefused
from sockerless.wire.agent import Process

HOSTS = "/etc/hosts"
HOSTNAME = "/etc/hostname"
RESOLVER = "/etc/resolv.conf"


def write(process: Process) -> None:
    """Makes the files say what the process asks for. StartRefused when one cannot be written."""
    if process.hosts:
        _rewrite(HOSTS, lambda text: with_hosts(text, process.hosts))
    if process.hostname:
        _rewrite(HOSTNAME, lambda _: f"{process.hostname}\n")
    if process.dns or process.dns_search or process.dns_options:
        _rewrite(RESOLVER, lambda text: with_resolver(text, process.dns, process.dns_search, process.dns_options))


def with_hosts(text: str, lines: Iterable[str]) -> str:
    """The hosts file with the lines that it lacks appended."""
    present = text.split("\n")
    missing = "".join(f"{line}\n" for line in lines if line not in present)
    return f"{text}\n{missing}" if missing and text[-1:] not in ("", "\n") else text + missing


def with_resolver(text: str, dns: list[str], search: list[str], options: list[str]) -> str:
    """resolv.conf with the given servers, domains and options instead of its own; "." alone = no domain."""
    replaced = {
        "nameserver": [f"nameserver {server}" for server in dns],
        "search": [f"search {' '.join(search)}"] if search and search != ["."] else [],
        "options": [f"options {' '.join(options)}"] if options else [],
    }
    given = {"nameserver": dns, "search": search, "options": options}
    kept = [line for line in text.splitlines() if not given.get(_keyword(line))]
    return "".join(f"{line}\n" for key in ("search", "nameserver", "options") for line in replaced[key]) + "".join(
        f"{line}\n" for line in kept
    )


def _keyword(line: str) -> str:
    word = line.split(maxsplit=1)[0] if line.strip() else ""
    return "search" if word == "domain" else word


def _rewrite(path: str, change: Callable[[str], str]) -> None:
    try:
        with open(path, "a+", encoding="utf-8", errors="surrogateescape") as file:
            file.seek(0)
            text = file.read()
            changed = change(text)
            if changed != text:
                file.truncate(0)
                file.write(changed)
    except OSError as error:
        raise StartRefused("failed", f"cannot set names: write {path}: {(error.strerror or '').lower()}") from error
