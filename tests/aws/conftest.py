"""Two AWSs to test against: moto's, and one that answers what a test tells it to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from sockerless import config
from sockerless.aws.session import Aws

REGION = "eu-central-1"


def config_for(endpoint_url: str, **more: str) -> config.Config:
    """A daemon's configuration that points at this endpoint (empty: AWS itself)."""
    return config.load(
        {
            "AWS_REGION": REGION,
            "SOCKERLESS_ECS_SUBNETS": "subnet-0a",
            "SOCKERLESS_ECS_EXECUTION_ROLE_ARN": "arn:aws:iam::123456789012:role/execution",
            "SOCKERLESS_ENDPOINT_URL": endpoint_url,
            **more,
        }
    )


@dataclass(frozen=True)
class Asked:
    """One request as it arrived: AWS's operation name, the decoded JSON body, the headers in lower case."""

    operation: str
    parameters: dict[str, Any]
    headers: dict[str, str]


@dataclass
class ScriptedAws:
    """An AWS endpoint of the JSON protocol that gives prepared answers in order and keeps what it was asked."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)

    def answers(self, **body: Any) -> None:
        """Prepares a success with this body."""
        self._answers.append((200, body))

    def refuses(self, code: str, message: str, status: int = 400, **fields: Any) -> None:
        """Prepares AWS's JSON form of an error."""
        self._answers.append((status, {"__type": f"com.amazonaws.ecs#{code}", "message": message, **fields}))

    def answer(self, asked: Asked) -> tuple[int, dict[str, Any]]:
        """Takes a request and hands out the next answer."""
        self.asked.append(asked)
        if not self._answers:
            return 400, {"__type": "NothingPrepared", "message": f"no answer was prepared for {asked.operation}"}
        return self._answers.pop(0)


def _handler(script: ScriptedAws) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            operation = headers["x-amz-target"].rpartition(".")[2]
            status, body = script.answer(Asked(operation, json.loads(text), headers))
            encoded = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        def log_message(self, format: str, *args: Any) -> None:
            """Stays quiet."""

    return Handler


class _Server(ThreadingHTTPServer):
    request_queue_size = 64


@pytest.fixture
def script() -> Iterator[ScriptedAws]:
    scripted = ScriptedAws()
    server = _Server(("127.0.0.1", 0), _handler(scripted))
    scripted.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield scripted
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def open_at() -> Iterator[Callable[..., Aws]]:
    """Opens the room's door at an endpoint, with quick retries; closed after the test."""
    opened: list[Aws] = []

    def open_(endpoint_url: str, *, attempts: int = 3, **more: str) -> Aws:
        opened.append(Aws(config_for(endpoint_url, **more), attempts=attempts, first_backoff_s=0.01))
        return opened[-1]

    yield open_
    for aws in opened:
        aws.close()


@pytest.fixture
def scripted_aws(script: ScriptedAws, open_at: Callable[..., Aws]) -> Aws:
    return open_at(script.url)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def aws(moto_url: str, open_at: Callable[..., Aws]) -> Aws:
    return open_at(moto_url)
