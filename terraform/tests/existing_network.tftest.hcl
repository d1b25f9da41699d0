# Network existing: your VPC and subnets are looked at and nothing of theirs is changed. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_vpc" {
    defaults = {
      enable_dns_support   = true
      enable_dns_hostnames = true
    }
  }

  mock_data "aws_subnet" {
    defaults = {
      vpc_id            = "vpc-0123456789abcdef0"
      availability_zone = "eu-central-1b"
    }
  }

  mock_data "aws_security_group" {
    defaults = {
      vpc_id = "vpc-0123456789abcdef0"
    }
  }
}

variables {
  name       = "test"
  region     = "eu-central-1"
  network    = "existing"
  vpc_id     = "vpc-0123456789abcdef0"
  subnet_ids = ["subnet-0c", "subnet-0b", "subnet-0a"]
}

run "only_security_groups_are_made" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_subnet.existing["subnet-0b"]
    values = {
      vpc_id            = "vpc-0123456789abcdef0"
      availability_zone = "eu-central-1a"
    }
  }

  override_data {
    target = data.aws_vpc.existing[0]
    values = {
      id                   = "vpc-0123456789abcdef0"
      enable_dns_support   = true
      enable_dns_hostnames = true
    }
  }

  assert {
    condition = (
      length(aws_vpc.this) + length(aws_subnet.private) + length(aws_subnet.public) + length(aws_default_security_group.closed) +
      length(aws_internet_gateway.this) + length(aws_nat_gateway.this) + length(aws_eip.nat) + length(aws_route_table.private) +
      length(aws_route_table.public) + length(aws_route.public_internet) + length(aws_route.private_nat) +
      length(aws_vpc_endpoint.s3) + length(aws_vpc_endpoint.interface) + length(aws_flow_log.this)
    ) == 0
    error_message = "Something is made in, or changed of, a VPC that is not ours."
  }

  assert {
    condition     = aws_security_group.tasks[0].vpc_id == "vpc-0123456789abcdef0" && output.task_security_group_ids == tolist([aws_security_group.tasks[0].id])
    error_message = "The tasks' security group is not in the VPC that is there."
  }

  assert {
    condition     = output.vpc_id == "vpc-0123456789abcdef0" && output.task_subnet_ids == tolist(["subnet-0c", "subnet-0b", "subnet-0a"])
    error_message = "Tasks do not run in the subnets that were named."
  }

  assert {
    condition     = output.zone_names == tolist(["eu-central-1a", "eu-central-1b"]) && output.mount_subnet_ids == tolist(["subnet-0b", "subnet-0a"])
    error_message = "There is not one subnet a zone for mount targets."
  }

  assert {
    condition     = output.assign_public_ip == false && length(output.public_subnet_ids) == 0 && length(output.private_subnet_ids) == 0
    error_message = "The outputs tell of subnets that are not made here."
  }
}

run "given_security_groups_are_taken_as_they_are" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    security_group_ids = ["sg-0a", "sg-0b"]
    daemon_cidrs       = ["192.168.0.0/24"]
    assign_public_ip   = true
  }

  assert {
    condition = output.task_security_group_ids == tolist(["sg-0a", "sg-0b"]) && length(output.daemon_security_group_ids) == 0 && (
      length(aws_security_group.tasks) + length(aws_security_group.daemon) + length(aws_vpc_security_group_ingress_rule.agent) +
      length(aws_vpc_security_group_ingress_rule.agent_daemon) + length(aws_vpc_security_group_ingress_rule.members) +
      length(aws_vpc_security_group_egress_rule.anywhere)
    ) == 0
    error_message = "Security groups that were given are not taken as they are."
  }

  assert {
    condition     = output.assign_public_ip
    error_message = "Tasks get no public addresses though they should."
  }
}

run "a_vpc_must_be_named" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    vpc_id     = ""
    subnet_ids = []
  }

  expect_failures = [data.aws_vpc.existing[0]]
}

run "a_vpc_without_dns_names_is_refused" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_vpc.existing[0]
    values = {
      enable_dns_support   = true
      enable_dns_hostnames = false
    }
  }

  expect_failures = [data.aws_vpc.existing[0]]
}

run "a_subnet_of_another_vpc_is_refused" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_subnet.existing["subnet-0c"]
    values = { vpc_id = "vpc-0fffffffffffffff0" }
  }

  expect_failures = [data.aws_subnet.existing["subnet-0c"]]
}

run "a_security_group_of_another_vpc_is_refused" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_security_group.existing["sg-0a"]
    values = { vpc_id = "vpc-0fffffffffffffff0" }
  }

  variables {
    security_group_ids = ["sg-0a"]
  }

  expect_failures = [data.aws_security_group.existing["sg-0a"]]
}
