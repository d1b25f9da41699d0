"""An account whose Fargate quota is 0, as new ones may be: one clear sentence from doctor and from docker."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from tests.conftest import Deployed

pytestmark = [pytest.mark.engine, pytest.mark.terraform]
SENTENCE = "You’ve reached the limit on the number of vCPUs you can run concurrently"  # noqa: RUF001 - AWS's own words


@pytest.fixture
def without_quota(deployment: Deployed) -> Iterator[Deployed]:
    """The shared deployment while no vCPU is granted on demand."""
    url = f"{deployment.endpoint_url}/_sockerless/quotas"
    urllib.request.urlopen(urllib.request.Request(url, b'{"L-3032A538": 0}', method="PUT")).close()  # noqa: S310
    yield deployment
    urllib.request.urlopen(urllib.request.Request(url, method="DELETE")).close()  # noqa: S310


def test_doctor_names_the_quota_and_the_command_that_asks_for_more(without_quota: Deployed) -> None:
    done = without_quota.kit("doctor")
    told = done.stdout.decode() + done.stderr.decode()
    assert done.returncode == 1
    assert "missing   Fargate on-demand vCPU quota: 0 vCPU, 0 containers of the default size at a time\n" in told, told
    assert "--service-code fargate --quota-code L-3032A538 --desired-value 64`" in told
    assert told.count("missing ") == 1, told


def test_docker_run_says_why_nothing_starts_and_whom_to_ask(without_quota: Deployed, image: str) -> None:
    done = without_quota.docker("run", "--rm", image, "true")
    assert done.returncode == 125
    assert SENTENCE in done.stderr.decode()
    assert "ask AWS to raise quota L-3032A538" in done.stderr.decode()
