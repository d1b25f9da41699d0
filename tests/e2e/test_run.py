"""docker run, as people know it."""

from __future__ import annotations

import os

import pytest

from tests.e2e.docker_cli import Docker
from tests.e2e.terminal import Terminal

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.both_directions]


def test_streams_come_apart_and_the_exit_code_is_the_containers(docker: Docker, image: str) -> None:
    done = docker("run", "--rm", image, "sh", "-c", "echo out; echo err >&2; exit 7")
    assert (done.stdout, done.stderr, done.returncode) == (b"out\n", b"err\n", 7)


def test_stdin_reaches_the_process_whole(docker: Docker, image: str) -> None:
    assert docker("run", "-i", "--rm", image, "cat", stdin=b"hi\n").stdout == b"hi\n"
    data = os.urandom(3 << 20)
    assert docker("run", "-i", "--rm", image, "cat", stdin=data).stdout == data


def test_two_hundred_thousand_lines_come_out_complete_and_in_order(docker: Docker, image: str) -> None:
    done = docker("run", "--rm", image, "seq", "200000")
    assert done.stdout == b"".join(b"%d\n" % number for number in range(1, 200_001))


def test_a_detached_container_goes_on_and_can_be_followed(docker: Docker, image: str) -> None:
    container = docker.ok("run", "-d", image, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.3; done; exit 4")
    assert docker.ok("logs", "-f", container) == "1\n2\n3"
    assert docker.ok("wait", container) == "4"
    docker.ok("rm", container)


@pytest.mark.parametrize(
    ("command", "code", "words"),
    [
        (["nosuchprogram"], 127, "executable file not found in $PATH"),
        (["/etc/passwd"], 126, "permission denied"),
        (["/no/such"], 127, "no such file or directory"),
    ],
)
def test_a_program_that_cannot_start_fails_as_docker_does(
    docker: Docker, image: str, command: list[str], code: int, words: str
) -> None:
    done = docker("run", "--rm", image, *command)
    assert done.returncode == code
    assert words in done.stderr.decode()
    assert docker.ok("ps", "-aq", "--filter", "status=created") == ""


def test_an_image_nobody_has_fails_with_125(docker: Docker) -> None:
    done = docker("run", "--rm", "nosuch")
    assert done.returncode == 125
    assert "Unable to find image 'nosuch:latest' locally" in done.stderr.decode()


@pytest.mark.parametrize(
    ("option", "words"),
    [
        (["--privileged"], "privileged"),
        (["--network", "host"], "host"),
        (["--pid", "host"], "pid"),
        (["--device", "/dev/null"], "device"),
        (["-v", "/etc:/x"], "bind"),
    ],
)
def test_what_fargate_cannot_do_is_refused_with_its_name(
    docker: Docker, image: str, option: list[str], words: str
) -> None:
    done = docker("run", "--rm", *option, image, "true")
    assert done.returncode == 125
    assert words in done.stderr.decode().lower()


def test_environment_user_directory_and_arguments_arrive_as_asked(docker: Docker, image: str) -> None:
    script = 'printf "%s|" "$A" "$(id -u):$(id -g)" "$PWD" "$HOSTNAME" "$@"'
    done = docker.ok(
        "run", "--rm", "-e", "A=b c\nd", "-u", "1000:1001", "-w", "/made/here", "-h", "box",
        image, "sh", "-c", script, "sh", "", "two words", 'quo"te', "new\nline",
    )  # fmt: skip
    assert done == 'b c\nd|1000:1001|/made/here|box||two words|quo"te|new\nline|'


def test_names_are_what_was_asked_for(docker: Docker, image: str) -> None:
    seen = docker.ok(
        "run", "--rm", "-h", "box", "--domainname", "corp", "--add-host", "db:10.1.2.3",
        "--add-host", "six:[fd00::6]", "--dns", "10.9.8.7",
        "--dns-search", "a.example", "--dns-option", "ndots:3", image,
        "sh", "-c", "cat /etc/hosts /etc/hostname /etc/resolv.conf",
    ).splitlines()  # fmt: skip
    assert {"10.1.2.3\tdb", "fd00::6\tsix"} <= set(seen)
    assert any(line.endswith("\tbox.corp box") for line in seen)
    assert "box.corp" in seen
    assert [line for line in seen if line.startswith(("nameserver", "search", "options"))] == [
        "search a.example",
        "nameserver 10.9.8.7",
        "options ndots:3",
    ]


def test_names_that_a_read_only_root_would_not_take_are_refused(docker: Docker, image: str) -> None:
    refused = docker("run", "--rm", "--read-only", "--add-host", "db:10.1.2.3", image, "true")
    assert refused.returncode == 125
    assert b"ReadonlyRootfs" in refused.stderr


def test_the_agents_credentials_are_not_in_the_containers_reach(docker: Docker, image: str) -> None:
    seen = docker.ok("run", "--rm", image, "sh", "-c", "env; tr '\\0' '\\n' < /proc/1/environ")
    assert "SOCKERLESS_AGENT_TOKEN=" not in seen.replace("SOCKERLESS_AGENT_TOKEN=\n", "")
    assert "PRIVATE KEY" not in seen


def test_a_read_only_root_is_read_only(docker: Docker, image: str) -> None:
    done = docker("run", "--rm", "--read-only", image, "sh", "-c", "echo x > /file")
    assert done.returncode == 1
    assert b"Read-only file system" in done.stderr


def test_a_terminal_has_its_size_and_its_exit_status(docker: Docker, image: str) -> None:
    with Terminal(docker, "run", "--rm", "-it", image, "sh", "-c", "stty size; test -t 0 && exit 5") as terminal:
        terminal.wait_for(b"33 77\r\n")
        assert terminal.ended() == 5


def test_a_terminal_follows_the_window(docker: Docker, image: str) -> None:
    script = "trap 'stty size' WINCH; trap 'exit 4' INT; echo ready; while :; do sleep 0.1; done"
    with Terminal(docker, "run", "--rm", "-it", image, "sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        assert terminal.follows(44, range(80, 100))
        terminal.type(b"\x03")
        assert terminal.ended() == 4


def test_ctrl_c_reaches_the_process_behind_a_terminal(docker: Docker, image: str) -> None:
    script = "trap 'echo caught; exit 9' INT; echo ready; while :; do sleep 0.1; done"
    with Terminal(docker, "run", "--rm", "-it", image, "sh", "-c", script) as terminal:
        terminal.wait_for(b"ready")
        terminal.type(b"\x03")
        terminal.wait_for(b"caught")
        assert terminal.ended() == 9


def test_detach_keys_leave_the_container_running(docker: Docker, image: str) -> None:
    name = f"detached-{os.getpid()}"
    with Terminal(docker, "run", "--name", name, "-it", image, "sh", "-c", "echo ready; sleep 100") as terminal:
        terminal.wait_for(b"ready")
        terminal.type(b"\x10\x11")
        assert terminal.ended() == 0
    assert docker.inspect(name, "{{.State.Status}}") == "running"
    docker.ok("rm", "-f", name)
