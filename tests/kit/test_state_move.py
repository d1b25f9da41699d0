"""A state in S3, by the command line alone: the bucket on request, the move there and back, a lock that is stuck.

One deployment for all facts, in the order in which it lives.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from . import live
from .live import Live

pytestmark = [pytest.mark.engine, pytest.mark.terraform, pytest.mark.slow]
BUCKET = "ci-123456789012-us-east-1-terraform"
KEY = "ci/terraform.tfstate"
LOCK = {
    "ID": "27f9aa06-0f3c-4c4c-9d3b-1f7a7e0f4b4b",
    "Operation": "OperationTypeApply",
    "Info": "",
    "Who": "anna@elsewhere",
    "Version": "1.11.4",
    "Created": "2026-01-02T03:04:05.5Z",
    "Path": f"{BUCKET}/{KEY}",
}


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    made = live.init(tmp_path_factory.mktemp("state"), "--name", "ci", "--state", "s3")
    yield made
    made.kit("down")


def objects(standing: Live) -> set[str]:
    listed = standing.client("s3").list_objects_v2(Bucket=BUCKET)
    return {one["Key"] for one in listed.get("Contents", [])}


def test_a_plan_makes_no_bucket_and_says_what_does(standing: Live) -> None:
    planned = standing.kit("plan")
    assert planned.returncode == 1
    assert f"kept in the bucket {BUCKET}, which does not exist" in planned.stderr
    assert "`sockerless-kit state create-bucket` makes it" in planned.stderr
    assert standing.client("s3").list_buckets()["Buckets"] == []


def test_apply_makes_it_and_keeps_nothing_here(standing: Live) -> None:
    applied = standing.done("apply", "--yes")
    assert f"created the bucket {BUCKET}: versioned, encrypted, private, reached by TLS only" in applied
    assert objects(standing) == {KEY}
    assert not (standing.directory / "terraform.tfstate").exists()


def test_status_and_outputs_read_it_there(standing: Live) -> None:
    assert json.loads(standing.done("status", "--json"))["resources"]["vpc"] > 10
    assert json.loads(standing.done("outputs", "--json"))["cluster_name"] == "ci"


def test_they_do_so_in_a_fresh_clone_too(standing: Live, tmp_path_factory: pytest.TempPathFactory) -> None:
    clone = Live(tmp_path_factory.mktemp("clone"), standing.endpoint_url, standing.region)
    (clone.directory / "sockerless.toml").write_text((standing.directory / "sockerless.toml").read_text())
    assert json.loads(clone.done("outputs", "--json"))["cluster_name"] == "ci"


def test_a_lock_that_is_held_is_explained_with_the_command_that_frees_it(standing: Live) -> None:
    standing.client("s3").put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=json.dumps(LOCK))
    planned = standing.kit("plan")
    assert planned.returncode == 1
    assert "held by anna@elsewhere since 2026-01-02 03:04:05" in planned.stderr
    assert "`sockerless-kit state unlock` frees it" in planned.stderr
    assert standing.kit("state", "unlock").returncode == 1  # nobody says yes
    assert f"{KEY}.tflock" in objects(standing)
    freed = standing.done("state", "unlock", "--yes")
    assert freed.splitlines()[-1] == "the lock is free"
    assert objects(standing) == {KEY}
    assert "nothing to free" in standing.done("state", "unlock", "--yes")


def test_a_plan_moves_no_state_and_says_what_does(standing: Live) -> None:
    standing.set(state='"local"')
    planned = standing.kit("plan")
    assert planned.returncode == 1
    assert (
        f"terraform's state is in s3://{BUCKET}/{KEY} and sockerless.toml wants it in the local file" in planned.stderr
    )


def test_the_move_here_is_asked_for_and_loses_nothing(standing: Live) -> None:
    before = json.loads(standing.done("status", "--json"))["resources"]
    assert standing.kit("state", "move").returncode == 1  # nobody says yes
    assert "moved terraform's state to the local file terraform.tfstate" in standing.done("state", "move", "--yes")
    assert json.loads((standing.directory / "terraform.tfstate").read_text())["resources"]
    assert json.loads(standing.done("status", "--json"))["resources"] == before
    assert "Nothing to change" in standing.done("plan")


def test_the_move_back_goes_over_the_copy_that_the_one_before_left(standing: Live) -> None:
    standing.set(state='"s3"')
    applied = standing.done("apply", "--yes")
    assert f"moved terraform's state to s3://{BUCKET}/{KEY}; a copy stays in terraform.tfstate.backup" in applied
    assert "Nothing to change" in applied
    assert not (standing.directory / "terraform.tfstate").exists()


def test_another_state_is_never_overwritten(standing: Live) -> None:
    s3 = standing.client("s3")
    stranger = {"version": 4, "serial": 9, "lineage": "else", "resources": [{"mode": "managed", "instances": [{}]}]}
    s3.create_bucket(Bucket="theirs")
    s3.put_object(Bucket="theirs", Key=KEY, Body=json.dumps(stranger))
    standing.set(state_bucket='"theirs"')
    moved = standing.kit("state", "move", "--yes")
    assert moved.returncode == 1
    assert f"s3://theirs/{KEY} holds a state of other resources" in moved.stderr
    assert json.loads(s3.get_object(Bucket="theirs", Key=KEY)["Body"].read()) == stranger
    standing.set(state_bucket='""')
    assert "Nothing to change" in standing.done("plan")
