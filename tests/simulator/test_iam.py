"""IAM in front of the simulated AWS: who is refused what, and in AWS's words."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from sockerless.simulator.engine import Engine
from sockerless.simulator.server import Simulator

from .conftest import ROLE, Account, logged
from .iam import ACCOUNT, Caller, allow, document, refused

USER = f"arn:aws:iam::{ACCOUNT}:user/somebody"
TASKS = "arn:aws:ecs:us-east-1:123456789012:task/tests/*"
ENFORCE_IAM = True
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/tests"


@pytest.fixture(scope="module")
def caller(account: Account) -> Caller:
    """The user, who may do nothing yet."""
    return Caller(account)


def test_what_no_policy_allows_is_refused_in_aws_words(caller: Caller) -> None:
    caller.may(allow("ecs:DescribeTasks", TASKS))
    with pytest.raises(ClientError) as error:
        caller.client("ecs").describe_clusters(clusters=["tests"])
    assert refused(error) == (
        "AccessDeniedException",
        f"User: {USER} is not authorized to perform: ecs:DescribeClusters on resource: {CLUSTER} because no "
        "identity-based policy allows the ecs:DescribeClusters action",
    )


def test_what_a_policy_denies_is_refused_whatever_another_allows(caller: Caller) -> None:
    caller.may(allow("*"), allow("ecs:DescribeClusters") | {"Effect": "Deny"})
    with pytest.raises(ClientError, match="with an explicit deny in an identity-based policy"):
        caller.client("ecs").describe_clusters(clusters=["tests"])
    assert caller.client("ecs").list_clusters()["clusterArns"] == [CLUSTER]


def test_root_is_bound_by_nothing(account: Account) -> None:
    assert account.client("ecs").describe_clusters(clusters=["tests"])["clusters"]


def test_everybody_may_ask_who_they_are(caller: Caller) -> None:
    caller.may(allow("*") | {"Effect": "Deny"})
    assert caller.client("sts").get_caller_identity()["Arn"] == USER


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ecs", "list_clusters", "UnrecognizedClientException"),
        ("ec2", "describe_vpcs", "AuthFailure"),
        ("iam", "list_roles", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_credentials_that_nobody_has_are_not_known(caller: Caller, service: str, operation: str, code: str) -> None:
    client = caller.client(service, aws_access_key_id="AKIAIOSFODNN7EXAMPLE")
    with pytest.raises(ClientError) as error:
        getattr(client, operation)()
    assert refused(error)[0] == code


def test_ec2_and_s3_refuse_with_their_own_codes(caller: Caller) -> None:
    caller.may(allow("ecs:*"))
    with pytest.raises(ClientError) as error:
        caller.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")
    code, message = refused(error)
    assert code == "UnauthorizedOperation"
    assert "ec2:CreateVpc on resource: arn:aws:ec2:us-east-1:123456789012:vpc/* because" in message
    with pytest.raises(ClientError) as error:
        caller.client("s3").create_bucket(Bucket="state")
    assert refused(error)[0] == "AccessDenied"


def test_an_object_of_a_bucket_is_a_resource(caller: Caller, account: Account) -> None:
    account.client("s3").create_bucket(Bucket="state")
    caller.may(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::state/mine/*"))
    s3 = caller.client("s3")
    s3.put_object(Bucket="state", Key="mine/terraform.tfstate", Body=b"{}")
    assert s3.get_object(Bucket="state", Key="mine/terraform.tfstate")["Body"].read() == b"{}"
    for call in (
        lambda: s3.put_object(Bucket="state", Key="other", Body=b""),
        lambda: s3.delete_object(Bucket="state", Key="mine/terraform.tfstate"),
        lambda: s3.list_objects_v2(Bucket="state"),
    ):
        with pytest.raises(ClientError, match="AccessDenied"):
            call()


def test_what_is_made_is_named_by_the_tags_of_the_request(caller: Caller, account: Account) -> None:
    mine = {"StringEquals": {"aws:RequestTag/sockerless:project": "mine"}}
    made = allow("ec2:CreateVpc", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*", Condition=mine)
    creating = {"StringEquals": {"ec2:CreateAction": "CreateVpc"}}
    tags = [{"ResourceType": "vpc", "Tags": [{"Key": "sockerless:project", "Value": "mine"}]}]
    ec2 = caller.client("ec2")
    caller.may(made)
    with pytest.raises(ClientError, match=r"ec2:CreateTags on resource: \S+:vpc/\* because"):
        ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)
    caller.may(made, allow("ec2:CreateTags", f"arn:aws:ec2:us-east-1:{ACCOUNT}:*/*", Condition=creating))
    with pytest.raises(ClientError, match=r"ec2:CreateVpc"):
        ec2.create_vpc(CidrBlock="10.9.0.0/16")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16", TagSpecifications=tags)["Vpc"]["VpcId"]
    with pytest.raises(ClientError, match="ec2:CreateTags"):
        ec2.create_tags(Resources=[vpc], Tags=[{"Key": "a", "Value": "b"}])
    account.client("ec2").delete_vpc(VpcId=vpc)


def test_what_stands_is_named_by_its_own_tags(caller: Caller, account: Account) -> None:
    mine = {"StringEquals": {"aws:ResourceTag/owner": "me"}}
    caller.may(allow("ec2:DeleteVpc", f"arn:aws:ec2:us-east-1:{ACCOUNT}:vpc/*", Condition=mine))
    root = account.client("ec2")
    vpcs = [root.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"] for _ in range(2)]
    root.create_tags(Resources=vpcs[:1], Tags=[{"Key": "owner", "Value": "me"}])
    caller.client("ec2").delete_vpc(VpcId=vpcs[0])
    with pytest.raises(ClientError, match="UnauthorizedOperation"):
        caller.client("ec2").delete_vpc(VpcId=vpcs[1])
    root.delete_vpc(VpcId=vpcs[1])


def test_tasks_are_named_by_their_cluster(caller: Caller) -> None:
    caller.may(allow("ecs:ListTasks", Condition={"ArnEquals": {"ecs:cluster": CLUSTER}}))
    assert caller.client("ecs").list_tasks(cluster="tests")["taskArns"] == []
    assert caller.client("ecs").list_tasks(cluster=CLUSTER)["taskArns"] == []
    with pytest.raises(ClientError, match=r"ecs:ListTasks on resource: \* because"):
        caller.client("ecs").list_tasks()


def registration(account: Account, **more: Any) -> dict[str, Any]:
    return account.definition("passing", logged(image="busybox:test", command=["true"])) | more


def test_a_role_is_passed_only_to_the_service_that_the_policy_names(caller: Caller, account: Account) -> None:
    register = allow("ecs:RegisterTaskDefinition", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/passing:*")
    ecs = caller.client("ecs")
    caller.may(register)
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {ROLE} because"):
        ecs.register_task_definition(**registration(account))
    to_tasks = {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}
    caller.may(register, allow("iam:PassRole", ROLE, Condition=to_tasks))
    made = ecs.register_task_definition(**registration(account))["taskDefinition"]["taskDefinitionArn"]
    to_lambda = {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
    caller.may(allow("ecs:RunTask"), allow("iam:PassRole", ROLE, Condition=to_lambda))
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {ROLE} because"):
        ecs.run_task(**account.run_request(made))


def test_tags_on_a_task_need_leave_to_tag(caller: Caller, account: Account) -> None:
    account.register("tagging", logged(image="busybox:test", command=["true"]))
    caller.may(allow(["ecs:RunTask", "iam:PassRole"]))
    with pytest.raises(ClientError, match=r"ecs:TagResource on resource: \S+:task/tests/\* because"):
        caller.client("ecs").run_task(**account.run_request("tagging", tags=[{"key": "a", "value": "b"}]))


def test_a_group_gives_its_members_what_it_may(caller: Caller) -> None:
    caller.may(allow("ecs:DescribeTasks"))
    caller.iam.create_group(GroupName="readers")
    caller.iam.put_group_policy(GroupName="readers", PolicyName="p", PolicyDocument=document(allow("ecs:ListClusters")))
    caller.iam.add_user_to_group(GroupName="readers", UserName="somebody")
    assert caller.client("ecs").list_clusters()["clusterArns"]
    caller.iam.remove_user_from_group(GroupName="readers", UserName="somebody")
    with pytest.raises(ClientError, match="AccessDenied"):
        caller.client("ecs").list_clusters()


def test_an_access_key_that_is_inactive_is_nobodys(caller: Caller) -> None:
    caller.may(allow("*"))
    ids = {"UserName": "somebody", "AccessKeyId": caller.key["AccessKeyId"]}
    caller.iam.update_access_key(**ids, Status="Inactive")
    with pytest.raises(ClientError, match="UnrecognizedClientException"):
        caller.client("ecs").list_clusters()
    caller.iam.update_access_key(**ids, Status="Active")
    assert caller.client("ecs").list_clusters()["clusterArns"]


def test_a_condition_that_is_not_simulated_refuses_and_says_so(caller: Caller) -> None:
    caller.may(allow("ecs:*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}))
    with pytest.raises(ClientError, match="the condition operator IpAddress is not simulated"):
        caller.client("ecs").list_clusters()


def registry(caller: Caller, endpoint_url: str, path: str, method: str = "GET") -> tuple[int, bytes]:
    token = caller.client("ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    assert base64.b64decode(token).startswith(b"AWS:")
    request = urllib.request.Request(  # noqa: S310 - the simulator's own address
        f"{endpoint_url}/v2/{path}", headers={"Authorization": f"Basic {token}"}, method=method
    )
    try:
        with urllib.request.urlopen(request) as answer:  # noqa: S310
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def test_a_registry_password_may_what_its_owner_may(caller: Caller, account: Account) -> None:
    account.client("ecr").create_repository(repositoryName="mine/images")
    mine = f"arn:aws:ecr:us-east-1:{ACCOUNT}:repository/mine/*"
    login = allow("ecr:GetAuthorizationToken")
    caller.may(login, allow("ecr:ListImages", mine))
    assert registry(caller, account.endpoint_url, "mine/images/tags/list")[0] == 200
    status, body = registry(caller, account.endpoint_url, "mine/images/blobs/uploads/", "POST")
    assert status == 403
    told = json.loads(body)["errors"][0]
    assert told["code"] == "DENIED"
    assert (
        "ecr:InitiateLayerUpload on resource: arn:aws:ecr:us-east-1:123456789012:repository/mine/images"
        in (told["message"])
    )
    caller.may(login, allow("ecr:InitiateLayerUpload", mine))
    assert registry(caller, account.endpoint_url, "mine/images/blobs/uploads/", "POST")[0] == 202


@pytest.mark.engine
def test_tasks_run_for_whom_may_run_them(
    caller: Caller, account: Account, engine_address: str, engine_image: str, simulator: Simulator
) -> None:
    from .conftest import push

    uri = account.client("ecr").create_repository(repositoryName="tests/busybox")["repository"]["repositoryUri"]
    push(Engine(engine_address), account, engine_image, uri, "1")
    caller.iam.put_role_policy(RoleName="execution", PolicyName="all", PolicyDocument=document(allow("*")))
    account.register("allowed", logged(image=f"{uri}:1", command=["sleep", "60"], stopTimeout=2))
    on_cluster = {"ArnEquals": {"ecs:cluster": CLUSTER}}
    caller.may(
        allow("ecs:RunTask", f"arn:aws:ecs:us-east-1:{ACCOUNT}:task-definition/allowed:*", Condition=on_cluster),
        allow("iam:PassRole", ROLE),
        allow("ecs:StopTask", TASKS),
    )
    ecs = caller.client("ecs")
    arn = ecs.run_task(**account.run_request("allowed"))["tasks"][0]["taskArn"]
    account.running(arn)
    ecs.stop_task(cluster="tests", task=arn)
    assert account.stopped(arn)["stopCode"] == "UserInitiated"


def test_a_first_pull_through_needs_the_permissions_to_import(caller: Caller, account: Account) -> None:
    account.client("ecr").create_pull_through_cache_rule(ecrRepositoryPrefix="mine/quay", upstreamRegistryUrl="quay.io")
    cached = "arn:aws:ecr:us-east-1:123456789012:repository/mine/quay/*"
    may = [allow("ecr:GetAuthorizationToken"), allow("ecr:BatchGetImage", cached)]
    for action in ("ecr:CreateRepository", "ecr:BatchImportUpstreamImage"):
        caller.may(*may)
        status, body = registry(caller, account.endpoint_url, "mine/quay/team/image/manifests/1")
        assert (status, action in json.loads(body)["errors"][0]["message"]) == (403, True)
        may.append(allow(action, cached))
    place = urllib.request.Request(  # noqa: S310 - the simulator's own address
        f"{account.endpoint_url}/_sockerless/upstreams", b'{"quay.io": "http://127.0.0.1:1"}', method="PUT"
    )
    with urllib.request.urlopen(place):  # noqa: S310
        caller.may(*may)
    status, body = registry(caller, account.endpoint_url, "mine/quay/team/image/manifests/1")
    assert (status, b"UnableToGetUpstreamImage" in body) == (500, True)


def decisions(iam: Any, source: str, actions: list[str], **more: Any) -> dict[str, str]:
    results = iam.simulate_principal_policy(PolicySourceArn=source, ActionNames=actions, **more)["EvaluationResults"]
    return {one["EvalActionName"]: one["EvalDecision"] for one in results}


def test_a_simulation_tells_what_a_user_s_policies_decide(caller: Caller) -> None:
    mine = "arn:aws:ecs:us-east-1:123456789012:cluster/mine"
    deny = {"Effect": "Deny", "Action": "ecs:DeleteCluster", "Resource": "*"}
    tagged = {"Condition": {"StringEquals": {"aws:RequestTag/team": "a"}}}
    caller.may(allow("ecs:*Cluster*", mine), deny, allow("ec2:CreateVpc", **tagged))
    actions = ["ecs:DescribeClusters", "ecs:DeleteCluster", "ecs:RunTask"]
    expected = {"ecs:DescribeClusters": "allowed", "ecs:DeleteCluster": "explicitDeny", "ecs:RunTask": "implicitDeny"}
    assert decisions(caller.iam, USER, actions, ResourceArns=[mine]) == expected
    assert decisions(caller.iam, USER, actions[:1]) == {"ecs:DescribeClusters": "implicitDeny"}
    entry = {"ContextKeyName": "aws:RequestTag/team", "ContextKeyType": "string"}
    for value, decision in (("a", "allowed"), ("b", "implicitDeny")):
        context = [{**entry, "ContextKeyValues": [value]}]
        assert decisions(caller.iam, USER, ["ec2:CreateVpc"], ContextEntries=context) == {"ec2:CreateVpc": decision}


def test_a_simulation_of_nobody_or_of_a_wildcard_is_refused(caller: Caller) -> None:
    for source, action, code in ((f"{USER}-else", "ecs:RunTask", "NoSuchEntity"), (USER, "ecs:*", "ValidationError")):
        with pytest.raises(ClientError) as refused:
            decisions(caller.iam, source, [action])
        assert refused.value.response["Error"]["Code"] == code


def test_the_root_user_is_told_to_be_the_root_user(account: Account) -> None:
    identity = account.client("sts").get_caller_identity()
    assert (identity["Account"], identity["Arn"]) == (ACCOUNT, f"arn:aws:iam::{ACCOUNT}:root")
