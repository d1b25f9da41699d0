"""Starting the process: what it gets, who it is, and Docker's own words when it cannot be started."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.agent.container import AgentContainer

pytestmark = pytest.mark.engine

SHIM = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: "
"""How dockerd 20.10 with runc 1.1 begins its answers; the rest below is recorded from it too."""


async def test_refusals_are_docker_s_and_a_start_may_follow(container: AgentContainer) -> None:
    control = await container.control()
    for argv, kind, message in (
        (["nosuchbin"], "not_found", SHIM + 'exec: "nosuchbin": executable file not found in $PATH: unknown'),
        ([""], "not_found", SHIM + 'exec: "": executable file not found in $PATH: unknown'),
        (["/nosuch/x"], "not_found", SHIM + 'exec: "/nosuch/x": stat /nosuch/x: no such file or directory: unknown'),
        (["./sh"], "not_found", SHIM + 'exec: "./sh": stat ./sh: no such file or directory: unknown'),
        (["/etc"], "permission", SHIM + 'exec: "/etc": permission denied: unknown'),
        (["/etc/passwd"], "permission", SHIM + 'exec: "/etc/passwd": permission denied: unknown'),
    ):
        reply = await control.start(*argv)
        assert (reply.error_kind, reply.message) == (kind, message)
    for fields, kind, message in (
        ({"user": "nosuch"}, "invalid", "unable to find user nosuch: no matching entries in passwd file"),
        ({"user": "0:nosuch"}, "invalid", "unable to find group nosuch: no matching entries in group file"),
        ({"user": "99999999999"}, "invalid", "uids and gids must be in range 0-2147483647"),
        ({"working_dir": "/etc/passwd"}, "invalid", "Cannot mkdir: /etc/passwd is not a directory"),
        ({"working_dir": "rel"}, "invalid", "the working directory 'rel' is invalid, it needs to be an absolute path"),
        ({"capabilities_drop": ["FLY"]}, "invalid", 'invalid capability: "FLY"'),
        ({"env": {"PATH": "/tmp"}}, "not_found", SHIM + 'exec: "true": executable file not found in $PATH: unknown'),
    ):
        reply = await control.start("true", **fields)
        assert (reply.error_kind, reply.message) == (kind, message)
    assert (await control.start("true")).error_kind is None
    assert (await control.exited()).code == 0


async def test_what_the_kernel_cannot_execute_ends_with_one_and_says_so(container: AgentContainer) -> None:
    await container.run("sh", "-c", "printf '#!/nosuch\\n' >/x1; echo garbage >/x2; chmod 755 /x1 /x2", linger_s=60)
    output, exited = await container.run("/x1", linger_s=60)
    assert (output.stderr, exited.code) == (b"exec /x1: no such file or directory\n", 1)
    output, exited = await container.run("/x2", linger_s=60)
    assert (output.stderr, exited.code) == (b"exec /x2: exec format error\n", 1)


async def test_a_second_start_while_it_runs_is_a_conflict(container: AgentContainer) -> None:
    control = await container.control()
    await control.start("sleep", "60")
    assert (await control.start("true")).error_kind == "conflict"
    assert (await control.request("finish")).error_kind == "conflict"


async def test_malformed_requests_are_answered_invalid(container: AgentContainer) -> None:
    control = await container.control()
    for op, arguments in (
        ("start", {}),
        ("start", {"process": {"argv": ["true"]}}),
        ("start", {"process": {"argv": [], "env": {}}}),
        ("start", {"process": {"argv": ["a\0b"], "env": {}}}),
        ("start", {"process": {"argv": ["true"], "env": {"": "x"}}}),
        ("resize", {"height": "x", "width": 1}),
        ("dance", {}),
    ):
        assert (await control.request(op, **arguments)).error_kind == "invalid"


async def test_the_environment_is_what_was_asked_with_home_and_aws_s_own(launch: Callable[..., AgentContainer]) -> None:
    container = launch("--env", "AWS_X=from-ecs", "--env", "ECS_Y=from-ecs", "--env", "AWS_Z=ecs", "--env", "OTHER=no")
    output, _ = await container.run("env", env={"PATH": "/bin", "A": "b=c\nd", "AWS_Z": "asked"})
    got = set(output.stdout.decode().replace("c\nd", "c|d").splitlines())
    assert got == {"PATH=/bin", "A=b=c|d", "AWS_X=from-ecs", "ECS_Y=from-ecs", "AWS_Z=asked", "HOME=/root"}


async def test_the_user_is_resolved_in_the_container_s_files(container: AgentContainer) -> None:
    prepare = "echo app:x:1000:1001::/home/app:/bin/sh >>/etc/passwd; echo extra:x:2000:app,other >>/etc/group"
    await container.run("sh", "-c", prepare, linger_s=60)
    for user, expected in (
        ("", b"0 0 0 /root"),
        ("app", b"1000 1001 1001 2000 /home/app"),
        ("1000", b"1000 1001 1001 2000 /home/app"),
        ("app:extra", b"1000 2000 2000 /home/app"),
        ("1000:5", b"1000 5 5 /home/app"),
        ("4242", b"4242 0 0 /"),
        ("4242:4243", b"4242 4243 4243 /"),
    ):
        output, _ = await container.run("sh", "-c", "echo $(id -u) $(id -g) $(id -G) $HOME", user=user, linger_s=60)
        assert output.stdout.strip() == expected, user


async def test_a_user_who_is_not_root_can_open_its_outputs_by_name(container: AgentContainer) -> None:
    output, _ = await container.run("sh", "-c", "echo out >/dev/stdout; echo err >/dev/stderr", user="1000")
    assert (output.stdout, output.stderr) == (b"out\n", b"err\n")


async def test_a_missing_working_directory_is_made_for_root(container: AgentContainer) -> None:
    output, _ = await container.run("sh", "-c", "pwd; stat -c '%u %a' .", user="1000", working_dir="/made/here")
    assert output.stdout == b"/made/here\n0 755\n"


async def test_a_working_directory_the_user_may_not_enter_is_refused(container: AgentContainer) -> None:
    await container.run("sh", "-c", "mkdir -m 700 /closed", linger_s=60)
    output, _ = await container.run("pwd", working_dir="/closed", user="1000", linger_s=60)
    assert output.stdout == b"/closed\n"


async def test_host_names_are_added_once(container: AgentContainer) -> None:
    lines = ["10.0.0.9\tdb", "10.0.0.8\tcache"]
    await container.run("true", hosts=lines, linger_s=60)
    output, _ = await container.run("sh", "-c", "tail -n 2 /etc/hosts; grep -c cache /etc/hosts", hosts=lines)
    assert output.stdout == b"10.0.0.9\tdb\n10.0.0.8\tcache\n1\n"


async def test_the_process_starts_clean(container: AgentContainer) -> None:
    script = "ls /proc/self/fd | wc -l; grep -E '^Sig(Blk|Ign)' /proc/self/status; umask; cut -d' ' -f1,6 /proc/$$/stat"
    output, _ = await container.run("sh", "-c", script)
    descriptors, blocked, ignored, umask, session = output.stdout.decode().splitlines()
    assert descriptors == "4"  # 0, 1, 2 and the directory being listed
    assert blocked.split()[1] == ignored.split()[1] == "0000000000000000"
    assert umask == "0022"
    assert session.split()[0] == session.split()[1]


@pytest.mark.parametrize("user", ["0", "1000"])
async def test_dropped_capabilities_are_gone_for_good(container: AgentContainer, user: str) -> None:
    script = "grep -E '^(Cap|NoNew)' /proc/self/status"
    drop = ["NET_RAW", "CAP_CHOWN"]
    output, _ = await container.run(
        "sh", "-c", script, user=user, capabilities_drop=drop, no_new_privileges=True, linger_s=60
    )
    sets = dict(line.split(":\t") for line in output.stdout.decode().splitlines())
    assert int(sets["CapBnd"], 16) & (1 << 13 | 1) == 0
    assert int(sets["CapBnd"], 16) & 1 << 7
    assert int(sets["CapEff"], 16) == (int(sets["CapBnd"], 16) if user == "0" else 0)
    assert sets["NoNewPrivs"] == "1"
    output, _ = await container.run("sh", "-c", script, user=user, capabilities_drop=["ALL"])
    sets = dict(line.split(":\t") for line in output.stdout.decode().splitlines())
    assert {int(value, 16) for name, value in sets.items() if name.startswith("Cap")} == {0}


async def test_a_process_that_is_not_asked_to_drop_anything_keeps_docker_s_capabilities(
    container: AgentContainer,
) -> None:
    output, _ = await container.run("grep", "CapEff", "/proc/self/status")
    assert output.stdout.split() == [b"CapEff:", b"00000000a80425fb"]
