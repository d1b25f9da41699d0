"""What the simulator assumes of moto, one test per hook: an upgrade that breaks one fails here and says which.

No simulator runs here, so that moto is seen as it is."""

from __future__ import annotations

import inspect

import pytest
from moto.core import responses, serialize
from moto.core.base_backend import BackendDict
from moto.core.exceptions import ServiceException
from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.models import EC2Backend, ec2_backends
from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend, Zone
from moto.ec2.models.nat_gateways import NatGateway, NatGatewayBackend
from moto.ec2.models.security_groups import SecurityGroupBackend, SecurityGroupRule
from moto.ec2.models.subnets import SubnetBackend
from moto.ec2.models.vpcs import VPCBackend
from moto.ecr.models import ECRBackend, Image, LayerUpload, Repository, ecr_backends
from moto.ecr.responses import ECRResponse
from moto.ecs.models import EC2ContainerServiceBackend, ecs_backends
from moto.ecs.responses import EC2ContainerServiceResponse
from moto.efs.models import EFSBackend, efs_backends
from moto.efs.responses import EFSResponse
from moto.events.models import EventsBackend, Rule, events_backends
from moto.iam import models as iam_models
from moto.iam.models import iam_backends
from moto.iam.responses import IamResponse
from moto.kms.models import kms_backends
from moto.logs.models import LogEvent, LogGroup, LogsBackend, LogStream, logs_backends
from moto.logs.responses import LogsResponse
from moto.resourcegroupstaggingapi.models import ResourceGroupsTaggingAPIBackend
from moto.s3.models import FakeBucket, s3_backends
from moto.s3.responses import S3Response
from moto.secretsmanager.models import secretsmanager_backends
from moto.servicequotas.models import ServiceQuotasBackend
from moto.servicequotas.responses import ServiceQuotasResponse
from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends
from moto.ssm.models import ssm_backends
from moto.sts.models import STSBackend
from moto.sts.responses import TokenResponse

from sockerless.simulator.hooks import Hooks

ACCOUNT, REGION = "999999999999", "us-east-1"


def names(function: object) -> list[str]:
    """A function's parameter names."""
    assert callable(function)
    return list(inspect.signature(function).parameters)


def test_every_action_passes_call_action_which_looks_it_up_on_the_response_class() -> None:
    assert "self.call_action()" in inspect.getsource(BaseResponse._dispatch)
    assert "method_names_from_class(self.__class__)" in inspect.getsource(BaseResponse.call_action)
    for service in (EC2ContainerServiceResponse, ECRResponse, EFSResponse, LogsResponse):
        assert "call_action" not in service.__dict__
        assert "_dispatch" not in service.__dict__


def test_a_response_knows_its_account_region_service_and_action() -> None:
    source = inspect.getsource(BaseResponse.setup_class)
    assert "self.region = " in source
    assert "self.current_account = self.get_current_account()" in source
    assert "self.normalized_request = " in source
    assert callable(BaseResponse._get_action)
    assert EC2ContainerServiceResponse().service_name == "ecs"
    assert EC2ContainerServiceResponse().automated_parameter_parsing


def test_parameters_of_a_service_without_automatic_parsing_can_be_parsed() -> None:
    assert names(BaseResponse.parse_parameters) == ["self", "request"]
    assert "self.params = " in inspect.getsource(BaseResponse.parse_parameters)
    assert not EFSResponse().automated_parameter_parsing


def test_an_error_of_any_module_is_serialized_in_the_services_protocol() -> None:
    assert names(BaseResponse.serialized) == ["self", "action_result"]
    assert names(BaseResponse._enrich_response) == ["headers", "body"]
    assert ServiceException("Code", "words").code == "Code"
    assert ActionResult({}).result == {}


def test_a_dict_with_aws_names_is_a_result() -> None:
    picker = serialize.XFormedAttributePicker()
    context = serialize.AttributePickerContext(obj={"taskArn": "x"}, key="taskArn", shape=None)
    assert picker(context) == "x"


def test_action_exceptions_are_answers_not_crashes() -> None:
    assert "except ServiceException" in inspect.getsource(responses.BaseResponse.call_action)


def test_clusters_definitions_and_tasks_lie_where_the_simulator_looks() -> None:
    backend = ecs_backends[ACCOUNT][REGION]
    assert backend.clusters == {}
    assert backend.task_definitions == {}
    assert backend.tasks == {}
    cluster = backend.create_cluster("c")
    assert (cluster.status, cluster.running_tasks_count, cluster.pending_tasks_count) == ("ACTIVE", 0, 0)
    assert cluster.capacity_providers is None
    assert cluster.default_capacity_provider_strategy is None


def test_registering_takes_the_members_the_simulator_passes_on() -> None:
    given = set(names(EC2ContainerServiceBackend.register_task_definition))
    assert given >= {"family", "container_definitions", "volumes", "network_mode", "tags", "cpu", "memory", "pid_mode"}
    assert given >= {"task_role_arn", "execution_role_arn", "runtime_platform", "ipc_mode", "ephemeral_storage"}


def test_tagging_finds_tasks_by_arn_and_tags() -> None:
    source = inspect.getsource(EC2ContainerServiceBackend)
    assert "for task in self.list_tasks():" in source
    assert "task.task_arn == resource_arn" in source


def test_interfaces_are_records_whose_address_can_be_set() -> None:
    ec2 = ec2_backends[ACCOUNT][REGION]
    subnet = ec2.describe_subnets()[0]
    record = ec2.create_network_interface(subnet=subnet.id, private_ip_address="", group_ids=[], description="x")
    assert ec2.enis[record.id] is record
    for attribute in ("private_ip_address", "private_ip_addresses", "public_ip", "mac_address", "status"):
        assert hasattr(record, attribute)
    assert record.subnet.availability_zone == subnet.availability_zone
    del ec2.enis[record.id]


def test_subnets_are_kept_by_zone_and_groups_found_by_id() -> None:
    ec2 = ec2_backends[ACCOUNT][REGION]
    assert all(isinstance(zone, dict) for zone in ec2.subnets.values())
    assert ec2.get_security_group_from_id("sg-nosuch") is None
    assert callable(ec2.get_default_security_group)


def test_a_group_rules_description_is_a_property() -> None:
    assert isinstance(SecurityGroupRule.__dict__["description"], property)


def test_a_group_rule_is_made_with_the_prefix_list_it_names() -> None:
    assert names(SecurityGroupRule.__init__)[1:9] == [
        "ec2_backend",
        "ip_protocol",
        "group_id",
        "from_port",
        "to_port",
        "ip_range",
        "source_group",
        "prefix_list_id",
    ]


def test_a_security_group_has_its_rules_and_its_rules_the_groups_they_name() -> None:
    assert names(SecurityGroupBackend.delete_security_group) == ["self", "name", "group_id"]
    ec2 = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.1.0.0/16")
    group = ec2.create_security_group("named", "d", vpc.id)
    ec2.authorize_security_group_ingress(group.id, "tcp", "1", "2", [], source_groups=[{"GroupId": group.id}])
    [rule] = ec2.groups[vpc.id][group.id].ingress_rules
    assert rule.source_group["GroupId"] == group.id
    assert group.egress_rules


def test_zones_are_filtered_by_whole_names() -> None:
    assert names(RegionsAndZonesBackend.describe_availability_zones) == ["self", "filters", "zone_names", "zone_ids"]
    ec2 = ec2_backends[ACCOUNT][REGION]
    assert ec2.describe_availability_zones({"zone-name": [f"{REGION}?"]}) == []
    [zone] = ec2.describe_availability_zones({"zone-name": [f"{REGION}a"]})
    assert isinstance(zone, Zone)
    assert zone.name == f"{REGION}a"


def test_an_endpoint_is_made_with_interfaces_of_its_own_and_stays_as_deleted() -> None:
    assert names(VPCBackend.create_vpc_endpoint)[:4] == ["self", "vpc_id", "service_name", "endpoint_type"]
    assert names(VPCBackend.modify_vpc_endpoint)[:4] == ["self", "vpc_id", "policy_doc", "add_subnets"]
    assert names(VPCBackend.delete_vpc) == ["self", "vpc_id"]
    offered = VPCBackend._collect_default_endpoint_services(ACCOUNT, REGION)
    assert f"com.amazonaws.{REGION}.ecr.dkr" in {one["ServiceName"] for one in offered}
    ec2 = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.2.0.0/16")
    subnet = ec2.create_subnet(vpc.id, "10.2.0.0/24")
    made = ec2.create_vpc_endpoint(vpc.id, "nonsense", "Interface", None, [], [subnet.id], security_group_ids=["sg-1"])
    [interface] = (ec2.enis[one] for one in made.network_interface_ids)
    assert [group.name for group in interface.group_set] == ["default"]
    assert made.security_group_ids == ["sg-1"]
    ec2.delete_vpc_endpoints([made.id])
    assert ec2.vpc_end_points[made.id].state == "deleted"


def test_an_internet_gateway_knows_the_vpc_it_is_attached_to() -> None:
    ec2 = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.3.0.0/16")
    gateway = ec2.create_internet_gateway()
    ec2.attach_internet_gateway(gateway.id, vpc.id)
    assert ec2.internet_gateways[gateway.id].vpc.id == vpc.id


def test_a_nat_gateway_knows_its_interface() -> None:
    assert names(NatGatewayBackend.delete_nat_gateway) == ["self", "nat_gateway_id"]
    assert "self._eni = " in inspect.getsource(NatGateway)


def test_subnets_are_deleted_by_id() -> None:
    assert names(SubnetBackend.delete_subnet) == ["self", "subnet_id"]


def test_a_layer_upload_holds_its_bytes_until_it_is_completed() -> None:
    assert names(ECRBackend.complete_layer_upload)[:4] == ["self", "repository_name", "upload_id", "layer_digests"]
    assert LayerUpload("r", "1").layer_parts == b""


def test_a_repositorys_address_is_set_when_it_is_made_and_read_from_uri() -> None:
    repository = ecr_backends[ACCOUNT][REGION].create_repository("x", None, {}, None, "MUTABLE", [])
    assert isinstance(repository, Repository)
    assert repository.uri.endswith("/x")
    assert (repository.images, repository.layers) == ([], {})
    assert not repository.is_tag_immutable()
    assert names(Image.get_image_size_in_bytes) == ["self"]
    assert "self.get_image_size_in_bytes()" in inspect.getsource(Image)
    expected = ["self", "repository_name", "image_manifest", "image_tag", "image_manifest_mediatype", "digest"]
    assert names(ECRBackend.put_image) == expected
    scanning = ["self", "registry_id", "repository_name", "image_scan_config"]
    assert names(ECRBackend.put_image_scanning_configuration) == scanning
    assert names(ECRBackend._resolve_image_tag_mutability) == ["self", "repository", "proposed_image_tag"]
    del ecr_backends[ACCOUNT][REGION].repositories["x"]


def test_an_efs_file_system_knows_its_mount_targets_and_policies() -> None:
    efs = efs_backends[ACCOUNT][REGION]
    assert efs.file_systems_by_id == {}
    assert efs.access_points == {}
    assert names(EFSBackend.delete_file_system) == ["self", "file_system_id"]
    creating = ["self", "client_token", "tags", "file_system_id", "posix_user", "root_directory"]
    assert names(EFSBackend.create_access_point) == creating
    file_system = efs.create_file_system("t", "generalPurpose", False, "", "bursting", 0, "", False, [])
    assert list(file_system.iter_mount_targets()) == []
    assert file_system._backup is False
    assert file_system.file_system_policy is None
    efs.delete_file_system(file_system.file_system_id)


@pytest.mark.parametrize("action", ["put_backup_policy", "delete_file_system_policy", "update_file_system"])
def test_efs_still_lacks_what_the_simulator_adds(action: str) -> None:
    assert action not in EFSResponse.__dict__, f"moto has {action} now: serve moto's"


def test_every_s3_request_is_authorised_by_one_method_and_a_bucket_by_its_policy() -> None:
    assert names(BaseResponse._authenticate_and_authorize_s3_action) == ["self", "bucket_name", "key_name"]
    source = inspect.getsource(S3Response)
    assert source.count("self._authenticate_and_authorize_s3_action(") >= 13
    assert "bucket.get_permission(action, resource)" in source
    assert names(FakeBucket.get_permission) == ["self", "action", "resource"]
    assert s3_backends.bucket_accounts == {}
    made = FakeBucket("b", ACCOUNT, REGION)
    assert s3_backends.bucket_accounts == {"b": ("aws", ACCOUNT)}
    assert made.policy is None
    s3_backends.bucket_accounts.clear()


def test_the_tagging_api_takes_its_resources_from_one_generator() -> None:
    wanted = ["self", "tag_filters", "resource_type_filters", "resource_arn_list"]
    assert names(ResourceGroupsTaggingAPIBackend._get_resources_generator) == wanted
    assert "self._get_resources_generator(" in inspect.getsource(ResourceGroupsTaggingAPIBackend.get_resources)
    assert names(TaggedResource) == ["arn", "tags", "resource_type", "extra"]
    told = inspect.getsource(EC2Backend.iter_tagged_resources)
    assert "self.tags.get(resource.id, {})" in told
    for kind in ("elastic-ip", "security-group-rule", "vpc-endpoint"):
        assert kind not in told, f"moto tells of {kind} now: take it from there"
    assert not issubclass(ECRBackend, TaggableResourcesMixin)


def test_log_events_lie_in_streams_of_groups() -> None:
    logs = logs_backends[ACCOUNT][REGION]
    logs.create_log_group("g", {})
    logs.create_log_stream("g", "s")
    logs.put_log_events("g", "s", [{"timestamp": 1_900_000_000_000, "message": "x"}])
    stream = logs.groups["g"].streams["s"]
    assert isinstance(logs.groups["g"], LogGroup)
    assert isinstance(stream, LogStream)
    assert all(isinstance(event, LogEvent) for event in stream.events)
    assert names(LogStream.put_log_events) == ["self", "log_events"]
    assert "self._update()" in inspect.getsource(LogStream.to_describe_dict)
    assert {"get_log_events", "filter_log_events"} <= set(LogsResponse.__dict__)


def test_log_groups_are_made_with_the_id_of_their_key() -> None:
    assert names(LogsBackend.create_log_group) == ["self", "log_group_name", "tags", "kwargs"]
    assert "kmsKeyId=kms_key_id" in inspect.getsource(LogsResponse.create_log_group)
    assert LogGroup(ACCOUNT, REGION, "k", kmsKeyId="key").kms_key_id == "key"


@pytest.mark.parametrize("action", ["associate_kms_key", "disassociate_kms_key"])
def test_logs_still_lack_what_the_simulator_adds(action: str) -> None:
    assert action not in LogsResponse.__dict__, f"moto has {action} now: serve moto's"


def test_a_key_knows_its_state_and_policy() -> None:
    kms = kms_backends[ACCOUNT][REGION]
    key = kms.create_key("{}", "ENCRYPT_DECRYPT", "SYMMETRIC_DEFAULT", "x", [], False)
    assert kms.keys[key.id] is key
    assert (key.policy, key.key_state) == ("{}", "Enabled")
    assert key.arn.endswith(f"key/{key.id}")
    kms.disable_key(key.id)
    assert key.key_state == "Disabled"


def test_event_ids_grow() -> None:
    first, second = (LogEvent(0, {"timestamp": 1, "message": ""}) for _ in range(2))
    assert second.event_id == first.event_id + 1


def test_aws_managed_policies_are_loaded_on_a_functions_word() -> None:
    assert "if not load_iam_aws_managed_policies():" in inspect.getsource(iam_models.IAMBackend._init_aws_policies)


def test_parameters_and_secrets_can_be_read() -> None:
    assert names(ssm_backends[ACCOUNT][REGION].get_parameter) == ["name"]
    reading = names(secretsmanager_backends[ACCOUNT][REGION].get_secret_value)
    assert reading == ["secret_id", "version_id", "version_stage"]


def test_secrets_know_their_arn() -> None:
    backend = secretsmanager_backends[ACCOUNT][REGION]
    backend.create_secret("contract", "s", None, "", [], None, None, [], False)
    assert [secret.arn for secret in backend.secrets.values()] == [backend.secrets["contract"].arn]


def test_roles_lie_in_the_backend_of_their_partition() -> None:
    assert isinstance(iam_backends[ACCOUNT]["aws"].roles, dict)


@pytest.mark.parametrize("noun", ["pull_through_cache_rule", "repository_creation_template"])
def test_ecr_still_lacks_what_the_simulator_adds(noun: str) -> None:
    found = [name for name in ECRResponse.__dict__ if noun in name]
    assert found == [], f"moto has {found} now: serve moto's"


def test_a_repository_is_made_and_given_its_policies_as_the_cache_does_it() -> None:
    making = ["self", "repository_name", "registry_id", "encryption_config", "image_scan_config"]
    assert names(ECRBackend.create_repository)[:7] == [*making, "image_tag_mutability", "tags"]
    lifecycle = ["self", "registry_id", "repository_name", "lifecycle_policy_text"]
    assert names(ECRBackend.put_lifecycle_policy) == lifecycle
    assert names(ECRBackend.set_repository_policy) == ["self", "registry_id", "repository_name", "policy_text"]


def test_events_are_handed_to_each_rule_of_their_bus() -> None:
    assert "rule.send_to_targets(event_msg)" in inspect.getsource(EventsBackend.put_events)
    assert names(EventsBackend.put_targets) == ["self", "name", "event_bus_arn", "targets"]
    assert names(Rule.send_to_targets) == ["self", "original_event", "transform_input"]
    events = events_backends[ACCOUNT][REGION]
    rule = events.put_rule("r", description="", event_pattern='{"source": ["x"]}', state="ENABLED", tags=[])
    assert (rule.state, rule.targets) == ("ENABLED", [])
    assert rule.arn == f"arn:aws:events:{REGION}:{ACCOUNT}:rule/r"
    assert rule.event_pattern.matches_event({"source": "x"})  # type: ignore[typeddict-item]
    assert not rule.event_pattern.matches_event({"source": "y"})  # type: ignore[typeddict-item]


def test_a_queue_knows_its_policy_and_key_and_hears_of_every_message() -> None:
    policy = '{"Statement": [{"Sid": "x"}]}'
    queue = sqs_backends[ACCOUNT][REGION].create_queue("q", None, KmsMasterKeyId="key", Policy=policy)
    assert sqs_backends[ACCOUNT][REGION].queues["q"] is queue
    assert (queue.attributes["KmsMasterKeyId"], queue.policy) == ("key", policy)
    assert names(Queue._set_attributes) == ["self", "attributes", "now"]
    assert queue._policy_json["Statement"]
    assert (queue.account_id, queue.region, queue.name) == (ACCOUNT, REGION, "q")
    receiving = ["self", "queue_name", "count", "wait_seconds_timeout", "visibility_timeout"]
    assert names(SQSBackend.receive_message)[:5] == receiving
    assert names(Queue.add_message) == ["self", "message"]
    assert "queue.add_message(message)" in inspect.getsource(SQSBackend.send_message)
    assert Message("1", "body").body == "body"


def test_backends_can_be_forgotten() -> None:
    assert callable(BackendDict.reset)


def test_hooks_leave_moto_as_they_found_it() -> None:
    before = EFSResponse.__dict__["create_file_system"]
    hooks = Hooks()
    hooks.replace(EFSResponse, "create_file_system", lambda response: "")
    hooks.replace(EFSResponse, "added", lambda response: "")
    hooks.restore()
    assert EFSResponse.__dict__["create_file_system"] is before
    assert "added" not in EFSResponse.__dict__


def test_iam_and_service_quotas_still_lack_what_the_simulator_adds() -> None:
    assert "simulate_principal_policy" not in IamResponse.__dict__, "moto simulates policies now: serve moto's"
    assert "get_aws_default_service_quota" not in ServiceQuotasResponse.__dict__
    assert "fargate" not in inspect.getsource(ServiceQuotasBackend.get_service_quota)
    assert names(ServiceQuotasBackend.get_service_quota) == ["self", "service_code", "quota_code"]


def test_a_caller_with_an_access_key_of_another_form_is_made_up() -> None:
    assert names(TokenResponse.get_caller_identity) == ["self"]
    assert STSBackend(REGION, ACCOUNT).get_caller_identity("test", REGION)[1].endswith(":user/moto")
