"""The simulator as a process: it starts, steps, throttles, ends cleanly, and cleans up after one that was killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from sockerless.errors import Conflict
from sockerless.simulator.engine import Engine
from sockerless.simulator.options import DEFAULT_ACCOUNT_ID
from sockerless.simulator.server import Simulator

from .conftest import Account, until

SERVE = """
import sys
from pathlib import Path
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import serve
host, port, engine, state_dir, step_delay_s, throttle, account_id = sys.argv[1:]
options = SimulatorOptions(float(step_delay_s), throttle == "True", account_id=account_id)
serve(host, int(port), engine, Path(state_dir), options)
"""


@dataclass
class Served:
    """A simulator in a process of its own."""

    process: subprocess.Popen[bytes]
    endpoint_url: str

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Ends it; its exit status."""
        self.process.send_signal(number)
        return self.process.wait(30)


Serve = Callable[..., Served]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Starts simulators on free ports; those still up are ended."""
    started: list[Served] = []

    def start(
        engine: str, step_delay_s: float = 0.0, throttle: bool = True, account_id: str = DEFAULT_ACCOUNT_ID
    ) -> Served:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        arguments = [
            "127.0.0.1",
            str(port),
            engine,
            str(tmp_path / str(port)),
            str(step_delay_s),
            str(throttle),
            account_id,
        ]
        environment = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:9"}
        process = subprocess.Popen([sys.executable, "-c", SERVE, *arguments], env=environment)
        served = Served(process, f"http://127.0.0.1:{port}")
        started.append(served)
        until(lambda: _listens(port), bool)
        return served

    yield start
    for served in started:
        if served.process.poll() is None:
            served.end()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def containers(engine: Engine, label: str = "io.sockerless.simulator.owner") -> list[dict[str, Any]]:
    """The engine's containers that a simulator made."""
    filters = json.dumps({"label": [label]})
    found: list[dict[str, Any]] = engine.call("GET", "/containers/json", {"all": "1", "filters": filters})
    return found


def made_by(engine: Engine, pid: int) -> list[str]:
    """Ids of containers that the simulator of this process made."""
    owned = f"/{pid}/"
    return [c["Id"] for c in containers(engine) if owned in c["Labels"]["io.sockerless.simulator.owner"]]


def test_it_serves_the_control_plane_without_an_engine_and_says_so(serve: Serve) -> None:
    account = Account(serve("unix:///nonexistent/engine.sock").endpoint_url)
    account.set_up()
    account.register("noengine", {"name": "main", "image": "busybox"})
    task = account.stopped(account.run("noengine")["taskArn"])
    assert task["stopCode"] == "TaskFailedToStart"
    assert "unix:///nonexistent/engine.sock does not answer" in task["stoppedReason"]


def test_a_client_that_registers_too_fast_is_throttled(serve: Serve) -> None:
    account = Account(serve("unix:///nonexistent/engine.sock").endpoint_url)
    account.set_up()

    def outcome() -> str:
        try:
            account.register("often", {"name": "main", "image": "busybox"})
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return "registered"

    outcomes = [outcome() for _ in range(40)]
    assert outcomes[:20] == ["registered"] * 20
    assert "ThrottlingException" in outcomes[20:]


def test_it_listens_on_loopback_only(simulator: Simulator) -> None:
    listening = Path("/proc/net/tcp").read_text() + Path("/proc/net/tcp6").read_text()
    port = f"{simulator.port:04X}"
    addresses = {line.split()[1] for line in listening.splitlines() if f":{port} " in line and " 0A " in line}
    assert addresses == {f"0100007F:{port}"}


def test_a_process_runs_one_simulator_at_a_time(simulator: Simulator, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="another simulator runs in this process"):
        Simulator(port=0, state_dir=tmp_path).start()


@pytest.mark.engine
def test_statuses_are_stepped_through_with_the_delay_asked(serve: Serve, engine_address: str) -> None:
    account = Account(serve(engine_address, step_delay_s=0.2, throttle=False).endpoint_url)
    account.set_up()
    account.register("stepped", {"name": "main", "image": "127.0.0.1:9/nosuch"})
    arn = account.run("stepped")["taskArn"]
    seen: list[str] = []
    deadline = time.monotonic() + 20
    while not seen or seen[-1] != "STOPPED":
        status = account.task(arn)["lastStatus"]
        seen += [status] if status not in seen[-1:] else []
        assert time.monotonic() < deadline, seen
    assert seen == ["PROVISIONING", "PENDING", "STOPPING", "DEPROVISIONING", "STOPPED"]


@pytest.mark.engine
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_nothing_in_the_engine_when_it_ends(
    serve: Serve, engine_address: str, number: signal.Signals
) -> None:
    engine = Engine(engine_address)
    served = serve(engine_address)
    pid = served.process.pid
    until(lambda: made_by(engine, pid), lambda found: len(found) == 2)
    assert served.end(number) == 0
    assert made_by(engine, pid) == []
    for kind in ("networks", "images/json"):
        filters = json.dumps({"label": ["io.sockerless.simulator.owner"]})
        left = engine.call("GET", f"/{kind}", {"filters": filters})
        assert not [each for each in left if f"/{pid}/" in each["Labels"]["io.sockerless.simulator.owner"]]


@pytest.mark.engine
def test_the_next_one_removes_what_a_killed_one_left(serve: Serve, engine_address: str) -> None:
    engine = Engine(engine_address)
    killed = serve(engine_address)
    pid = killed.process.pid
    until(lambda: made_by(engine, pid), lambda found: len(found) == 2)
    killed.end(signal.SIGKILL)
    assert len(made_by(engine, pid)) == 2
    serve(engine_address)
    until(lambda: made_by(engine, pid), lambda found: found == [])


def test_the_account_is_the_one_asked_for(serve: Serve) -> None:
    account = Account(serve("unix:///nonexistent/engine.sock", account_id="210987654321").endpoint_url)
    assert account.client("sts").get_caller_identity()["Account"] == "210987654321"
    cluster = account.client("ecs").create_cluster(clusterName="x")["cluster"]
    assert cluster["clusterArn"] == "arn:aws:ecs:us-east-1:210987654321:cluster/x"


def test_sdk_sessions_find_the_account(serve: Serve) -> None:
    served = serve("unix:///nonexistent/engine.sock")
    session = boto3.session.Session(aws_access_key_id="x", aws_secret_access_key="y", region_name="eu-west-1")
    identity = session.client("sts", endpoint_url=served.endpoint_url).get_caller_identity()
    assert identity["Account"] == "123456789012"
