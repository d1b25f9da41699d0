"""What can be tested without a container: users, programs, the environment block, cgroup counts, capability names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sockerless.agent import credentials, memory, privileges
from sockerless.agent.child import StartRefused, find_program, read_refusal
from sockerless.agent.kept import LineSkip
from sockerless.agent.users import User, resolve
from sockerless.errors import InvalidParameter
from sockerless.wire import agent as wire
from sockerless.wire.chunks import Chunk
from sockerless.wire.logs import Piece, pieces

PASSWD = "root:x:0:0:root:/root:/bin/sh\n# comment\nbroken\n\napp:x:1000:1001:App:/home/app:/bin/sh\nodd:x:7:8:::\n"
GROUP = "root:x:0:\nwheel:x:10:root,app\nextra:x:20:app\napp:x:1001:\n"


@pytest.mark.parametrize(
    ("spec", "user"),
    [
        ("", User(0, 0, (10,), "/root")),
        ("root", User(0, 0, (10,), "/root")),
        ("app", User(1000, 1001, (10, 20), "/home/app")),
        ("1000", User(1000, 1001, (10, 20), "/home/app")),
        ("app:wheel", User(1000, 10, (), "/home/app")),
        ("app:99", User(1000, 99, (), "/home/app")),
        ("4242", User(4242, 0, (), "/")),
        ("4242:wheel", User(4242, 10, (), "/")),
        (":wheel", User(0, 10, (), "/root")),
        ("odd", User(7, 8, (), "/")),
    ],
)
def test_docker_s_forms_of_a_user(spec: str, user: User) -> None:
    assert resolve(spec, PASSWD, GROUP) == user


def test_without_files_numbers_still_work() -> None:
    assert resolve("", "", "") == User(0, 0, (), "/")
    assert resolve("5:6", "", "") == User(5, 6, (), "/")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("ghost", "unable to find user ghost: no matching entries in passwd file"),
        ("app:ghosts", "unable to find group ghosts: no matching entries in group file"),
        ("-1", "uids and gids must be in range 0-2147483647"),
        ("0:4294967295", "uids and gids must be in range 0-2147483647"),
    ],
)
def test_users_that_cannot_be_resolved(spec: str, message: str) -> None:
    with pytest.raises(InvalidParameter) as error:
        resolve(spec, PASSWD, GROUP)
    assert error.value.message == message


def test_a_program_is_looked_up_in_order_and_must_be_executable(tmp_path: Path) -> None:
    for name, mode in (("a/tool", 0o644), ("b/tool", 0o755), ("c/tool", 0o755)):
        path = tmp_path / name
        path.parent.mkdir()
        path.touch(mode)
    (tmp_path / "a" / "folder").mkdir()
    search = f"{tmp_path}/a:{tmp_path}/b:{tmp_path}/c"
    assert find_program("tool", search) == f"{tmp_path}/b/tool"
    for name, kind in (("folder", "not_found"), (f"{tmp_path}/a", "permission"), (f"{tmp_path}/z", "not_found")):
        with pytest.raises(StartRefused) as refused:
            find_program(name, search)
        assert refused.value.kind == kind


def test_a_report_is_a_refusal_or_nothing() -> None:
    assert read_refusal(b"") is None
    refusal = read_refusal(b'["permission", "no"]')
    assert refusal is not None
    assert (refusal.kind, refusal.message) == ("permission", "no")


def test_only_the_agent_s_own_entries_are_erased_and_nothing_moves() -> None:
    block = b"PATH=/bin\0SOCKERLESS_AGENT_TOKEN=secret\0A=SOCKERLESS_AGENT_TOKEN=x\0SOCKERLESS_AGENT_KEY=a\nb\0"
    erased = credentials.without_own_entries(block)
    assert len(erased) == len(block)
    assert b"secret" not in erased
    assert [entry for entry in erased.split(b"\0") if entry] == [b"PATH=/bin", b"A=SOCKERLESS_AGENT_TOKEN=x"]


def test_credentials_are_taken_out_of_the_environment() -> None:
    given = {wire.ENV_AGENT_ID: "a", wire.ENV_TOKEN: "t", wire.ENV_CERTIFICATE: "c", wire.ENV_KEY: "k"}
    environment = {"PATH": "/bin", **given, "SOCKERLESS_AGENT_LATER": "x"}
    taken = credentials.take(environment)
    assert (taken.agent_id, taken.token, taken.patience_s) == ("a", "t", credentials.DEFAULT_PATIENCE_S)
    assert environment == {"PATH": "/bin"}
    assert credentials.take({**given, wire.ENV_PATIENCE_S: "1.5"}).patience_s == 1.5
    with pytest.raises(InvalidParameter, match="PATIENCE_S is not a number"):
        credentials.take({**given, wire.ENV_PATIENCE_S: "soon"})
    with pytest.raises(InvalidParameter, match=f"{wire.ENV_TOKEN}, {wire.ENV_CERTIFICATE}, {wire.ENV_KEY} not set"):
        credentials.take({wire.ENV_AGENT_ID: "a"})


def test_the_oom_count_of_both_cgroup_versions() -> None:
    assert memory.count_of("low 0\nhigh 0\nmax 3\noom 1\noom_kill 2\noom_group_kill 0\n") == 2
    assert memory.count_of("oom_kill_disable 0\nunder_oom 0\noom_kill 4\n") == 4
    assert memory.count_of("oom_kill_disable 0\nunder_oom 0\n") == 0


def test_capabilities_have_the_kernel_s_numbers() -> None:
    assert privileges.capability_numbers(["CHOWN", "cap_sys_admin", "CHECKPOINT_RESTORE"]) == {0, 21, 40}
    assert privileges.capability_numbers(["ALL"]) == set(range(41))


def kept_of(chunks: list[Chunk], lines: int, since_ns: int) -> list[Piece]:
    """Line by line: those behind the first lines that begin at the moment or later."""
    begun, line_of, kept = 0, dict[int, bool](), list[Piece]()
    for piece in (piece for chunk in chunks for piece in pieces(*chunk)):
        if piece.stream not in line_of:
            line_of[piece.stream] = begun >= lines and piece.time_ns >= since_ns
            begun += 1
        if line_of[piece.stream]:
            kept.append(piece)
        if piece.ends_line:
            del line_of[piece.stream]
    return kept


@given(
    data=st.lists(st.tuples(st.sampled_from([1, 2]), st.text("a\n", min_size=1, max_size=4).map(str.encode))),
    lines=st.integers(-1, 12),
    since_ns=st.integers(0, 30),
    cut=st.integers(0, 12),
)
def test_the_same_lines_are_left_out_whole_and_over_a_break(
    data: list[tuple[int, bytes]], lines: int, since_ns: int, cut: int
) -> None:
    chunks, stamp = list[Chunk](), 1
    for stream, text in data:
        chunks.append(Chunk(stream, stamp, text))
        stamp += len(text)
    whole = LineSkip(lines, since_ns)
    kept = [chunk for one in chunks if (chunk := whole.of(one)) is not None]
    expected = kept_of(chunks, lines, since_ns)
    assert [piece for chunk in kept for piece in pieces(*chunk)] == expected
    before = LineSkip(lines, since_ns)
    parts = [before.of(one) for one in chunks[:cut]]
    if before.left <= 0:
        after = LineSkip(0, since_ns, before.left_out)
        parts += [after.of(one) for one in chunks[cut:]]
        assert [piece for part in parts if part is not None for piece in pieces(*part)] == expected


def test_skipping_counts_lines_not_pieces() -> None:
    skip = LineSkip(2)
    given = [Chunk(1, 1, b"a"), Chunk(2, 2, b"b\n"), Chunk(1, 3, b"a\n"), Chunk(1, 4, b"c")]
    assert [skip.of(chunk) for chunk in given] == [None, None, None, given[3]]
