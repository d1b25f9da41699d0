"""A TCP peer that vanishes without a word, made of any open socket of this machine."""

from __future__ import annotations

import ctypes
import socket
import struct

_SO_ATTACH_FILTER = 26
_RETURN_NOTHING = struct.pack("HBBI", 0x06, 0, 0, 0)
"""One instruction of classic BPF (linux/filter.h): keep 0 bytes of whatever comes."""


def silence(connected: socket.socket) -> None:
    """From now on the kernel drops every segment for this socket, so its peer is answered nothing, not even by TCP."""
    program = ctypes.create_string_buffer(_RETURN_NOTHING)
    filter_ = struct.pack("HL", 1, ctypes.addressof(program))
    connected.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, filter_)


def owes_an_answer(connected: socket.socket) -> bool:
    """Whether Linux has sent the peer something again, or probed it, without an answer yet."""
    info = connected.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 8)
    return bool(info[2] or info[3])
