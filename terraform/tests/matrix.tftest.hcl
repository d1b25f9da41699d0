# The whole deployment over the option matrix: each network with each encryption. The provider is a mock.
#
# Ingress rule by rule, endpoints and keys are in the files beside this one, module by module.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-central-1a", "eu-central-1b"] }
  }

  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_vpc" {
    defaults = { enable_dns_support = true, enable_dns_hostnames = true }
  }

  mock_data "aws_subnet" {
    defaults = { vpc_id = "vpc-0123456789abcdef0", availability_zone = "eu-central-1a" }
  }

  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-central-1:123456789012:key/1" }
  }

  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/test" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:eu-central-1:123456789012:test" }
  }

  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/test" }
  }

  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/test" }
  }
}

variables {
  name   = "test"
  region = "eu-central-1"
}

run "nat_with_a_key_of_one_s_own" {
  command = apply

  variables {
    network    = "nat"
    encryption = "customer"
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == ["arn:aws:kms:eu-central-1:123456789012:key/1"]
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network nat puts them."
  }
}

run "nat_with_aws_s_keys" {
  command = apply

  variables {
    network    = "nat"
    encryption = "aws"
  }

  assert {
    condition     = output.kms_key_arn == ""
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == []
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network nat puts them."
  }
}

run "public_with_a_key_of_one_s_own" {
  command = apply

  variables {
    network    = "public"
    encryption = "customer"
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == ["arn:aws:kms:eu-central-1:123456789012:key/1"]
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == true && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network public puts them."
  }
}

run "public_with_aws_s_keys" {
  command = apply

  variables {
    network    = "public"
    encryption = "aws"
  }

  assert {
    condition     = output.kms_key_arn == ""
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == []
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == true && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network public puts them."
  }
}

run "private_with_a_key_of_one_s_own" {
  command = apply

  variables {
    network    = "private"
    encryption = "customer"
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == ["arn:aws:kms:eu-central-1:123456789012:key/1"]
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 6 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network private puts them."
  }
}

run "private_with_aws_s_keys" {
  command = apply

  variables {
    network    = "private"
    encryption = "aws"
  }

  assert {
    condition     = output.kms_key_arn == ""
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == []
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 6 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network private puts them."
  }
}

run "existing_with_a_key_of_one_s_own" {
  command = apply

  variables {
    network    = "existing"
    encryption = "customer"
    vpc_id     = "vpc-0123456789abcdef0"
    subnet_ids = ["subnet-0123456789abcdef0"]
  }

  assert {
    condition     = output.kms_key_arn == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == ["arn:aws:kms:eu-central-1:123456789012:key/1"]
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network existing puts them."
  }
}

run "existing_with_aws_s_keys" {
  command = apply

  variables {
    network    = "existing"
    encryption = "aws"
    vpc_id     = "vpc-0123456789abcdef0"
    subnet_ids = ["subnet-0123456789abcdef0"]
  }

  assert {
    condition     = output.kms_key_arn == ""
    error_message = "The deployment is encrypted by another key."
  }

  assert {
    condition     = [for statement in jsondecode(output.daemon_policy).Statement : statement.Resource if statement.Action == "kms:Decrypt"] == []
    error_message = "The daemon decrypts with something else than the deployment's key."
  }

  assert {
    condition = [for statement in jsondecode(output.daemon_policy).Statement : statement.Condition if statement.Action == "iam:PassRole"] == [
      { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    ]
    error_message = "The daemon passes roles to something else than tasks."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.interface_endpoints) == 0 && length(output.security_group_ids) == 1
    error_message = "Tasks are not where network existing puts them."
  }
}
