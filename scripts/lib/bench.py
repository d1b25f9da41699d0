"""The benchmark: one deployment in the simulated AWS beside the local container engine, same image, same run.

Every figure is a median of whole commands of the unmodified docker client; what moves much is done three times. Nothing
is asserted: a figure is read by people, beside its target. Both engines run on this machine and share it, so compare
columns, not runs.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import bench_run
import boto3

IMAGE = "sockerless-bench:latest"
ROOT = Path(__file__).resolve().parents[2]
MIB = 1 << 20
HEAVY_TIMES = 3
SIZE = ("--cpus", "1", "--memory", "2g")
"""What containers that move much get, on both engines: by default the local one gives the whole machine."""
PROCESS = re.compile(r" started: .*its process ([\d.]+) s$", re.MULTILINE)


@dataclass(frozen=True)
class Engine:
    """docker against one host."""

    host: str

    def run(self, *arguments: str, stdin: object = None, quiet: bool = True) -> str:
        """Stdout of one command; it must succeed."""
        done = subprocess.run(
            ["docker", "--host", self.host, *arguments],
            stdin=stdin if stdin is not None else subprocess.DEVNULL,  # type: ignore[call-overload]
            stdout=subprocess.DEVNULL if quiet else subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"docker {' '.join(arguments)}: {done.stderr.decode()}")
        return "" if quiet else done.stdout.decode().strip()

    @contextmanager
    def container(self, *arguments: str) -> Iterator[str]:
        """A detached container for the time of a measurement."""
        container = self.run("run", "-d", *arguments, quiet=False)
        try:
            yield container
        finally:
            self.run("rm", "-f", container)


def median_s(work: Callable[[], object], times: int) -> float:
    """Median seconds of work, after one run that is not counted."""
    work()
    return statistics.median(timed(work) for _ in range(times))


def heavy_s(work: Callable[[], object]) -> float:
    """Median seconds of work that moves much, after none that is not counted."""
    return statistics.median(timed(work) for _ in range(HEAVY_TIMES))


def timed(work: Callable[[], object]) -> float:
    """Seconds of one run."""
    began = time.monotonic()
    work()
    return time.monotonic() - began


def row(name: str, here: str, there: str = "", ratio: str = "", target: str = "") -> None:
    """One line of the table."""
    print(f"{name:<46} {here:>12} {there:>12} {ratio:>8}  {target}", flush=True)


def compare(name: str, here_s: float, there_s: float, target: str, amount_mib: float = 0.0) -> None:
    """A line of two times, or of two throughputs when an amount is given; ratio > 1 means faster for throughputs."""
    if amount_mib:
        row(
            name,
            f"{amount_mib / here_s:.0f} MiB/s",
            f"{amount_mib / there_s:.0f} MiB/s",
            f"{there_s / here_s:.2f}",
            target,
        )
    else:
        row(name, f"{here_s * 1000:.0f} ms", f"{there_s * 1000:.0f} ms", f"{here_s / there_s:.2f}", target)


def run_costs(ours: Engine, local: Engine, endpoint: str, directory: Path, times: int) -> None:
    """docker run, taken apart, and its AWS calls."""
    run = ("run", "--rm", IMAGE, "true")
    local_s = median_s(lambda: local.run(*run), times)
    ours.run(*run)
    cluster = re.findall(r"^SOCKERLESS_ECS_CLUSTER=(.*)$", (directory / "daemon.env").read_text(), re.MULTILINE)[0]
    made_up = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": "us-east-1"}
    ecs = boto3.client("ecs", endpoint_url=endpoint, **made_up)

    def named(name: str) -> float:
        return timed(lambda: ours.run("run", "--rm", "--name", name, IMAGE, "true"))

    runs = [bench_run.take_apart(named, ecs, cluster, directory / "daemon.log") for _ in range(times)]
    median = bench_run.medians(runs)
    compare("docker run --rm IMAGE true", median.total_s, local_s, "")
    milliseconds("  RunTask to RUNNING, by ECS's record", median.ecs_s)
    milliseconds("  without that, the process in it", statistics.median(run.beside_ecs_s for run in runs), "<= 100 ms")
    milliseconds("    the agent's start in the task", median.agent_s)
    milliseconds("    the daemon and the docker client", statistics.median(run.ours_s for run in runs), "<= 100 ms")
    milliseconds("      credentials, record, RunTask's round trip", median.request_s)
    milliseconds("      finding the agent", median.find_s)
    milliseconds("      streams and the process's start", median.process_s)
    milliseconds("  the docker client alone: docker ps", median_s(lambda: ours.run("ps"), times))
    request(f"{endpoint}/_sockerless/calls", "DELETE")
    ours.run(*run)
    calls = json.loads(request(f"{endpoint}/_sockerless/calls"))
    told = ", ".join(f"{name} {count}" for service in calls.values() for name, count in sorted(service.items()))
    row("  AWS calls of one run of a known shape", told, target="<= 2 that change anything, and the poller's")


def milliseconds(name: str, seconds: float, target: str = "") -> None:
    """A line of one time."""
    row(name, f"{seconds * 1000:.0f} ms", target=target)


def request(url: str, method: str = "GET") -> bytes:
    """An HTTP request to the simulator."""
    with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=10) as answer:  # noqa: S310
        body: bytes = answer.read()
        return body


def resident_mib(status: str) -> float:
    """Resident memory of a process, from its /proc/PID/status."""
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def of_process(pid: int) -> float:
    """Resident memory of a process of this machine."""
    return resident_mib(Path(f"/proc/{pid}/status").read_text())


def memory(ours: Engine, pid: int, containers: int) -> None:
    """The daemon's memory idle and with containers on record."""
    row("daemon resident, idle", f"{of_process(pid):.0f} MiB")
    ids = [ours.run("create", IMAGE, "true", quiet=False) for _ in range(containers)]
    ours.run("ps", "-a")
    row(f"daemon resident, {containers} containers on record", f"{of_process(pid):.0f} MiB")
    row(f"docker ps -a, {containers} containers", f"{median_s(lambda: ours.run('ps', '-a'), 5) * 1000:.0f} ms")
    ours.run("rm", *ids)


def exec_and_streams(ours: Engine, local: Engine, times: int, mib: int) -> None:
    """exec, attach and logs."""

    def exec_s(engine: Engine) -> float:
        with engine.container(*SIZE, IMAGE, "sleep", "600") as container:
            return median_s(lambda: engine.run("exec", container, "true"), times)

    compare("docker exec CONTAINER true", exec_s(ours), exec_s(local), "<= 1.0")
    text = f"head -c {mib * MIB} /dev/zero | tr '\\0' 'x' | fold -w 99"

    def attached_s(engine: Engine) -> float:
        empty = median_s(lambda: engine.run("run", "--rm", *SIZE, IMAGE, "true"), HEAVY_TIMES)
        return heavy_s(lambda: engine.run("run", "--rm", *SIZE, IMAGE, "sh", "-c", text)) - empty

    compare(f"attach, {mib} MiB in lines", attached_s(ours), attached_s(local), ">= 0.5", mib)

    def logs_s(engine: Engine) -> float:
        container = engine.run("run", "-d", *SIZE, IMAGE, "sh", "-c", text, quiet=False)
        engine.run("wait", container)
        seconds = heavy_s(lambda: engine.run("logs", container))
        engine.run("rm", container)
        return seconds

    compare(f"logs, {mib} MiB in lines", logs_s(ours), logs_s(local), ">= 0.5", mib)


def copies(ours: Engine, local: Engine, mib: int, files: int) -> None:
    """docker cp of one large file and of many small ones, each way."""
    with tempfile.TemporaryDirectory() as folder:
        large, many = Path(folder, "large"), Path(folder, "many")
        large.write_bytes(os.urandom(MIB) * mib)
        many.mkdir()
        for number in range(files):
            (many / f"{number}").write_bytes(b"%d\n" % number)

        def inward_s(engine: Engine, source: Path, container: str) -> float:
            return heavy_s(lambda: engine.run("cp", str(source), f"{container}:/tmp/{time.monotonic_ns()}"))

        def outward_s(engine: Engine, source: Path, container: str) -> float:
            engine.run("cp", str(source), f"{container}:/tmp/out")
            return heavy_s(lambda: engine.run("cp", f"{container}:/tmp/out", f"{folder}/{time.monotonic_ns()}"))

        def times_s(engine: Engine, source: Path) -> tuple[float, float]:
            with engine.container(*SIZE, IMAGE, "sleep", "600") as container:
                return inward_s(engine, source, container), outward_s(engine, source, container)

        for name, source, amount in (
            (f"cp {mib} MiB", large, float(mib)),
            (f"cp {files} files", many, 0.0),
        ):
            here, there = times_s(ours, source), times_s(local, source)
            for way, ours_s, local_s in (("in", here[0], there[0]), ("out", here[1], there[1])):
                compare(f"{name} {way}", ours_s, local_s, ">= 0.5" if amount else "<= 2.0", amount)


def ports(ours: Engine, mib: int, times: int) -> None:
    """A published port beside a direct connection to the same task."""
    script = f"mkdir /w; echo x > /w/s; head -c {mib * MIB} /dev/zero > /w/l; exec httpd -f -p 80 -h /w"
    with ours.container(*SIZE, "-p", "127.0.0.1::80", IMAGE, "sh", "-c", script) as container:
        port = int(ours.run("port", container, "80", quiet=False).rpartition(":")[2])
        address = ours.run("inspect", "-f", "{{.NetworkSettings.IPAddress}}", container, quiet=False)
        deadline = time.monotonic() + 60
        while not answers(address):
            if time.monotonic() > deadline:
                raise SystemExit(f"the web server at {address} did not answer within a minute")
            time.sleep(0.2)
        whole = mib * MIB
        tunnel = statistics.median(first_byte_s("127.0.0.1", port) for _ in range(times * 5))
        direct = statistics.median(first_byte_s(address, 80) for _ in range(times * 5))
        row("port: first byte, over a direct one", f"+{(tunnel - direct) * 1000:.1f} ms", target="<= +3 ms")
        tunnel, direct = heavy_s(lambda: fetch("127.0.0.1", port, whole)), heavy_s(lambda: fetch(address, 80, whole))
        row(
            f"port: {mib} MiB (beside: direct)", f"{mib / tunnel:.0f} MiB/s", f"{mib / direct:.0f} MiB/s",
            f"{direct / tunnel:.2f}", ">= 0.3",
        )  # fmt: skip


def answers(address: str) -> bool:
    """Whether the web server in the task is there."""
    try:
        first_byte_s(address, 80)
    except OSError:
        return False
    return True


@contextmanager
def asked(host: str, port: int, path: str) -> Iterator[socket.socket]:
    """A connection on which an HTTP request was sent."""
    with socket.create_connection((host, port), 10) as connection:
        connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
        yield connection


def first_byte_s(host: str, port: int) -> float:
    """Seconds from the connection's start to an answer's first byte; the rest is read, too, as a client does."""
    began = time.monotonic()
    with asked(host, port, "/s") as connection:
        if not connection.recv(1):
            raise ConnectionResetError("no answer")
        seconds = time.monotonic() - began
        while connection.recv(MIB):
            pass
        return seconds


def fetch(host: str, port: int, expected: int) -> None:
    """The large answer, which must have this many bytes and its head."""
    received = 0
    with asked(host, port, "/l") as connection:
        while data := connection.recv(MIB):
            received += len(data)
    if received < expected:
        raise SystemExit(f"{host}:{port} sent {received} bytes of {expected}")


def agent(ours: Engine, log: Path, times: int) -> None:
    """The agent's memory, and how long a process takes once its agent is there."""
    with ours.container(IMAGE, "sleep", "600") as container:
        status = ours.run("exec", container, "cat", "/proc/1/status", quiet=False)  # PID 1 is the agent
        row("agent resident, idle", f"{resident_mib(status):.0f} MiB", target="<= 30 MiB")
    process = [float(found) for found in PROCESS.findall(log.read_text())[-times:]]
    row("process start after `start`", f"{statistics.median(process) * 1000:.0f} ms", target="<= 150 ms")


def many_at_once(ours: Engine, local: Engine, count: int) -> None:
    """count runs started together."""

    def together(engine: Engine) -> None:
        threads = [threading.Thread(target=engine.run, args=("run", "--rm", IMAGE, "true")) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    compare(f"{count} x docker run --rm at once", timed(lambda: together(ours)), timed(lambda: together(local)), "")


@contextmanager
def deployment(engine: str) -> Iterator[tuple[Engine, str, Path]]:
    """A deployment of its own: (its docker, the simulator's URL, the daemon's directory)."""
    with tempfile.TemporaryDirectory(prefix="sockerless-") as name:
        with socket.socket() as plug:
            plug.bind(("127.0.0.1", 0))
            endpoint = f"http://127.0.0.1:{plug.getsockname()[1]}"
        kit = [sys.executable, "-m", "sockerless.kit"]
        try:
            for command in (("init", "--simulator", "--endpoint-url", endpoint, "--yes"), ("up", "--detach", "--yes")):
                subprocess.run([*kit, *command], cwd=name, check=True, stdout=subprocess.DEVNULL)
            ours = Engine(f"unix://{name}/.sockerless/docker.sock")
            archive = subprocess.run(
                ["docker", "--host", engine, "save", IMAGE], check=True, capture_output=True
            ).stdout
            with tempfile.TemporaryFile() as saved:
                saved.write(archive)
                saved.seek(0)
                ours.run("load", stdin=saved)
            yield ours, endpoint, Path(name, ".sockerless")
        finally:
            subprocess.run([*kit, "down"], cwd=name, check=False, stdout=subprocess.DEVNULL)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--engine", required=True, help="the local engine, unix://PATH")
    parser.add_argument("--quick", action="store_true", help="smaller amounts")
    arguments = parser.parse_args()
    times, mib, files, containers = (3, 20, 500, 20) if arguments.quick else (9, 200, 10_000, 200)
    local = Engine(arguments.engine)
    subprocess.run([ROOT / "scripts/build-image", IMAGE, arguments.engine], check=True)
    with deployment(arguments.engine) as (ours, endpoint, directory):
        log, pid = directory / "daemon.log", json.loads((directory / "daemon.pid").read_text())["pid"]
        row("", "here", "local", "ratio", "target")
        memory(ours, pid, containers)
        run_costs(ours, local, endpoint, directory, times)
        many_at_once(ours, local, 10)
        agent(ours, log, times)
        exec_and_streams(ours, local, times, mib)
        copies(ours, local, mib, files)
        ports(ours, mib * 5, times)
        row("daemon resident, after all this", f"{of_process(pid):.0f} MiB")
    local.run("image", "rm", "-f", IMAGE)


if __name__ == "__main__":
    main()
