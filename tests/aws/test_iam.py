"""What a principal's policies would decide, as IAM tells it: in the XML of its query protocol, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from urllib.parse import parse_qs

import pytest

from sockerless.aws import iam
from sockerless.aws.session import Aws
from tests.aws.conftest import config_for

PAGE = """<SimulatePrincipalPolicyResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
<SimulatePrincipalPolicyResult><IsTruncated>{truncated}</IsTruncated>{marker}<EvaluationResults>{members}
</EvaluationResults></SimulatePrincipalPolicyResult></SimulatePrincipalPolicyResponse>"""
MEMBER = (
    "<member><EvalActionName>{0}</EvalActionName><EvalResourceName>{1}</EvalResourceName>"
    "<EvalDecision>{2}</EvalDecision></member>"
)


def page(*results: tuple[str, str, str], marker: str = "") -> str:
    return PAGE.format(
        truncated="true" if marker else "false",
        marker=f"<Marker>{marker}</Marker>" if marker else "",
        members="".join(MEMBER.format(*result) for result in results),
    )


@pytest.fixture
def asked() -> list[dict[str, list[str]]]:
    return []


@pytest.fixture
def paged(asked: list[dict[str, list[str]]]) -> Iterator[Aws]:
    """An IAM that answers in two pages."""
    pages = iter(
        [
            page(("ecs:A", "x", "allowed"), ("ecs:B", "x", "implicitDeny"), marker="next"),
            page(("ecs:B", "y", "explicitDeny"), ("ecs:C", "y", "explicitDeny")),
        ]
    )

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()))
            body = next(pages).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    aws = Aws(config_for(f"http://127.0.0.1:{server.server_port}"))
    yield aws
    aws.close()
    server.shutdown()
    server.server_close()


async def test_every_page_counts_and_an_action_is_named_once(paged: Aws, asked: list[dict[str, list[str]]]) -> None:
    source = "arn:aws:iam::123456789012:user/x"
    assert await iam.denied(paged, source, ["ecs:A", "ecs:B", "ecs:C"], ["x", "y"], []) == ["ecs:B", "ecs:C"]
    assert [one.get("Marker") for one in asked] == [None, ["next"]]
    assert asked[1]["ResourceArns.member.2"] == ["y"]


async def test_a_user_is_the_source_of_its_own_policies(paged: Aws) -> None:
    for arn in ("arn:aws:iam::123456789012:user/a/b", "arn:aws:iam::123456789012:root"):
        assert await iam.policy_source(paged, arn) == arn
