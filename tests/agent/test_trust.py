"""No token, no service; and no process of the container finds the token."""

from __future__ import annotations

import pytest

from sockerless.wire import agent as wire
from tests.agent.container import AgentContainer

pytestmark = pytest.mark.engine


@pytest.mark.parametrize("path", [wire.CONTROL, wire.STREAMS, wire.LOGS, "/", "/nosuch"])
async def test_without_the_token_every_path_answers_401(container: AgentContainer, path: str) -> None:
    await container.control()
    for token in ("", "wrong", container.credentials.token[:-1], container.credentials.token + "x"):
        assert await container.status_of_upgrade(path, token) == (401, b"Unauthorized\n")


async def test_with_the_token_an_unknown_path_is_404_and_a_bad_query_400(container: AgentContainer) -> None:
    await container.control()
    token = container.credentials.token
    assert (await container.status_of_upgrade("/nosuch", token))[0] == 404
    assert (await container.status_of_upgrade(wire.LOGS, token, "tail=x"))[0] == 400
    assert (await container.status_of_upgrade(wire.STREAMS, token, "stdin=x"))[0] == 400


async def test_the_process_finds_no_credentials(container: AgentContainer) -> None:
    script = "cat /proc/1/environ; env; cat /proc/1/cmdline; ls -laR /.sockerless/state; grep -r . /.sockerless/state"
    output, _ = await container.run("sh", "-c", script)
    found = output.stdout + output.stderr
    assert b"PATH=" in found
    for secret in (container.credentials.token, "PRIVATE KEY", "CERTIFICATE", container.credentials.agent_id):
        assert secret.encode() not in found
    assert b"SOCKERLESS_AGENT" not in found


async def test_what_is_no_message_closes_the_control_connection(container: AgentContainer) -> None:
    control = await container.control()
    await control.connection.send("nonsense")
    await control.connection.wait_closed()
    assert control.connection.close_code == 1008
    assert (await container.control()).hello.status == "waiting"
