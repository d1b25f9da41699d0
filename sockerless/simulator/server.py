"""The simulated AWS as a process: one port, one engine, everything cleaned up at the end.

Source of the parts: moto 5.2 (control plane), werkzeug (threaded HTTP/1.1 server). Never reads DOCKER_HOST, which
may name a daemon whose containers run here.
"""

from __future__ import annotations

import gc
import signal
import time
from pathlib import Path
from threading import Condition, Event, Lock, RLock, Thread
from types import FrameType

from moto.core.base_backend import BackendDict
from moto.iam import models as iam_models
from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from sockerless.errors import Conflict
from sockerless.simulator import (
    client_tokens,
    ec2_actions,
    ecr_actions,
    ecr_cache,
    ecs_actions,
    efs_actions,
    event_delivery,
    gate,
    iam_s3,
    iam_simulation,
    logs_actions,
    network_actions,
    quotas_actions,
    s3_actions,
    sqs_actions,
    sts_actions,
    tagging_actions,
)
from sockerless.simulator.admin import AdminApplication
from sockerless.simulator.blobs import Blobs
from sockerless.simulator.calls import Calls
from sockerless.simulator.definitions import Definitions
from sockerless.simulator.ecr_cache import CacheRecords
from sockerless.simulator.ecs_tasks import TaskService
from sockerless.simulator.engine import Engine
from sockerless.simulator.fargate import Fargate
from sockerless.simulator.faults import Faults
from sockerless.simulator.front import Front
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.iam_gate import authorise
from sockerless.simulator.iam_principals import ROOT_ACCESS_KEY_ID
from sockerless.simulator.iam_targets import Call
from sockerless.simulator.images import Images
from sockerless.simulator.options import DEFAULT_ENGINE, DEFAULT_PORT, SimulatorOptions
from sockerless.simulator.pull_through import PullThrough
from sockerless.simulator.quotas import Quotas
from sockerless.simulator.registry import RegistryApplication
from sockerless.simulator.repositories import Repositories
from sockerless.simulator.throttle import Throttle
from sockerless.simulator.tokens import USER, Tokens
from sockerless.simulator.upstream import Upstreams

DEFAULT_STATE_DIR = Path("~/.local/state/sockerless/simulator")
_one_at_a_time = Lock()
"""moto's records are global to the process, so a process runs one simulator at a time."""


class _Handler(MotoRequestHandler):
    """Sends an answer's head and body together, and says nothing of each request.

    Unbuffered, they go one after the other, and Go's client sometimes hangs up in between when told that the connection
    closes: terraform then sends the request again, and what it made is there already.
    """

    wbufsize = 64 * 1024

    def handle_expect_100(self) -> bool:
        """Lets the client go on with its body at once."""
        going_on = super().handle_expect_100()
        self.wfile.flush()
        return going_on

    def log(self, type: str, message: str, *arguments: object) -> None:
        """Nothing: /_sockerless/calls has the counts."""


class Simulator:
    """A simulated AWS in this process. start() and stop() once each; port 0 picks a free one."""

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = DEFAULT_PORT,
        engine: str = DEFAULT_ENGINE,
        state_dir: Path = DEFAULT_STATE_DIR,
        options: SimulatorOptions | None = None,
    ) -> None:
        self.options = options or SimulatorOptions()
        self.calls, self.faults = Calls(), Faults()
        self._address = (host, port)
        self.state_dir = state_dir.expanduser().absolute()
        self._lock = RLock()
        self._ending = Event()
        self.engine = Engine(engine)
        self._hooks = Hooks()
        self._server: BaseWSGIServer | None = None
        self._fargate: Fargate
        self._tasks: TaskService
        self._blobs: Blobs

    @property
    def port(self) -> int:
        """The port served, once started."""
        if self._server is None:
            raise Conflict("the simulator is not started")
        return int(self._server.server_port)

    @property
    def endpoint_url(self) -> str:
        """What AWS clients take as endpoint_url."""
        return f"http://{self.registry}"

    @property
    def registry(self) -> str:
        """host:port of the ECR data plane, as clients and the engine on this machine reach it."""
        host = self._address[0] if self._address[0] not in {"0.0.0.0", "::", ""} else "127.0.0.1"  # noqa: S104
        return f"{host}:{self.port}"

    def start(self) -> None:
        """Serves from the return of this call on. Conflict when another simulator runs in this process; OSError
        when the port is taken."""
        if not _one_at_a_time.acquire(blocking=False):
            raise Conflict("another simulator runs in this process")
        try:
            self._start()
        except BaseException:
            self._hooks.restore()
            _one_at_a_time.release()
            raise

    def _start(self) -> None:
        self.state_dir.mkdir(parents=True, exist_ok=True)
        host, port = self._address
        self._server = make_server(host, port, _not_ready, threaded=True, request_handler=_Handler)
        self._server.app = self._assemble()
        Thread(target=self._server.serve_forever, name="simulator", daemon=True).start()
        Thread(target=self._fargate.warm_up, name="warm-up", daemon=True).start()

    def _assemble(self) -> Front:
        blobs, tokens = Blobs(self.state_dir / "ecr"), Tokens()
        repositories = Repositories(self.options.account_id, self.options.region)
        records, upstreams = CacheRecords(), Upstreams(dict(self.options.upstreams))
        cache = PullThrough(self.options.account_id, records, repositories, blobs, upstreams, self._lock)
        images = self._images(repositories, cache, tokens)
        fargate = Fargate(self.engine, images, self.state_dir, self.options, self._lock)
        blobs.clear()
        fargate.volumes.clear()
        quotas = Quotas()
        throttle = Throttle(time.monotonic) if self.options.throttle else None
        self._fargate, self._tasks, self._blobs = fargate, TaskService(fargate, self.faults, throttle, quotas), blobs
        self._hooks.replace(iam_models, "load_iam_aws_managed_policies", lambda: True)
        enforce_iam = self.options.enforce_iam
        client_tokens.install(self._hooks)
        gate.install(self._hooks, self.options.account_id, self.calls, self.faults, throttle, enforce_iam)
        if enforce_iam:
            iam_s3.install(self._hooks)
        s3_actions.install(self._hooks, self.calls, self.faults)
        ecs_actions.install(self._hooks, self._tasks, Definitions(self.registry))
        ecr_actions.install(self._hooks, tokens, blobs, self.registry)
        ecr_cache.install(self._hooks, records)
        ec2_actions.install(self._hooks)
        network_actions.install(self._hooks)
        efs_actions.install(self._hooks, fargate.volumes)
        logs_actions.install(self._hooks)
        tagging_actions.install(self._hooks)
        iam_simulation.install(self._hooks)
        sts_actions.install(self._hooks)
        event_delivery.install(self._hooks)
        quotas_actions.install(self._hooks, quotas)
        sqs_actions.install(self._hooks, Condition(self._lock), self._ending)
        return Front(
            RegistryApplication(repositories, blobs, tokens, cache, self._lock, self._refuse if enforce_iam else None),
            AdminApplication(fargate, self._tasks, self.calls, self.faults, upstreams, quotas, self._lock),
            self._lock,
        )

    def _refuse(self, access_key_id: str, operation: str, repository: str) -> str | None:
        call = Call("ecr", operation, {"repositoryName": repository}, self.options.account_id, self.options.region)
        denial = authorise(call, access_key_id, None)
        return denial.message if denial else None

    def _images(self, repositories: Repositories, cache: PullThrough, tokens: Tokens) -> Images:
        def credentials() -> tuple[str, str]:
            return USER, tokens.issue(self.options.account_id, ROOT_ACCESS_KEY_ID)[0]

        def resolve(name: str, reference: str) -> str | None:
            cache.bring_manifest(name, reference)
            with self._lock:
                return repositories.resolve(name, reference)

        return Images(self.engine, self.registry, resolve, credentials, self.faults, cache.operations)

    def stop(self) -> None:
        """Ends every task, removes everything made in the engine and forgets the simulated account."""
        if self._server is None:
            return
        self._ending.set()
        self._server.shutdown()
        self._server.server_close()
        with self._lock:
            self._tasks.shut_down()
        self._fargate.end_containers()
        for runner in self._tasks.runners():
            runner.join()
        self._fargate.close()
        self._blobs.clear()
        self._hooks.restore()
        BackendDict.reset()
        self._server = None
        _one_at_a_time.release()


def _not_ready(environ: object, start_response: object) -> list[bytes]:
    raise Conflict("the simulator is starting")


_GC_THRESHOLD = (50_000, 20, 20)
"""Log events come by the million and hold no circles: Python's own threshold looks through them 70 times as often."""


def serve(
    host: str = "127.0.0.1",
    port: int = DEFAULT_PORT,
    engine: str = DEFAULT_ENGINE,
    state_dir: Path = DEFAULT_STATE_DIR,
    options: SimulatorOptions | None = None,
) -> None:
    """Serves in the foreground until SIGINT or SIGTERM, then cleans up. OSError when the port is taken."""
    ended = Event()

    def end(number: int, frame: FrameType | None) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    simulator = Simulator(host, port, engine, state_dir, options)
    simulator.start()
    gc.freeze()
    gc.set_threshold(*_GC_THRESHOLD)
    ended.wait()
    simulator.stop()
