"""Times as Docker writes and reads them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.errors import InvalidParameter
from sockerless.wire.timestamps import parse_moment, parse_unix, rfc3339

S = 1_000_000_000
MOMENT_NS = 1_795_440_561_416_310_570


@pytest.mark.parametrize(
    ("time_ns", "trimmed", "fixed"),
    [
        (0, "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        (1, "1970-01-01T00:00:00.000000001Z", "1970-01-01T00:00:00.000000001Z"),
        (S, "1970-01-01T00:00:01Z", "1970-01-01T00:00:01.000000000Z"),
        (MOMENT_NS, "2026-11-23T13:29:21.41631057Z", "2026-11-23T13:29:21.416310570Z"),
    ],
)
def test_a_time_is_utc_with_nanoseconds(time_ns: int, trimmed: str, fixed: str) -> None:
    assert rfc3339(time_ns) == trimmed
    assert rfc3339(time_ns, fixed=True) == fixed


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [("", 0), ("0", 0), ("1", S), ("1.5", 1_500_000_000), ("1.000000001", S + 1), ("1.0000000019", S + 1), ("-1", -S)],
)
def test_since_is_seconds_with_a_decimal_fraction(text: str, time_ns: int) -> None:
    assert parse_unix(text) == time_ns


@pytest.mark.parametrize("text", ["x", "1.", "1.x", ".5", "1e9", "2026-01-01"])
def test_since_in_other_words_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a Unix timestamp"):
        parse_unix(text)


@pytest.mark.parametrize(
    ("text", "time_ns"),
    [
        ("24h", MOMENT_NS - 24 * 3600 * S),
        ("1h30m", MOMENT_NS - 5400 * S),
        ("1.5s", MOMENT_NS - 1_500_000_000),
        ("10ms", MOMENT_NS - 10_000_000),
        ("1795440561", 1_795_440_561 * S),
        ("2026-11-23T13:29:21Z", 1_795_440_561 * S),
        ("2026-11-23T13:29:21.41631057Z", MOMENT_NS),
        ("2026-11-23T14:29:21.41631057+01:00", MOMENT_NS),
    ],
)
def test_until_is_a_time_or_a_duration_before_now(text: str, time_ns: int) -> None:
    assert parse_moment(text, MOMENT_NS) == time_ns


def test_a_time_without_zone_is_in_this_machines() -> None:
    assert parse_moment("2026-11-23T13:29:21", 0) == int(datetime(2026, 11, 23, 13, 29, 21).timestamp()) * S


@pytest.mark.parametrize("text", ["", "yesterday", "24 h", "h", "2026-13-01"])
def test_until_in_other_words_is_refused(text: str) -> None:
    with pytest.raises(InvalidParameter, match="failed to parse value as time or duration"):
        parse_moment(text, 0)


@given(st.integers(min_value=1, max_value=4_000_000_000 * S))
def test_what_is_written_is_read_back(time_ns: int) -> None:
    assert parse_moment(rfc3339(time_ns), 0) == time_ns
    assert parse_moment(rfc3339(time_ns, fixed=True), 0) == time_ns
