"""What daemon and kit made at run time goes with the deployment, and nothing else of the account does."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sockerless.kit import proof, runtime_resources
from sockerless.kit.project import Project

from .conftest import Simulated

HASH = "0123456789abcdef01234567"


def rows(**more: str) -> list[dict[str, str]]:
    """Tags of the deployment ci, as most services spell them."""
    return [{"Key": f"sockerless:{key}", "Value": value} for key, value in more.items()]


def register(simulated: Simulated, family: str, **tags: str) -> str:
    answer = simulated.client("ecs").register_task_definition(
        family=family,
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        containerDefinitions=[{"name": "main", "image": "x:1"}],
        tags=[{"key": f"sockerless:{key}", "value": value} for key, value in tags.items()],
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


def active(simulated: Simulated) -> set[str]:
    arns = simulated.client("ecs").list_task_definitions()["taskDefinitionArns"]
    return {arn.rsplit("/", 1)[-1] for arn in arns}


@pytest.fixture(scope="module")
def network(simulated: Simulated) -> str:
    vpc: str = simulated.client("ec2").create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return vpc


def group(simulated: Simulated, network: str, name: str, **tags: str) -> str:
    made: str = simulated.client("ec2").create_security_group(
        GroupName=name,
        Description=name,
        VpcId=network,
        TagSpecifications=[{"ResourceType": "security-group", "Tags": rows(**tags)}] if tags else [],
    )["GroupId"]
    return made


def test_definitions_go_and_those_of_a_deployment_called_alike_stay(
    simulated: Simulated, in_simulator: Callable[..., Project]
) -> None:
    for number in range(3):
        register(simulated, f"ci-{HASH[:-1]}{number}", project="ci", daemon="d")
    register(simulated, "ci-agent-installer", project="ci")
    register(simulated, f"ci-prod-{HASH}", project="ci-prod", daemon="d")
    register(simulated, "ci-theirs")
    removed = runtime_resources.remove(in_simulator(name="ci"), "ci", "")
    assert removed.counts["task definitions"] == 4
    assert removed.kept == ()
    assert active(simulated) == {f"ci-prod-{HASH}:1", "ci-theirs:1"}


def test_ones_that_the_daemon_has_deregistered_go_too(
    simulated: Simulated, in_simulator: Callable[..., Project]
) -> None:
    arn = register(simulated, f"old-{HASH}", project="old")
    simulated.client("ecs").deregister_task_definition(taskDefinition=arn)
    assert runtime_resources.remove(in_simulator(name="old"), "old", "").counts["task definitions"] == 1
    assert simulated.client("ecs").list_task_definitions(status="INACTIVE")["taskDefinitionArns"] == []


def test_security_groups_go_though_they_name_each_other(
    simulated: Simulated, network: str, in_simulator: Callable[..., Project]
) -> None:
    ec2 = simulated.client("ec2")
    one = group(simulated, network, "one", project="ci", daemon="d")
    two = group(simulated, network, "two", project="ci", daemon="d")
    terraform_s = group(simulated, network, "tasks", project="ci")
    theirs = group(simulated, network, "theirs", project="ci-prod", daemon="d")
    for here, there in ((one, two), (two, one)):
        pair = [{"GroupId": there}]
        ec2.authorize_security_group_ingress(
            GroupId=here, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": pair}]
        )
    assert runtime_resources.remove(in_simulator(name="ci"), "ci", "").counts["security groups"] == 2
    left = {one["GroupId"] for one in ec2.describe_security_groups()["SecurityGroups"]}
    assert {terraform_s, theirs} <= left
    assert not {one, two} & left


def test_volumes_go_and_the_agent_s_access_point_is_left_to_terraform(
    simulated: Simulated, in_simulator: Callable[..., Project]
) -> None:
    efs = simulated.client("efs")
    file_system = efs.create_file_system(CreationToken="ci")["FileSystemId"]
    agent = efs.create_access_point(ClientToken="a", FileSystemId=file_system, Tags=rows(project="ci"))
    efs.create_access_point(ClientToken="b", FileSystemId=file_system, Tags=rows(project="ci", daemon="d"))
    assert runtime_resources.remove(in_simulator(name="ci"), "ci", file_system).counts["access points"] == 1
    [left] = efs.describe_access_points(FileSystemId=file_system)["AccessPoints"]
    assert left["AccessPointId"] == agent["AccessPointId"]
    assert runtime_resources.remove(in_simulator(name="ci"), "ci", "fs-0123abcd").counts["access points"] == 0


def test_repositories_that_ecr_made_for_its_caches_go_with_their_images(
    simulated: Simulated, in_simulator: Callable[..., Project]
) -> None:
    ecr = simulated.client("ecr")
    for name, project in (("team/quay/org/app", "ci"), ("team/quay/theirs", "ci-prod"), ("team/images", "ci")):
        ecr.create_repository(repositoryName=name, tags=rows(project=project))
    ecr.put_image(repositoryName="team/quay/org/app", imageManifest=MANIFEST, imageTag="1")
    removed = runtime_resources.remove(in_simulator(name="ci", repository_prefix="team"), "ci", "")
    assert removed.counts["cache repositories"] == 1
    names = {one["repositoryName"] for one in ecr.describe_repositories()["repositories"]}
    assert names == {"team/quay/theirs", "team/images"}


MANIFEST = (
    '{"schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json", '
    '"config": {"mediaType": "x", "size": 1, "digest": "sha256:0"}, "layers": []}'
)


class TestProof:
    """What stands is told; what only the tagging API still tells of is not."""

    def look(self, project: Project, *before: str) -> proof.Proof:
        return proof.look(project, project.name, before, patience_s=0)

    def test_nothing_built_is_nothing_left(self, in_simulator: Callable[..., Project]) -> None:
        assert self.look(in_simulator(name="empty")) == proof.Proof(0, (), (), {})

    def test_what_stands_is_named_by_its_tag_or_because_terraform_had_it(
        self, simulated: Simulated, in_simulator: Callable[..., Project]
    ) -> None:
        logs, iam = simulated.client("logs"), simulated.client("iam")
        logs.create_log_group(logGroupName="/stands", tags={"sockerless:project": "stands"})
        role = iam.create_role(RoleName="stands", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        definition = register(simulated, f"stands-{HASH}", project="stands")
        found = self.look(in_simulator(name="stands"), role)
        group_arn = "arn:aws:logs:us-east-1:123456789012:log-group:/stands"
        assert set(found.left) == {group_arn, role, definition}
        logs.delete_log_group(logGroupName="/stands")
        iam.delete_role(RoleName="stands")
        simulated.client("ecs").deregister_task_definition(taskDefinition=definition)
        again = self.look(in_simulator(name="stands"), role)
        assert again.left == ()
        assert again.asked == 3  # the tagging API tells of them still
        assert again.kept == {definition: "deregistered"}

    def test_a_key_that_waits_for_its_deletion_is_kept_with_its_day(
        self, simulated: Simulated, in_simulator: Callable[..., Project]
    ) -> None:
        kms = simulated.client("kms")
        key = kms.create_key(Tags=[{"TagKey": "sockerless:project", "TagValue": "locked"}])["KeyMetadata"]
        day = kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)["DeletionDate"]
        found = self.look(in_simulator(name="locked"))
        assert (found.left, found.kept) == ((), {key["Arn"]: f"AWS deletes it on {day:%Y-%m-%d}"})

    def test_the_log_group_of_container_insights_is_told(
        self, simulated: Simulated, in_simulator: Callable[..., Project]
    ) -> None:
        simulated.client("logs").create_log_group(logGroupName="/aws/ecs/containerinsights/watched/performance")
        [(arn, why)] = self.look(in_simulator(name="watched")).kept.items()
        assert arn.endswith(":log-group:/aws/ecs/containerinsights/watched/performance")
        assert "Container Insights" in why
