"""How answers leave the simulated AWS, byte by byte: what Go's HTTP client needs so that it loses none."""

from __future__ import annotations

import socket

from sockerless.simulator.server import Simulator

BODY = b"Action=DescribeVpcs&Version=2016-11-15"
HEAD = (
    b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, "
    b"Signature=0\r\nContent-Length: %d\r\n" % len(BODY)
)


def connected(simulator: Simulator) -> socket.socket:
    """A new connection to the simulator."""
    return socket.create_connection(("127.0.0.1", simulator.port), timeout=30)


def test_head_and_body_of_an_answer_arrive_together(simulator: Simulator) -> None:
    for _ in range(20):
        with connected(simulator) as client:
            client.sendall(HEAD + b"\r\n" + BODY)
            first = client.recv(1_000_000)
        assert first.startswith(b"HTTP/1.1 200 ")
        assert first.rstrip().endswith(b"</DescribeVpcsResponse>")


def test_a_client_that_waits_for_leave_to_send_its_body_gets_it(simulator: Simulator) -> None:
    with connected(simulator) as client:
        client.sendall(HEAD + b"Expect: 100-continue\r\n\r\n")
        assert client.recv(1_000).startswith(b"HTTP/1.1 100 ")
        client.sendall(BODY)
        answer = b"".join(iter(lambda: client.recv(1_000_000), b""))
    assert b"</DescribeVpcsResponse>" in answer
