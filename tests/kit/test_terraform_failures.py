"""One sentence per failure: the resource, AWS's reason, the fix, the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from sockerless import errors
from sockerless.kit import terraform_failures
from sockerless.kit.events import Diagnostic

LOG = Path("/deployment/.sockerless/terraform.log")
NAT = "module.vpc.aws_nat_gateway.this"


def failure(summary: str, detail: str = "", address: str = "", more: int = 0) -> errors.SockerlessError:
    found = [Diagnostic("error", summary, detail, address, "")] * (1 + more)
    return terraform_failures.failure("apply", found, "", LOG)


def test_a_denial_names_resource_reason_fix_and_log() -> None:
    error = failure(
        "creating EC2 NAT Gateway: operation error EC2: CreateNatGateway, https response error StatusCode: 403, "
        "RequestID: 5a0c-11, api error UnauthorizedOperation: You are not authorized to perform this operation.",
        address=NAT,
    )
    assert isinstance(error, errors.Forbidden)
    assert error.message == (
        f"terraform apply failed at {NAT}: creating EC2 NAT Gateway: UnauthorizedOperation: You are not authorized to "
        "perform this operation; let whoever runs this do it (`sockerless-kit iam deployer` prints all that is "
        "needed), then run the same command again; the whole log is /deployment/.sockerless/terraform.log"
    )


@pytest.mark.parametrize(
    ("summary", "detail", "kind", "words"),
    [
        (
            "Error acquiring the state lock",
            "Error message: resource temporarily unavailable\nLock Info:\n  ID:        2888-92\n"
            "  Path:      terraform.tfstate\n  Who:       root@vm\n  Version:   1.11.4\n"
            "  Created:   2026-01-02 03:04:05.926 +0000 UTC\n\nTerraform acquires a state lock to protect",
            errors.Conflict,
            "held by root@vm since 2026-01-02 03:04:05 (ID 2888-92); another terraform works on this deployment",
        ),
        ("No valid credential sources found", "no EC2 IMDS role found", errors.Unauthorized, "AWS_PROFILE"),
        ("failed to get shared config profile, nope", "", errors.Unauthorized, "AWS_PROFILE"),
        (
            "Retrieving AWS account details",
            "api error InvalidClientTokenId: x",
            errors.Unauthorized,
            "wrong or expired",
        ),
        ("creating EC2 EIP", "api error AddressLimitExceeded: x", errors.Conflict, "Service Quotas L-0263D0A3"),
        ("creating EC2 VPC", "api error VpcLimitExceeded: x", errors.Conflict, "more VPCs (Service Quotas L-F678F1CE)"),
        ("creating EFS", "FileSystemLimitExceeded: x", errors.Conflict, "an AWS quota is used up"),
        ("invalid AWS Region: xx-nowhere-1", "", errors.InvalidParameter, "a region in sockerless.toml that exists"),
        ("creating Subnet", "api error InvalidSubnet.Conflict: x", errors.InvalidParameter, "overlaps with another"),
        ("Resource precondition failed", "lower zones.", errors.InvalidParameter, "lower zones; change it in"),
        ("creating ECR Repository", "RepositoryAlreadyExistsException: x", errors.Conflict, "apply --adopt`"),
        ("deleting ECR Repository", "RepositoryNotEmptyException: x", errors.Conflict, "deletion_protection"),
        ("deleting EC2 Subnet", "api error DependencyViolation: x", errors.Conflict, "outside this deployment"),
        ("Saved plan is stale", "", errors.Conflict, "run it again"),
        ("Failed to query available provider packages", "", errors.Unavailable, "--plugin-dir"),
        ("reading", "dial tcp 127.0.0.1:4566: connect: connection refused", errors.Unavailable, "endpoint_url"),
        ("something new", "", errors.SystemFailure, "run the same command again"),
    ],
)
def test_known_reasons_have_their_class_and_fix(
    summary: str, detail: str, kind: type[errors.SockerlessError], words: str
) -> None:
    error = failure(summary, detail)
    assert (type(error), error.refused_by) == (kind, "Terraform")
    assert words in error.message
    assert str(LOG) in error.message
    assert "\n" not in error.message


def test_what_nobody_can_read_is_left_out() -> None:
    encoded = "You are not authorized to perform this operation. Encoded authorization failure message: bjXX0e-lQ"
    assert "bjXX0e" not in failure("creating EC2 VPC", f"api error UnauthorizedOperation: {encoded}").message
    hint = "Please see https://registry.terraform.io/x for more information about providing credentials.\n\nError:"
    message = failure("No valid credential sources found", f"{hint} failed to refresh cached credentials").message
    assert "No valid credential sources found: failed to refresh cached credentials; set AWS_PROFILE" in message


def test_further_errors_are_counted() -> None:
    assert "(2 more in the log)" in failure("no", more=2).message


def test_warnings_are_no_failure_of_their_own() -> None:
    warning = Diagnostic("warning", "deprecated", "", "", "")
    wrong = Diagnostic("error", "wrong", "", "", "main.tf:3")
    assert "failed at main.tf:3: wrong" in terraform_failures.failure("plan", [warning, wrong], "", LOG).message


def test_text_for_people_is_read_where_there_are_no_diagnostics() -> None:
    text = (
        "Initializing provider plugins...\n\nError: Failed to query available provider packages\n\n"
        "Could not retrieve the list of available versions for provider hashicorp/aws:\nno such host\n\n"
        "To see which modules depend on it, run terraform providers\n"
    )
    message = terraform_failures.failure("init", (), text, LOG).message
    assert "Failed to query available provider packages: Could not retrieve" in message
    assert "To see which" not in message


def test_no_reason_at_all_still_names_the_log() -> None:
    assert str(LOG) in terraform_failures.failure("plan", (), "", LOG).message


def test_a_huge_reason_is_cut() -> None:
    assert len(failure("x" * 10_000).message) < 1000
