"""The option matrix against the simulated AWS: applied, planned empty, destroyed without a rest; two at a time.

The deployments live side by side in one simulated account, as those of several teams do.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sockerless.kit import backend, state
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator
from tests.simulator.conftest import Account
from tests.simulator.remains import remains
from tests.templates.directory import Directory
from tests.templates.matrix import BUCKET, MATRIX, settings_of

pytestmark = [pytest.mark.terraform, pytest.mark.slow, pytest.mark.timeout(1200)]
AT_A_TIME = 2


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """A simulated AWS in which only terraform works."""
    options = SimulatorOptions(throttle=False, spare_interfaces=0)
    running = Simulator(port=0, state_dir=tmp_path_factory.mktemp("simulator"), options=options)
    running.start()
    yield Account(running.endpoint_url)
    running.stop()


@pytest.fixture(scope="module")
def existing(account: Account) -> dict[str, Any]:
    """The VPC of somebody else, with a subnet in each of two zones."""
    ec2 = account.client("ec2")
    vpc_id = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc_id, EnableDnsHostnames={"Value": True})
    zones = ("us-east-1a", "us-east-1b")
    subnets = [
        ec2.create_subnet(VpcId=vpc_id, CidrBlock=f"10.9.{number}.0/24", AvailabilityZone=zone)["Subnet"]
        for number, zone in enumerate(zones)
    ]
    return {"vpc_id": vpc_id, "subnet_ids": [subnet["SubnetId"] for subnet in subnets]}


@pytest.fixture(scope="module")
def before(account: Account, existing: dict[str, Any]) -> dict[str, list[str]]:
    """What the account held before the first deployment."""
    return remains(account)


@pytest.fixture(scope="module")
def cycles(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    account: Account,
    existing: dict[str, Any],
    before: dict[str, list[str]],
) -> Iterator[dict[str, Future[dict[str, Any]]]]:
    """What becomes of each case that is to be tested, by its name."""
    asked = [item.callspec.params["case"] for item in request.session.items if is_case(item, request.module)]
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        yield {
            case: pool.submit(cycle, tmp_path_factory.mktemp(case), account, settings_of(case, existing))
            for case in asked
        }
        pool.shutdown(cancel_futures=True)


def is_case(item: Any, module: Any) -> bool:
    """Whether this test of the session is one of this module's cases."""
    return item.module is module and hasattr(item, "callspec") and "case" in item.callspec.params


def cycle(path: Path, account: Account, settings: dict[str, Any]) -> dict[str, Any]:
    """Applies, plans again, destroys; the outputs' values in between. Fails when the second plan is not empty."""
    directory = Directory(path, account.endpoint_url)
    here = directory.render(**settings)
    if (wanted := state.wanted(here)) is not None:
        backend.create_bucket(here, wanted)
    directory.init()
    directory.apply()
    found = directory.outputs()
    directory.destroy()
    return found


@pytest.mark.parametrize("case", MATRIX)
def test_it_is_applied_planned_empty_and_destroyed(cycles: dict[str, Future[dict[str, Any]]], case: str) -> None:
    outputs, settings = cycles[case].result(), MATRIX[case]
    network = settings.get("network", "nat")
    assert outputs["cluster_name"] == case
    assert bool(outputs["kms_key_arn"]) == (settings.get("encryption") != "aws")
    assert outputs["assign_public_ip"] == (network == "public")
    assert bool(outputs["interface_endpoints"]) == (network == "private")
    assert len(outputs["task_subnet_ids"]) == 2


def test_nothing_is_left_but_what_was_there(
    cycles: dict[str, Future[dict[str, Any]]], account: Account, before: dict[str, list[str]]
) -> None:
    assert [case for case, done in cycles.items() if done.exception() is not None] == []
    assert remains(account) == before


def test_states_in_s3_tell_of_nothing_and_hold_no_lock(
    cycles: dict[str, Future[dict[str, Any]]], account: Account
) -> None:
    in_s3 = {f"{case}/terraform.tfstate" for case in cycles if MATRIX[case].get("state") == "s3"}
    assert [case for case, done in cycles.items() if done.exception() is not None] == []
    listed = account.client("s3").list_objects_v2(Bucket=BUCKET) if in_s3 else {}
    assert {one["Key"] for one in listed.get("Contents", [])} == in_s3
