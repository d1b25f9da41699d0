"""What doctor asks of an account, against the simulated AWS: what is there, what is missing, what cannot be asked."""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, TypeVar

import boto3
import pytest
from click.testing import CliRunner

from sockerless.aws.session import Aws
from sockerless.aws.sts import Identity
from sockerless.kit import account, doctor_account, doctor_permissions, iam_deployer
from sockerless.kit import project as settings
from sockerless.kit.account import Account
from sockerless.kit.cli import cli
from sockerless.kit.finding import Finding
from sockerless.kit.iam_scope import Scope
from sockerless.kit.project import Project
from sockerless.simulator.options import SimulatorOptions
from sockerless.simulator.server import Simulator
from sockerless.types import SimulatorCredentials
from tests.conftest import free_port
from tests.kit.answering import answering

REGION = "us-east-1"
ON_DEMAND, SPOT = "L-3032A538", "L-36FBB829"
T = TypeVar("T")


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Simulator]:
    """A simulated AWS in this process that holds callers to their policies."""
    options = SimulatorOptions(throttle=False, enforce_iam=True)
    running = Simulator(port=0, state_dir=tmp_path_factory.mktemp("simulator"), options=options)
    running.start()
    yield running
    running.stop()


@pytest.fixture
def where(simulator: Simulator) -> Account:
    """The simulated account, as its root."""
    return Account(REGION, simulator.endpoint_url)


def here(simulator: Simulator, directory: Path = Path("/nowhere"), **values: Any) -> Project:
    return settings.from_mapping(
        directory, {"target": "simulator", "endpoint_url": simulator.endpoint_url, "region": REGION, **values}
    )


def client(simulator: Simulator, service: str) -> Any:
    keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
    return boto3.client(service, endpoint_url=simulator.endpoint_url, region_name=REGION, **keys)


def grant(simulator: Simulator, **vcpus: float) -> None:
    """Sets quotas by their codes, L-… written as L_…."""
    body = json.dumps({code.replace("_", "-"): value for code, value in vcpus.items()}).encode()
    request = urllib.request.Request(f"{simulator.endpoint_url}/_sockerless/quotas", body, method="PUT")  # noqa: S310
    urllib.request.urlopen(request).close()  # noqa: S310


@pytest.fixture
def quotas(simulator: Simulator) -> Iterator[Callable[..., None]]:
    """A function that grants quotas; the usual ones hold again afterwards."""
    yield lambda **vcpus: grant(simulator, **vcpus)
    grant(simulator, L_3032A538=1000, L_36FBB829=1000)


def with_aws(where: Account, ask: Callable[[Aws], Awaitable[T]]) -> T:
    async def asked() -> T:
        async with account.opened(where) as aws:
            return await ask(aws)

    return asyncio.run(asked())


# region


@pytest.mark.parametrize(
    ("region", "words"),
    [
        ("eu-centrall-1", "AWS has no region eu-centrall-1 with ECS; did you mean eu-central-1?"),
        ("xx-nowhere-1", "AWS has no region xx-nowhere-1 with ECS"),
    ],
)
def test_a_region_that_is_none_is_missing_and_nothing_further_is_asked(region: str, words: str) -> None:
    (found,) = doctor_account.examine(Account(region, f"http://127.0.0.1:{free_port()}"), None)
    assert (found.ok, found.required) == (False, True)
    assert found.detail.startswith(words)


def test_a_region_that_is_one_is_ok(where: Account, simulator: Simulator) -> None:
    assert asyncio.run(doctor_account.region(where, here(simulator))) == Finding("region", True, REGION)


# clock


@pytest.mark.parametrize(
    ("ahead_s", "ok", "words"),
    [
        (0, True, " AWS's"),
        (-200, True, "200 s behind AWS's"),
        (3600, False, "3600 s ahead of AWS's: AWS refuses signatures beyond 300 s"),
        (-3600, False, "3600 s behind AWS's: AWS refuses signatures beyond 300 s"),
    ],
)
def test_the_clock_is_compared_with_aws_s(ahead_s: int, ok: bool, words: str) -> None:
    theirs = format_datetime(datetime.now(UTC) - timedelta(seconds=ahead_s), usegmt=True)
    with answering(None, {"/": (200, b"<html>no answer of an operation</html>")}, date=theirs) as url:
        found = asyncio.run(doctor_account.clock_skew(Account(REGION, url)))
    assert (found.ok, found.required) == (ok, True)
    seconds = int(found.detail.partition(" ")[0])
    assert abs(seconds - abs(ahead_s)) <= 2
    assert found.detail.partition(" ")[2].endswith(words.partition(" ")[2])


def test_a_clock_that_cannot_be_asked_is_told_and_no_reason_to_stop() -> None:
    found = asyncio.run(doctor_account.clock_skew(Account(REGION, f"http://127.0.0.1:{free_port()}")))
    assert (found.ok, found.required) == (False, False)
    assert found.detail.startswith("could not be asked: sts:GetCallerIdentity failed: Could not connect")


# quotas


def test_a_quota_of_zero_is_missing_with_the_command_that_asks_for_more(
    simulator: Simulator, where: Account, quotas: Callable[..., None]
) -> None:
    quotas(L_3032A538=0)
    found = with_aws(where, lambda aws: doctor_account.vcpus(aws, here(simulator), spot=False))
    assert found is not None
    assert (found.ok, found.required) == (False, True)
    assert found.detail == "0 vCPU, 0 containers of the default size at a time"
    assert f"--region {REGION} --service-code fargate --quota-code {ON_DEMAND}" in found.fix


def test_a_quota_below_one_container_of_the_default_size_is_missing(
    simulator: Simulator, where: Account, quotas: Callable[..., None]
) -> None:
    quotas(L_3032A538=1)
    large = here(simulator, default_cpu_units=2048, default_memory_mib=4096)
    found = with_aws(where, lambda aws: doctor_account.vcpus(aws, large, spot=False))
    assert found is not None
    assert not found.ok


def test_a_quota_tells_how_many_containers_it_is_and_whether_the_alarm_can_ring(
    simulator: Simulator, where: Account, quotas: Callable[..., None]
) -> None:
    quotas(L_3032A538=6)
    told = [
        with_aws(where, lambda aws, wanted=wanted: doctor_account.vcpus(aws, here(simulator, **wanted), spot=False))
        for wanted in ({}, {"task_quota": 20}, {"alarms": False})
    ]
    details = [found.detail for found in told if found is not None and found.ok]
    assert details == [
        "6 vCPU, 24 containers of the default size at a time; the alarm on task_quota = 100 would not ring before",
        "6 vCPU, 24 containers of the default size at a time",
        "6 vCPU, 24 containers of the default size at a time",
    ]


@pytest.mark.parametrize(
    ("weights", "asked"),
    [
        ({}, (True, False)),
        ({"spot_weight": 1}, (True, True)),
        ({"fargate_weight": 0, "spot_weight": 1}, (False, True)),
    ],
)
def test_only_the_quotas_that_tasks_count_against_are_asked(
    simulator: Simulator, where: Account, weights: dict[str, int], asked: tuple[bool, bool]
) -> None:
    project = here(simulator, **weights)
    found = [
        with_aws(where, lambda aws, spot=spot: doctor_account.vcpus(aws, project, spot=spot)) for spot in (False, True)
    ]
    assert tuple(one is not None for one in found) == asked


# addresses


def made_subnet(simulator: Simulator, cidr: str) -> str:
    ec2 = client(simulator, "ec2")
    vpc = ec2.create_vpc(CidrBlock="10.40.0.0/16")["Vpc"]["VpcId"]
    return str(ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"{REGION}a")["Subnet"]["SubnetId"])


def addresses(simulator: Simulator, where: Account, directory: Path, *subnets: str) -> Finding | None:
    project = here(simulator, directory, network="existing", vpc_id="vpc-01234567", subnet_ids=subnets)
    return with_aws(where, lambda aws: doctor_account.addresses(aws, project))


def test_free_addresses_are_told_by_subnet(simulator: Simulator, where: Account, tmp_path: Path) -> None:
    subnet = made_subnet(simulator, "10.40.1.0/28")
    found = addresses(simulator, where, tmp_path, subnet)
    assert found is not None
    assert (found.ok, found.detail) == (True, f"11 free in {subnet} (us-east-1a)")  # AWS keeps 5 of 16


def test_a_full_subnet_is_missing(simulator: Simulator, where: Account, tmp_path: Path) -> None:
    subnet = made_subnet(simulator, "10.40.2.0/28")
    for _ in range(11):
        client(simulator, "ec2").create_network_interface(SubnetId=subnet)
    found = addresses(simulator, where, tmp_path, subnet)
    assert found is not None
    assert (found.ok, found.detail) == (False, f"0 free in {subnet} (us-east-1a)")


def test_a_subnet_that_is_not_there_is_told(simulator: Simulator, where: Account, tmp_path: Path) -> None:
    found = addresses(simulator, where, tmp_path, "subnet-01234567")
    assert found is not None
    assert (found.ok, found.required) == (False, False)
    assert "subnet-01234567" in found.detail


def test_before_there_are_subnets_none_is_asked(simulator: Simulator, where: Account, tmp_path: Path) -> None:
    assert with_aws(where, lambda aws: doctor_account.addresses(aws, here(simulator, tmp_path))) is None


# network range


def test_a_range_that_another_vpc_has_is_told_and_no_reason_to_stop(simulator: Simulator, where: Account) -> None:
    ours = here(simulator, network_cidr="10.41.0.0/16")
    alone = with_aws(where, lambda aws: doctor_account.network_range(aws, ours))
    assert alone == Finding("network range", True, "10.41.0.0/16 is nobody else's", alone.fix, required=False)
    taken = client(simulator, "ec2").create_vpc(CidrBlock="10.41.0.0/20")["Vpc"]["VpcId"]
    found = with_aws(where, lambda aws: doctor_account.network_range(aws, ours))
    assert found is not None
    assert (found.ok, found.required) == (False, False)
    assert f"10.41.0.0/16 overlaps {taken} (10.41.0.0/20)" in found.detail
    client(simulator, "ec2").delete_vpc(VpcId=taken)


def test_in_a_network_that_is_there_already_no_range_is_asked_for(simulator: Simulator, where: Account) -> None:
    existing = here(simulator, network="existing", vpc_id="vpc-01234567", subnet_ids=["subnet-01234567"])
    assert with_aws(where, lambda aws: doctor_account.network_range(aws, existing)) is None


# permissions

CLUSTER = f"arn:aws:ecs:{REGION}:123456789012:cluster/sockerless"
POLICIES = {
    "one": {
        "Statement": [
            {"Effect": "Allow", "Action": ["ecs:DescribeClusters", "ecs:DeleteCluster"], "Resource": CLUSTER},
            {
                "Effect": "Allow",
                "Action": "ec2:CreateVpc",
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:RequestTag/sockerless:project": "sockerless"}},
            },
        ]
    },
    "two": {
        "Statement": [{"Effect": "Allow", "Action": "iam:GetRole", "Resource": ["arn:aws:iam::*:role/sockerless-*"]}]
    },
}
SIMULATING = {"Effect": "Allow", "Action": ["iam:SimulatePrincipalPolicy", "iam:GetRole"], "Resource": "*"}


def caller(simulator: Simulator, name: str, *statements: dict[str, Any]) -> tuple[Account, Identity]:
    """A new user with this inline policy, and where their credentials lead."""
    iam = client(simulator, "iam")
    arn = iam.create_user(UserName=name)["User"]["Arn"]
    key = iam.create_access_key(UserName=name)["AccessKey"]
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=document)
    credentials = SimulatorCredentials(key["AccessKeyId"], key["SecretAccessKey"])
    where = Account(REGION, simulator.endpoint_url, simulator_credentials=credentials)
    return where, Identity("123456789012", arn)


def examined(where: Account, identity: Identity, policies: Any = None) -> Finding:
    return with_aws(where, lambda aws: doctor_permissions.examine(aws, identity, policies or POLICIES))


def test_whoever_has_the_deployer_s_policies_may_do_it_all(simulator: Simulator) -> None:
    statements = [one for document in POLICIES.values() for one in document["Statement"]]
    where, identity = caller(simulator, "deployer", *statements, SIMULATING)
    found = examined(where, identity)
    assert (found.ok, found.detail) == (True, f"{identity.arn} may do all 4 actions of the deployer's policies")


def test_the_deployer_s_own_policies_are_enough_for_themselves(simulator: Simulator) -> None:
    policies = iam_deployer.policies(Scope(here(simulator), "123456789012"))
    where, identity = caller(simulator, "builder", *(one for made in policies.values() for one in made["Statement"]))
    found = examined(where, identity, policies)
    assert found.ok, found.detail
    assert int(found.detail.split()[-6]) > 150
    narrower = {name: made for name, made in policies.items() if not name.endswith("-tasks")}
    where, identity = caller(simulator, "half", *(one for made in narrower.values() for one in made["Statement"]))
    missing = examined(where, identity, policies)
    assert not missing.ok
    assert "ecs:" in missing.detail


def test_what_is_not_allowed_is_named(simulator: Simulator) -> None:
    elsewhere = {**POLICIES["one"]["Statement"][0], "Resource": f"{CLUSTER}-other"}
    untagged = {"Effect": "Allow", "Action": "ec2:CreateVpc", "Resource": "*"}
    where, identity = caller(simulator, "novice", elsewhere, untagged, SIMULATING)
    found = examined(where, identity)
    assert (found.ok, found.required) == (False, True)
    assert found.detail == f"{identity.arn} may not do 2 of 4 actions: ecs:DescribeClusters, ecs:DeleteCluster"
    assert "`sockerless-kit iam deployer`" in found.fix


def test_a_long_list_is_cut(simulator: Simulator) -> None:
    where, identity = caller(simulator, "nobody", SIMULATING)
    actions = [f"ecs:{name}Cluster" for name in ("Create", "Delete", "Describe", "Update", "Get", "List", "Put")]
    found = examined(where, identity, {"one": {"Statement": [{"Action": actions, "Resource": "*"}]}})
    assert found.detail.endswith("may not do 7 of 7 actions: " + ", ".join(actions[:5]) + " and 2 more")


def test_whoever_may_not_simulate_is_told_that_it_could_not_be_asked(simulator: Simulator) -> None:
    where, identity = caller(simulator, "shy", *POLICIES["one"]["Statement"])
    found = examined(where, identity)
    assert (found.ok, found.required) == (False, False)
    assert found.detail.startswith("could not be asked: iam:SimulatePrincipalPolicy failed:")


def test_a_session_is_judged_by_its_role(simulator: Simulator) -> None:
    iam = client(simulator, "iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    iam.create_role(RoleName="builder", Path="/teams/", AssumeRolePolicyDocument=document)
    allowed = json.dumps({"Version": "2012-10-17", "Statement": [*POLICIES["two"]["Statement"], SIMULATING]})
    iam.put_role_policy(RoleName="builder", PolicyName="p", PolicyDocument=allowed)
    session = Identity("123456789012", "arn:aws:sts::123456789012:assumed-role/builder/me")
    found = examined(Account(REGION, simulator.endpoint_url), session, {"two": POLICIES["two"]})
    assert found.detail.startswith("arn:aws:iam::123456789012:role/teams/builder may do all 1 actions")


def test_the_root_user_is_not_simulated(where: Account) -> None:
    found = examined(where, Identity("123456789012", "arn:aws:iam::123456789012:root"))
    assert found.ok
    assert "may do everything" in found.detail


@pytest.mark.parametrize(
    ("condition", "entries"),
    [
        ({"StringEquals": {"a": ["x", "y"]}}, [("a", ["x"], "string")]),
        ({"Bool": {"a": True}}, [("a", ["true"], "boolean")]),
        ({"ForAllValues:StringEquals": {"a": ["x", "y"]}}, [("a", ["x", "y"], "stringList")]),
        ({"StringNotEquals": {"a": "x"}}, []),
        ({"Null": {"a": "true"}}, []),
        ({"Null": {"a": "false"}}, [("a", ["anything"], "string")]),
        ({"StringLikeIfExists": {"a": "x*"}}, [("a", ["x*"], "string")]),
    ],
)
def test_conditions_become_a_context_that_they_take(condition: dict[str, Any], entries: list[Any]) -> None:
    found = doctor_permissions.context({"Condition": condition})
    assert [(one["ContextKeyName"], one["ContextKeyValues"], one["ContextKeyType"]) for one in found] == entries


# all of it


def test_everything_is_asked_of_an_account_that_is_there(simulator: Simulator, where: Account, tmp_path: Path) -> None:
    found = doctor_account.examine(where, here(simulator, tmp_path, spot_weight=1))
    assert [one.name for one in found] == [
        "region",
        "clock",
        "AWS credentials",
        "permissions",
        "Fargate on-demand vCPU quota",
        "Fargate Spot vCPU quota",
        "network range",
    ]
    assert all(one.ok for one in found), found


def test_doctor_of_a_simulated_deployment_shows_a_quota_of_zero(
    simulator: Simulator, tmp_path: Path, quotas: Callable[..., None]
) -> None:
    quotas(L_3032A538=0)
    toml = f'target = "simulator"\nendpoint_url = "{simulator.endpoint_url}"\nregion = "{REGION}"\n'
    (tmp_path / "sockerless.toml").write_text(toml)
    done = CliRunner().invoke(cli, ["doctor", "--dir", str(tmp_path), "--json"])
    told = json.loads(done.stdout)
    assert (done.exit_code, told["ok"]) == (1, False)
    quota = next(one for one in told["findings"] if one["name"] == "Fargate on-demand vCPU quota")
    assert (quota["ok"], quota["required"]) == (False, True)
    assert "request-service-quota-increase" in quota["fix"]
