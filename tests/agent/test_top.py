"""top: the columns that ps's arguments ask for, and the processes of a real container without its agent."""

from __future__ import annotations

import pytest

from sockerless.agent.processes import Process, parse_stat
from sockerless.agent.ps_columns import VALUES, Machine, Shown, clock, elapsed, tty_name
from sockerless.agent.ps_options import TITLES, PsError, columns
from tests.agent.container import AgentContainer

UID = "UID PID PPID C STIME TTY TIME CMD"
USER = "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"


@pytest.mark.parametrize(
    ("arguments", "titles"),
    [
        ("-ef", UID),
        ("-efww", UID),
        ("aux", USER),
        ("u", USER),
        ("", "PID TTY TIME CMD"),
        ("-A", "PID TTY TIME CMD"),
        ("x", "PID TTY STAT TIME COMMAND"),
        ("-F", "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD"),
        ("-l", "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD"),
        ("l", "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND"),
        ("-j", "PID PGID SID TTY TIME CMD"),
        ("jx", "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND"),
        ("-o pid,comm", "PID COMMAND"),
        ("axo pid,cmd", "PID CMD"),
        ("-o pid -o cmd", "PID CMD"),
        ("-eo pid,ppid,pcpu,rss,etime,stat,tty,time,cmd", "PID PPID %CPU RSS ELAPSED STAT TT TIME CMD"),
        ("-o pid,comm=X", "PID X"),
    ],
)
def test_titles_are_those_of_ps(arguments: str, titles: str) -> None:
    assert [column.title for column in columns(arguments.split())] == titles.split()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("-o user,comm", "Couldn't find PID field in ps output"),
        ("-o pid=X,comm=Y", "Couldn't find PID field in ps output"),
        ("-o pid,nosuch", 'ps: error: unknown user-defined format specifier "nosuch"'),
        ("-o", "ps: error: format specification must follow -o"),
        ("-f -o pid", "ps: error: conflicting format options"),
        ("-zz", "ps: error: option -z is not supported"),
        ("-C sleep", "ps: error: option -C is not supported"),
        ("faux", "ps: error: option f is not supported"),
        ("aux --sort=-rss", "ps: error: option --sort=-rss is not supported"),
    ],
)
def test_what_ps_would_not_do_is_an_error_and_so_is_what_would_change_the_list(arguments: str, message: str) -> None:
    with pytest.raises(PsError, match=message):
        columns(arguments.split())


def test_every_title_has_a_value() -> None:
    assert TITLES.keys() == VALUES.keys()


def test_times_and_terminals_are_written_as_ps_does() -> None:
    assert [clock(59), clock(3661), clock(90061)] == ["00:00:59", "01:01:01", "1-01:01:01"]
    assert [elapsed(59), elapsed(3661), elapsed(90061)] == ["00:59", "01:01:01", "1-01:01:01"]
    assert [tty_name(0), tty_name(34816), tty_name(34817), tty_name(1025)] == ["?", "pts/0", "pts/1", "tty1"]


STAT = (
    "7 (a) b (c) S 1 7 7 34816 7 4194304 100 0 0 0 250 50 0 0 25 5 3 0 1000 8192000 300 18446744073709551615 "
    "1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0"
)


def shown(process: Process) -> Shown:
    machine = Machine(now_s=1_000_000.0, uptime_s=40.0, memory_bytes=300 * 4096 * 8, users={5: "eve"}, groups={})
    return Shown(process, machine, "a b", "hrtime", (0, 5), (0, 6), locked=True)


def test_a_process_is_shown_as_ps_shows_it() -> None:
    values = {name: VALUES[name](shown(parse_stat(STAT))) for name in VALUES}
    expected = {
        "pid": "7", "comm": "a) b (c", "stat": "SNLsl+", "%cpu": "10.0", "c": "10", "%mem": "12.5", "user": "eve",
        "ruser": "0", "group": "6", "tname": "pts/0", "time": "00:00:03", "bsdtime": "0:03", "etime": "00:30",
        "rss": "1200", "vsz": "8000", "ni": "5", "priority": "25", "opri": "85", "pri": "14", "psr": "1", "f": "0",
    }  # fmt: skip
    assert {name: values[name] for name in expected} == expected


@pytest.mark.engine
async def test_a_container_s_processes_are_listed_without_the_agent(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sh", "-c", "sleep 1000 & exec sleep 2000", user="1000:1000")
    container.engine("exec", container.id, "sh", "-c", "echo eve:x:1000:1000::/:/bin/sh >> /etc/passwd")
    reply = await control.request("top", ps_args="-eo pid,ppid,user,args,stat")
    assert reply.result["titles"] == ["PID", "PPID", "USER", "COMMAND", "STAT"]
    (first, *_), (_, parent, *second) = reply.result["processes"]
    assert second == ["eve", "sleep 1000", "S"]
    assert parent == first
    assert len(reply.result["processes"]) == 2


@pytest.mark.engine
async def test_what_ps_refuses_is_a_failure_in_its_words(container: AgentContainer) -> None:
    control = await container.control()
    reply = await control.request("top", ps_args="-o user")
    assert (reply.error_kind, reply.message) == ("failed", "Couldn't find PID field in ps output")
