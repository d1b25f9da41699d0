"""What a process may never do again: dropped capabilities and no_new_privs, set in the child before exec.

Owns the capability numbers and the kernel calls Python has no function for. Source: capabilities(7), prctl(2),
include/uapi/linux/capability.h of Linux 6.1.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Collection, Iterable

from sockerless.errors import InvalidParameter

_NAMES = """
    CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE
    NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT
    SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP
    MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE
""".split()  # noqa: SIM905 - a table of names
_PR_CAPBSET_READ, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 23, 24, 38
_VERSION_3 = 0x20080522


def capability_numbers(names: Iterable[str]) -> frozenset[int]:
    """The numbers of capability names, with or without CAP_; "ALL" is every one. InvalidParameter for others."""
    numbers: set[int] = set()
    for name in names:
        plain = name.upper().removeprefix("CAP_")
        if plain == "ALL":
            numbers.update(range(len(_NAMES)))
        elif plain in _NAMES:
            numbers.add(_NAMES.index(plain))
        else:
            raise InvalidParameter(f'invalid capability: "{name}"')
    return frozenset(numbers)


def drop_capabilities(names: Collection[str]) -> None:
    """Removes names from what any program executed from here on can have."""
    libc = ctypes.CDLL(None, use_errno=True)
    numbers = capability_numbers(names)
    for number in numbers:
        if libc.prctl(_PR_CAPBSET_READ, number, 0, 0, 0) == 1:
            _check(libc.prctl(_PR_CAPBSET_DROP, number, 0, 0, 0))
    _drop_inheritable(libc, sum(1 << number for number in numbers))


def forbid_new_privileges() -> None:
    """Sets no_new_privs: set-user-id programs and file capabilities give nothing from here on."""
    _check(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def _drop_inheritable(libc: ctypes.CDLL, mask: int) -> None:
    """Clears mask in the inheritable set, which exec as root would add again; the layout is capset(2)'s version 3."""
    header = (ctypes.c_uint32 * 2)(_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)()
    _check(libc.capget(header, sets))
    sets[2] &= ~mask & 0xFFFFFFFF
    sets[5] &= ~(mask >> 32) & 0xFFFFFFFF
    _check(libc.capset(header, sets))


def _check(result: int) -> None:
    if result != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
