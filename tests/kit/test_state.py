"""Where terraform's state is, and what is asked of `terraform init` for it; no AWS is asked here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sockerless.errors import Conflict, NotSupported
from sockerless.kit import backend, project, render, state
from sockerless.kit.project import Project
from sockerless.kit.state import StateObject

from . import fake_terraform

RESOURCES = {"version": 4, "serial": 3, "lineage": "a", "resources": [{"mode": "managed", "instances": [{}]}]}
ENDPOINT = "http://127.0.0.1:1"


def make(directory: Path, **settings: Any) -> Project:
    return project.from_mapping(directory, settings)


def initialised(directory: Path, bucket: str, endpoint_url: str = "") -> None:
    """What terraform remembers after an init with an S3 backend."""
    config = {
        "bucket": bucket,
        "key": "sockerless/terraform.tfstate",
        "region": "us-east-1",
        "endpoints": {"s3": endpoint_url or None},
    }
    (directory / ".terraform").mkdir()
    remembered = {"version": 3, "backend": {"type": "s3", "config": config}}
    (directory / state.BACKEND_FILE).write_text(json.dumps(remembered))


def test_the_bucket_is_named_after_deployment_account_and_region(tmp_path: Path) -> None:
    assert state.bucket_of(make(tmp_path), "123456789012") == "sockerless-123456789012-us-east-1-terraform"
    assert state.bucket_of(make(tmp_path, state="s3", state_bucket="mine"), "123456789012") == "mine"


@pytest.mark.parametrize("name", ["n" * 32, "abcdefghijklmnopqrstuvw-x-y-z"])
@pytest.mark.parametrize("region", ["us-east-1", "ap-southeast-2", "us-gov-west-1"])
def test_the_bucket_s_name_is_never_longer_than_s3_takes(tmp_path: Path, name: str, region: str) -> None:
    bucket = state.bucket_of(make(tmp_path, name=name, region=region), "123456789012")
    assert len(bucket) <= 63
    assert "--" not in bucket
    assert bucket.endswith(f"-123456789012-{region}-terraform")


def test_a_local_state_asks_nobody_and_needs_nothing(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text(json.dumps(RESOURCES))
    here = make(tmp_path)
    assert state.read(here) == RESOURCES
    assert backend.check(here) == backend.Backend({}, "")


def test_a_state_that_terraform_moved_away_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text("")
    assert state.read(make(tmp_path)) == {}


def test_an_edited_setting_does_not_move_the_state_by_itself(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_text(json.dumps(RESOURCES))
    assert state.current(make(tmp_path, state="s3", state_bucket="mine")) is None


def test_a_state_in_s3_stays_where_terraform_was_initialised_for(tmp_path: Path) -> None:
    initialised(tmp_path, "states")
    assert state.current(make(tmp_path)) == StateObject("states", "sockerless/terraform.tfstate", "us-east-1")
    assert str(state.current(make(tmp_path))) == "s3://states/sockerless/terraform.tfstate"


def test_a_state_in_the_simulated_aws_is_none_of_aws_s(tmp_path: Path) -> None:
    initialised(tmp_path, "states", ENDPOINT)
    assert state.current(make(tmp_path)) is None
    assert state.current(make(tmp_path, target="simulator", endpoint_url=ENDPOINT)) == StateObject(
        "states", "sockerless/terraform.tfstate", "us-east-1", ENDPOINT
    )
    assert backend.check(make(tmp_path)) == backend.Backend({}, "reconfigure")


def test_s3_needs_a_terraform_that_locks_by_an_object(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = 'if [ "$1" = version ]; then echo \'{"terraform_version":"1.9.8"}\'; exit 0; fi\n'
    monkeypatch.setenv("PATH", str(fake_terraform.install(tmp_path, "", old)), prepend=":")
    with pytest.raises(
        NotSupported, match=r'state = "s3" needs terraform 1\.10 or newer for its lock; this is 1\.9\.8'
    ):
        backend.check(make(tmp_path, state="s3", state_bucket="mine"))


def test_credentials_of_another_account_are_refused_before_a_bucket_is_made(tmp_path: Path) -> None:
    here = StateObject("ci-123456789012-us-east-1-terraform", "ci/terraform.tfstate", "us-east-1")
    there = StateObject("ci-210987654321-us-east-1-terraform", "ci/terraform.tfstate", "us-east-1")
    with pytest.raises(Conflict, match="these credentials are of the account 210987654321 and this deployment's state"):
        backend._refuse_other_account(make(tmp_path, state="s3"), here, there)
    backend._refuse_other_account(make(tmp_path, state="s3"), here, here)


def rendered(directory: Path, **settings: Any) -> str:
    return render.render_terraform(make(directory, **settings))["backend.tf"]


def test_a_local_state_is_rendered_without_a_backend(tmp_path: Path) -> None:
    assert "backend" not in rendered(tmp_path)


def test_the_s3_backend_is_encrypted_locked_by_an_object_and_asks_for_the_terraform_that_can(tmp_path: Path) -> None:
    text = rendered(tmp_path, name="ci", state="s3", region="eu-central-1")
    for line in (
        'required_version = ">= 1.10" # use_lockfile',
        'key          = "ci/terraform.tfstate"',
        'region       = "eu-central-1"',
        "encrypt      = true",
        "use_lockfile = true",
    ):
        assert f"  {line}\n" in text
    assert "bucket       =" not in text
    assert "access_key" not in text
    assert 'bucket       = "mine"\n' in rendered(tmp_path, state="s3", state_bucket="mine")


def test_the_simulated_aws_is_reached_by_the_backend_too(tmp_path: Path) -> None:
    text = rendered(tmp_path, target="simulator", endpoint_url=ENDPOINT, state="s3")
    assert text.count(f'= "{ENDPOINT}"\n') == 3
    assert "use_path_style              = true\n" in text
