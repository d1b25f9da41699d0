"""Bytes only, no I/O: feed(bytes) -> events, encode(event) -> bytes. Knows no socket, no clock, no AWS."""
