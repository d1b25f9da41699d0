# The network of each mode: how its range is cut, its ways out. No account is needed: the provider is a mock.
# Who may reach what is in security_groups.tftest.hcl, the other parts in endpoints, flow_logs and existing_network.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1c", "eu-central-1a", "eu-central-1b", "eu-central-1f", "eu-central-1e", "eu-central-1d"]
    }
  }
}

variables {
  name      = "test"
  region    = "eu-central-1"
  flow_logs = "off"
}

run "two_zones_of_the_default_range" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == ["10.0.0.0/19", "10.0.32.0/19"]
    error_message = "The private subnets are not the first quarters of the range's lower half."
  }

  assert {
    condition     = values(aws_subnet.public)[*].cidr_block == ["10.0.128.0/21", "10.0.160.0/21"]
    error_message = "The public subnets do not begin the quarters of the range's upper half."
  }

  assert {
    condition     = keys(aws_subnet.private) == ["eu-central-1a", "eu-central-1b"] && output.zone_names == tolist(["eu-central-1a", "eu-central-1b"])
    error_message = "The zones are not the region's first ones by name."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch == false])
    error_message = "A public subnet gives public addresses to whatever starts in it."
  }

  assert {
    condition     = length(aws_default_security_group.closed[0].ingress) == 0 && length(aws_default_security_group.closed[0].egress) == 0
    error_message = "The default security group lets something through."
  }

  assert {
    condition     = contains(data.aws_availability_zones.available[0].exclude_zone_ids, "usw1-az2")
    error_message = "A zone that Fargate does not run in may be taken."
  }
}

run "a_third_zone_moves_no_subnet" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    zones = 3
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == ["10.0.0.0/19", "10.0.32.0/19", "10.0.64.0/19"] && values(aws_subnet.public)[*].cidr_block == ["10.0.128.0/21", "10.0.160.0/21", "10.0.192.0/21"]
    error_message = "Adding a zone moved a subnet that stands."
  }
}

run "a_24_with_three_zones" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    zones        = 3
    network_cidr = "10.0.7.0/24"
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == ["10.0.7.0/27", "10.0.7.32/27", "10.0.7.64/27"]
    error_message = "The private subnets of a /24 are not /27."
  }

  assert {
    condition     = values(aws_subnet.public)[*].cidr_block == ["10.0.7.128/28", "10.0.7.160/28", "10.0.7.192/28"]
    error_message = "The public subnets of a /24 are not /28, AWS's least."
  }
}

run "a_24_with_six_zones_behind_nat" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    zones        = 6
    network_cidr = "10.0.7.0/24"
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == [for index in range(6) : "10.0.7.${index * 16}/28"]
    error_message = "The private subnets are not the first six /28."
  }

  assert {
    condition     = values(aws_subnet.public)[*].cidr_block == [for index in range(6) : "10.0.7.${128 + index * 16}/28"]
    error_message = "The public subnets are not the first six /28 of the upper half."
  }
}

run "a_24_with_six_zones_in_public" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "public"
    zones        = 6
    network_cidr = "10.0.7.0/24"
  }

  assert {
    condition     = values(aws_subnet.public)[*].cidr_block == [for index in range(6) : "10.0.7.${128 + index * 16}/28"]
    error_message = "The public subnets are not the first six /28 of the upper half."
  }
}

run "a_24_with_six_zones_in_private" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "private"
    zones        = 6
    network_cidr = "10.0.7.0/24"
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == [for index in range(6) : "10.0.7.${index * 16}/28"]
    error_message = "The private subnets are not the first six /28."
  }
}

run "one_zone_is_enough" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    zones        = 1
    nat_gateways = "zone"
    network_cidr = "10.0.0.0/20"
  }

  assert {
    condition     = values(aws_subnet.private)[*].cidr_block == ["10.0.0.0/23"] && keys(aws_nat_gateway.this) == ["eu-central-1a"]
    error_message = "One zone has not one private subnet and one NAT gateway."
  }
}

run "more_zones_than_the_region_has_are_refused" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_availability_zones.available[0]
    values = { names = ["eu-central-1a", "eu-central-1b", "eu-central-1c"] }
  }

  variables {
    zones = 4
  }

  expect_failures = [aws_vpc.this[0]]
}

run "one_nat_gateway_serves_all_zones" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    zones = 3
  }

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"] && keys(aws_eip.nat) == ["eu-central-1a"]
    error_message = "There is not exactly one NAT gateway, in the first zone."
  }

  assert {
    condition = length(aws_route.private_nat) == 3 && alltrue([for route in aws_route.private_nat : (
      route.nat_gateway_id == aws_nat_gateway.this["eu-central-1a"].id && route.destination_cidr_block == "0.0.0.0/0"
    )])
    error_message = "A private subnet does not reach the internet through the one NAT gateway."
  }

  assert {
    condition     = output.task_subnet_ids == output.private_subnet_ids && output.mount_subnet_ids == output.private_subnet_ids && output.assign_public_ip == false
    error_message = "Tasks do not run in the private subnets without public addresses."
  }
}

run "each_zone_has_its_own_nat_gateway" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    zones        = 3
    nat_gateways = "zone"
  }

  assert {
    condition = keys(aws_nat_gateway.this) == ["eu-central-1a", "eu-central-1b", "eu-central-1c"] && alltrue([for zone, gateway in aws_nat_gateway.this : (
      gateway.subnet_id == aws_subnet.public[zone].id && aws_route.private_nat[zone].nat_gateway_id == gateway.id
    )])
    error_message = "A zone's way out leads through another zone."
  }
}

run "public_has_no_nat_and_no_private_subnet" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "public"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 && length(aws_subnet.private) == 0 && length(aws_route.private_nat) == 0
    error_message = "Network public has a NAT gateway, its address or a private subnet."
  }

  assert {
    condition     = values(aws_subnet.public)[*].cidr_block == ["10.0.128.0/19", "10.0.160.0/19"]
    error_message = "Subnets that tasks run in are not a quarter of a half each."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch == false])
    error_message = "A public subnet gives public addresses to whatever starts in it."
  }

  assert {
    condition     = aws_route.public_internet[0].gateway_id == aws_internet_gateway.this[0].id && length(aws_route_table_association.public) == 2
    error_message = "A public subnet has no way to the internet."
  }

  assert {
    condition     = output.task_subnet_ids == output.public_subnet_ids && output.mount_subnet_ids == output.public_subnet_ids && output.assign_public_ip
    error_message = "Tasks do not run in the public subnets with public addresses."
  }
}

run "private_has_no_way_to_the_internet" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "private"
  }

  assert {
    condition = (
      length(aws_internet_gateway.this) == 0 && length(aws_nat_gateway.this) == 0 && length(aws_eip.nat) == 0 &&
      length(aws_subnet.public) == 0 && length(aws_route.public_internet) == 0 && length(aws_route.private_nat) == 0
    )
    error_message = "Network private has a way to the internet."
  }

  assert {
    condition     = output.task_subnet_ids == output.private_subnet_ids && output.mount_subnet_ids == output.private_subnet_ids && output.assign_public_ip == false
    error_message = "Tasks do not run in the private subnets without public addresses."
  }
}
