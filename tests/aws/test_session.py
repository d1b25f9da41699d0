"""The door: endpoint and credentials, retries that end, counted calls, failures as errors.*."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from pathlib import Path

import localstack_client.session
import pytest

from sockerless import errors
from sockerless.aws.session import Aws, answer_of
from tests.aws.conftest import ScriptedAws

REGION = "eu-central-1"
DISGUISED = "Error retrieving subnet information for [subnet-0a]: Rate exceeded (ErrorCode: Throttling)"


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No AWS setting of this machine reaches the test."""
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


async def test_an_answer_comes_without_response_metadata_and_is_counted(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.answers(taskArns=["a"])
    assert await scripted_aws.call("ecs", "ListTasks", cluster="c") == {"taskArns": ["a"]}
    assert script.asked[0].operation == "ListTasks"
    assert script.asked[0].parameters == {"cluster": "c"}
    assert scripted_aws.calls == {("ecs", "ListTasks"): 1}


async def test_the_endpoint_of_the_configuration_wins_over_every_variable_of_localstacks(
    bare_environment: pytest.MonkeyPatch, script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    for name, value in (("AWS_ENDPOINT_URL", "http://127.0.0.1:9"), ("LOCALSTACK_HOST", "nowhere:1"), ("USE_SSL", "1")):
        bare_environment.setenv(name, value)
    script.answers(taskArns=[])
    await open_at(script.url).call("ecs", "ListTasks", cluster="c")
    assert len(script.asked) == 1


def test_localstack_clients_session_asks_at_each_client_for_what_is_written_into_it() -> None:
    session = localstack_client.session.Session("AKIA0", "secret", region_name=REGION, localstack_host="localhost")
    assert {"ecs", "ec2", "ecr", "efs", "logs", "sts"} <= set(session._service_endpoint_mapping)
    session._service_endpoint_mapping = {"ecs": "http://127.0.0.1:9"}
    session.common_protected_kwargs["aws_session_token"] = "token"
    client = session.client("ecs")
    assert (client.meta.endpoint_url, client.meta.region_name) == ("http://127.0.0.1:9", REGION)
    assert client._request_signer._credentials.token == "token"


async def test_the_simulator_gets_made_up_credentials_in_the_configured_region(
    bare_environment: pytest.MonkeyPatch, script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "real")
    script.answers(taskArns=[])
    await open_at(script.url).call("ecs", "ListTasks", cluster="c")
    assert "Credential=test/" in script.asked[0].headers["authorization"]
    assert "/eu-central-1/ecs/" in script.asked[0].headers["authorization"]


async def test_the_simulator_knows_us_by_the_credentials_that_are_meant_for_it(
    script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    script.answers(taskArns=[])
    aws = open_at(script.url, SOCKERLESS_SIMULATOR_CREDENTIALS="AKIA0:secret:token")
    await aws.call("ecs", "ListTasks", cluster="c")
    assert "Credential=AKIA0/" in script.asked[0].headers["authorization"]
    assert script.asked[0].headers["x-amz-security-token"] == "token"


async def test_aws_itself_gets_the_environments_credentials_in_the_configured_region(
    bare_environment: pytest.MonkeyPatch, script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    bare_environment.setenv("AWS_ACCESS_KEY_ID", "AKIAREAL")
    bare_environment.setenv("AWS_SECRET_ACCESS_KEY", "real")
    bare_environment.setenv("AWS_ENDPOINT_URL", script.url)
    script.answers(taskArns=[])
    await open_at("").call("ecs", "ListTasks", cluster="c")
    assert "Credential=AKIAREAL/" in script.asked[0].headers["authorization"]
    assert "/eu-central-1/ecs/" in script.asked[0].headers["authorization"]
    assert "sockerless-kit/" in script.asked[0].headers["user-agent"]


async def test_no_credentials_is_unauthorized_and_sends_nothing(
    bare_environment: pytest.MonkeyPatch, script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    bare_environment.setenv("AWS_ENDPOINT_URL", script.url)
    with pytest.raises(errors.Unauthorized, match="AWS_PROFILE"):
        await open_at("").call("ecs", "ListTasks", cluster="c")
    assert script.asked == []


async def test_a_profile_that_does_not_exist_is_unauthorized(
    bare_environment: pytest.MonkeyPatch, open_at: Callable[..., Aws]
) -> None:
    bare_environment.setenv("AWS_PROFILE", "nosuch")
    with pytest.raises(errors.Unauthorized, match="nosuch"):
        await open_at("").call("ecs", "ListTasks", cluster="c")


async def test_the_simulated_aws_asks_for_no_profile(
    bare_environment: pytest.MonkeyPatch, script: ScriptedAws, open_at: Callable[..., Aws]
) -> None:
    bare_environment.setenv("AWS_PROFILE", "nosuch")
    script.answers(taskArns=[])
    assert await open_at(script.url).call("ecs", "ListTasks", cluster="c") == {"taskArns": []}


async def test_a_refusal_becomes_its_class_with_awss_answer_behind_it(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("ConflictException", "token was used", resourceIds=["arn:1"])
    with pytest.raises(errors.Conflict, match="ecs:RunTask failed: token was used") as caught:
        await scripted_aws.call("ecs", "RunTask", taskDefinition="d")
    assert answer_of(caught.value)["resourceIds"] == ["arn:1"]


def test_a_failure_that_aws_did_not_answer_has_no_answer_behind_it() -> None:
    assert answer_of(errors.NotFound("x")) == {}


async def test_a_throttle_is_tried_again_until_it_passes(script: ScriptedAws, open_at: Callable[..., Aws]) -> None:
    script.refuses("ThrottlingException", "Rate exceeded")
    script.answers(taskArns=["a"])
    assert await open_at(script.url, attempts=2).call("ecs", "ListTasks", cluster="c") == {"taskArns": ["a"]}


async def test_a_disguised_throttle_is_tried_again_with_the_same_request(
    scripted_aws: Aws, script: ScriptedAws
) -> None:
    script.refuses("InvalidParameterException", DISGUISED)
    script.refuses("InvalidParameterException", DISGUISED)
    script.answers(tasks=[], failures=[])
    await scripted_aws.call("ecs", "RunTask", taskDefinition="d", clientToken="t")
    assert [asked.parameters for asked in script.asked] == [{"taskDefinition": "d", "clientToken": "t"}] * 3
    assert scripted_aws.calls == {("ecs", "RunTask"): 3}


async def test_a_disguised_throttle_that_stays_ends_as_unavailable(scripted_aws: Aws, script: ScriptedAws) -> None:
    for _ in range(5):
        script.refuses("InvalidParameterException", DISGUISED)
    with pytest.raises(errors.Unavailable, match="Rate exceeded"):
        await scripted_aws.call("ecs", "RunTask", taskDefinition="d")
    assert len(script.asked) == 3


async def test_a_wrong_parameter_is_not_tried_again(scripted_aws: Aws, script: ScriptedAws) -> None:
    script.refuses("InvalidParameterException", "The subnet ID 'subnet-0a' does not exist")
    with pytest.raises(errors.InvalidParameter, match="subnet-0a"):
        await scripted_aws.call("ecs", "RunTask", taskDefinition="d")
    assert len(script.asked) == 1


async def test_an_endpoint_where_nothing_listens_is_unavailable_and_named(open_at: Callable[..., Aws]) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with pytest.raises(errors.Unavailable, match=f"is {url} .SOCKERLESS_ENDPOINT_URL. up"):
            await open_at(url, attempts=1).call("ecs", "ListTasks", cluster="c")


async def test_calls_run_at_the_same_time_while_the_loop_stays_free(scripted_aws: Aws, script: ScriptedAws) -> None:
    for _ in range(20):
        script.answers(taskArns=[])
    calls = [scripted_aws.call("ecs", "ListTasks", cluster="c") for _ in range(20)]
    assert await asyncio.gather(*calls) == [{"taskArns": []}] * 20


async def test_warming_makes_clients_without_a_call(scripted_aws: Aws, script: ScriptedAws) -> None:
    await scripted_aws.warm()
    assert script.asked == []
    assert not scripted_aws.calls
