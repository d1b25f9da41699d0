"""A server that answers every request the same: a daemon that is in trouble, an AWS whose clock is ahead."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from pathlib import Path


class _Unix(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


class _Tcp(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True


@contextmanager
def answering(where: Path | None, answers: Mapping[str, tuple[int, bytes]], date: str = "") -> Iterator[str]:
    """Serves on the socket `where`, or on a free TCP port; where clients find it.

    answers: status and body by path, whatever the method; 404 for others. date: the Date header, today's when "".
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body = answers.get(self.path, (404, b'{"message":"page not found"}'))
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.do_GET()

        def address_string(self) -> str:
            return "peer"

        def date_time_string(self, timestamp: float | None = None) -> str:
            return date or super().date_time_string(timestamp)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = _Unix(str(where), Handler) if where else _Tcp(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"unix://{where}" if where else f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
