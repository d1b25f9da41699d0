"""When a peer counts as lost."""

from __future__ import annotations

from sockerless.wire.tcp_info import LOST_S, Silence


def info(retransmits: int = 0, probes: int = 0) -> bytes:
    return bytes([1, 0, retransmits, probes, 0, 0, 0, 0])


def test_a_peer_is_lost_once_it_has_owed_an_answer_for_so_long() -> None:
    silence: Silence[str] = Silence()
    assert silence.lost({"data": info(retransmits=1), "window": info(probes=2), "fine": info()}, 10.0) == []
    assert silence.lost({"data": info(retransmits=9), "window": info(probes=9), "fine": info()}, 9.9 + LOST_S) == []
    lost = silence.lost({"data": info(retransmits=9), "window": info(probes=9), "fine": info()}, 10.0 + LOST_S)
    assert lost == ["data", "window"]


def test_an_answer_begins_the_time_anew_and_so_does_another_connection() -> None:
    silence: Silence[str] = Silence()
    silence.lost({"one": info(1)}, 0.0)
    silence.lost({"one": info()}, 50.0)
    assert silence.lost({"one": info(1)}, 80.0) == []
    assert silence.lost({}, 100.0) == []
    assert silence.lost({"one": info(1)}, 80.0 + LOST_S) == []


def test_a_network_that_is_held_for_20_s_loses_nobody() -> None:
    assert LOST_S > 3 * 20
