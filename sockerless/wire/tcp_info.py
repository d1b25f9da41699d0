"""Whether a TCP peer has vanished: what Linux tells of a connection, in the bytes of its TCP_INFO.

Law: a peer that answers is there, however long it takes no data. TCP_USER_TIMEOUT is therefore not used: it also ends
a connection whose peer answers every probe with a window of zero, and so a client that stops reading for a while
(tried on Linux 6.18; tcp_probe_timer() in net/ipv4/tcp_timer.c). Left alone, Linux gives up after some 15 minutes
(tcp_retries2 in ip-sysctl). Source: struct tcp_info in linux/tcp.h. Knows no socket and reads no clock.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar

Connection = TypeVar("Connection", bound=Hashable)

LOST_S = 90
"""How long a peer may owe an answer until its connection is given up."""
CHECK_INTERVAL_S = 5
KEEPALIVE_IDLE_S, KEEPALIVE_INTERVAL_S, KEEPALIVE_COUNT = 30, 10, 6
"""Probes of a connection on which nothing is under way: with all of them unanswered it ends after LOST_S too."""
INFO_BYTES = 8
"""How much of TCP_INFO is read here."""
_RETRANSMITS, _PROBES = 2, 3
"""Offsets of tcpi_retransmits and tcpi_probes: how often in a row data was sent again, or a probe, unanswered."""


class Silence(Generic[Connection]):
    """Since when the peers of connections owe an answer."""

    def __init__(self) -> None:
        self._since_s: dict[Connection, float] = {}

    def lost(self, infos: Mapping[Connection, bytes], now_s: float) -> list[Connection]:
        """Those whose peer has been silent for LOST_S; infos: the TCP_INFO of every open connection at this moment."""
        silent = [one for one, info in infos.items() if info[_RETRANSMITS] or info[_PROBES]]
        self._since_s = {one: self._since_s.get(one, now_s) for one in silent}
        return [one for one in silent if now_s - self._since_s[one] >= LOST_S]
