"""Runs as PID 1 in the user's container: standard library, websockets and wire/ only."""
