"""A door to the daemon for clients that insist on volumes: it leaves the volumes out of what they ask.

Volumes are not built yet. What such a client does with the rest of the API can be shown all the same: its list of
volumes is empty, and the mounts of type volume are taken out of the containers it creates.
"""

from __future__ import annotations

import json
import re
import socket
import socketserver
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HEAD_END = b"\r\n\r\n"
NO_VOLUMES = b'{"Volumes":[],"Warnings":null}\n'


class OneRequest(socketserver.StreamRequestHandler):
    """One request a connection: answered here, or passed on with its head (and a create's body) rewritten."""

    def handle(self) -> None:
        head = b""
        while not head.endswith(HEAD_END):
            line = self.rfile.readline()
            if not line:
                return
            head += line
        method, path = head.decode("latin-1").split(" ", 2)[:2]
        if (method, path.rpartition("/")[2]) == ("GET", "volumes"):
            answer = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(NO_VOLUMES)}\r\n"
            self.wfile.write(answer.encode() + b"Connection: close\r\n\r\n" + NO_VOLUMES)
            return
        if b"\r\nupgrade:" not in head.lower():
            head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
        if "/containers/create" in path:
            head, body = self._without_mounts(head)
            head += body
        self._pass_on(head)

    def _without_mounts(self, head: bytes) -> tuple[bytes, bytes]:
        length = re.search(rb"\r\nContent-Length: (\d+)", head)
        assert length is not None
        asked = json.loads(self.rfile.read(int(length[1])))
        mounts = asked["HostConfig"]["Mounts"] or []
        asked["HostConfig"]["Mounts"] = [mount for mount in mounts if mount["Type"] != "volume"]
        body = json.dumps(asked).encode()
        return head.replace(length[0], b"\r\nContent-Length: %d" % len(body)), body

    def _pass_on(self, begun: bytes) -> None:
        with socket.socket(socket.AF_UNIX) as daemon:
            daemon.connect(self.server.daemon_path)  # type: ignore[attr-defined]  # Door's
            daemon.sendall(begun)
            upward = threading.Thread(target=_copy, args=(self.rfile.read1, daemon), daemon=True)
            upward.start()
            _copy(daemon.recv, self.connection)
            self.connection.shutdown(socket.SHUT_RD)
            upward.join()


class Door(socketserver.ThreadingUnixStreamServer):
    """Listens at a path; daemon_path is where the daemon does."""

    daemon_threads = True
    request_queue_size = 64
    daemon_path = ""


def _copy(receive: object, target: socket.socket) -> None:
    try:
        while data := receive(65536):  # type: ignore[operator]  # recv or read1
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        return


@contextmanager
def without_volumes(docker_host: str) -> Iterator[str]:
    """The address of a door to the daemon at docker_host."""
    with tempfile.TemporaryDirectory(prefix="door-") as directory:
        path = Path(directory) / "docker.sock"
        with Door(str(path), OneRequest) as door:
            door.daemon_path = docker_host.removeprefix("unix://")
            threading.Thread(target=door.serve_forever, daemon=True).start()
            yield f"unix://{path}"
            door.shutdown()
