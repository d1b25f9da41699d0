"""The pause program and its image: the process that holds a task's network (and, with pidMode task, PID) namespace.

No image can be assumed on a machine without internet, so the program is assembled here: a static ELF file of two
hundred bytes that has the kernel reap the children it inherits (SIGCHLD ignored), then sleeps for ever.
Source: System V ABI, "ELF-64"; Linux system call tables of x86-64 and arm64.
"""

from __future__ import annotations

import io
import json
import struct
import tarfile

from sockerless.errors import NotSupported
from sockerless.simulator.engine import Engine

_SIGCHLD = 17
_SIG_IGN = 1
_SIGSET_BYTES = 8
_SIGACTION = struct.pack("<QQQQ", _SIG_IGN, 0, 0, 0)  # handler, flags, restorer, mask
_LOAD_ADDRESS = 0x400000
_HEADERS_SIZE = 64 + 56

PROGRAM_PATH = "/pause"


def _x86_64() -> bytes:
    rt_sigaction, pause = 13, 34
    setup = b"\xb8" + struct.pack("<I", rt_sigaction)  # mov eax, rt_sigaction
    setup += b"\xbf" + struct.pack("<I", _SIGCHLD)  # mov edi, SIGCHLD
    rest = b"\x31\xd2"  # xor edx, edx
    rest += b"\x41\xba" + struct.pack("<I", _SIGSET_BYTES)  # mov r10d, 8
    rest += b"\x0f\x05"  # syscall
    loop = b"\xb8" + struct.pack("<I", pause) + b"\x0f\x05"  # mov eax, pause; syscall
    loop += b"\xeb" + struct.pack("<b", -(len(loop) + 2))  # jmp to the start of loop
    lea = b"\x48\x8d\x35" + struct.pack("<i", len(rest) + len(loop))  # lea rsi, [the bytes after loop]
    return setup + lea + rest + loop + _SIGACTION


def _aarch64() -> bytes:
    rt_sigaction, ppoll = 134, 73

    def movz(register: int, value: int) -> int:
        return 0xD2800000 | value << 5 | register

    svc = 0xD4000001
    loop = [*(movz(register, 0) for register in range(5)), movz(8, ppoll), svc]
    loop.append(0x14000000 | -len(loop) & 0x3FFFFFF)  # b to the start of loop
    rest = [movz(2, 0), movz(3, _SIGSET_BYTES), movz(8, rt_sigaction), svc]
    adr = 0x10000001 | (1 + len(rest) + len(loop)) << 5  # adr x1, the bytes after loop
    words = [movz(0, _SIGCHLD), adr, *rest, *loop]
    return struct.pack(f"<{len(words)}I", *words) + _SIGACTION


_PROGRAMS = {"x86_64": (62, _x86_64), "amd64": (62, _x86_64), "aarch64": (183, _aarch64), "arm64": (183, _aarch64)}


def program(architecture: str) -> bytes:
    """The pause program as a static ELF executable. NotSupported for other than x86-64 and arm64."""
    if architecture not in _PROGRAMS:
        raise NotSupported(f"the simulator has no pause program for the engine's architecture {architecture!r}")
    machine, assemble = _PROGRAMS[architecture]
    code = assemble()
    size = _HEADERS_SIZE + len(code)
    entry = _LOAD_ADDRESS + _HEADERS_SIZE
    identification = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)  # 64 bits, little endian, version 1
    header = identification + struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, entry, 64, 0, 0, 64, 56, 1, 0, 0, 0)
    readable_executable = 5
    segment = struct.pack("<IIQQQQQQ", 1, readable_executable, 0, _LOAD_ADDRESS, _LOAD_ADDRESS, size, size, 0x1000)
    return header + segment + code


def _root_filesystem(architecture: str) -> bytes:
    content = program(architecture)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        entry = tarfile.TarInfo(PROGRAM_PATH.lstrip("/"))
        entry.size, entry.mode = len(content), 0o755
        tar.addfile(entry, io.BytesIO(content))
    return archive.getvalue()


def build_image(engine: Engine, repository: str, tag: str, label: str, value: str) -> str:
    """Imports the pause image into the engine under repository:tag, labelled label=value; its id."""
    architecture = str(engine.call("GET", "/info")["Architecture"])
    query = {"fromSrc": "-", "repo": repository, "tag": tag, "changes": f"LABEL {label}={json.dumps(value)}"}
    headers = {"Content-Type": "application/x-tar"}
    with engine.stream("POST", "/images/create", query, _root_filesystem(architecture), headers) as response:
        *_, last = response.read().splitlines()
    return str(json.loads(last)["status"])
