# The network: how its range is cut, and who may reach what. No account is needed: the provider is a mock.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
    }
  }
}

run "two_zones_of_the_default_range" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 2
    network_cidr = "10.0.0.0/16"
  }

  assert {
    condition     = [for zone in ["eu-central-1a", "eu-central-1b"] : aws_subnet.private[zone].cidr_block] == ["10.0.0.0/19", "10.0.32.0/19"]
    error_message = "The private subnets are not the first quarters of the range's lower half."
  }

  assert {
    condition     = [for zone in ["eu-central-1a", "eu-central-1b"] : aws_subnet.public[zone].cidr_block] == ["10.0.128.0/21", "10.0.136.0/21"]
    error_message = "The public subnets do not stand at the start of the range's upper half."
  }

  assert {
    condition     = alltrue([for subnet in aws_subnet.public : subnet.map_public_ip_on_launch == false])
    error_message = "A public subnet gives public addresses to whatever starts in it."
  }

  assert {
    condition     = length(aws_default_security_group.closed.ingress) == 0 && length(aws_default_security_group.closed.egress) == 0
    error_message = "The default security group lets something through."
  }
}

run "a_third_zone_moves_no_subnet" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 3
    network_cidr = "10.0.0.0/16"
  }

  assert {
    condition     = aws_subnet.private["eu-central-1a"].cidr_block == "10.0.0.0/19" && aws_subnet.public["eu-central-1a"].cidr_block == "10.0.128.0/21"
    error_message = "Adding a zone moved a subnet that stands."
  }
}

run "the_smallest_range_is_cut_into_subnets_aws_takes" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 3
    network_cidr = "10.0.7.0/24"
  }

  assert {
    condition     = [for zone in ["eu-central-1a", "eu-central-1b", "eu-central-1c"] : aws_subnet.private[zone].cidr_block] == ["10.0.7.0/27", "10.0.7.32/27", "10.0.7.64/27"]
    error_message = "The private subnets of a /24 are not /27."
  }

  assert {
    condition     = [for zone in ["eu-central-1a", "eu-central-1b", "eu-central-1c"] : aws_subnet.public[zone].cidr_block] == ["10.0.7.128/28", "10.0.7.144/28", "10.0.7.160/28"]
    error_message = "The public subnets of a /24 are not /28, AWS's least."
  }
}

run "more_zones_than_the_region_has_are_refused" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 4
    network_cidr = "10.0.0.0/16"
  }

  expect_failures = [aws_vpc.this]
}

run "agents_are_reached_from_the_network_only" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 1
    network_cidr = "10.0.0.0/16"
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.agent) == ["10.0.0.0/16"]
    error_message = "The agents' port is open to more, or to less, than the network itself."
  }

  assert {
    condition = alltrue([for rule in aws_vpc_security_group_ingress_rule.agent : (
      rule.ip_protocol == "tcp" && rule.from_port == 9111 && rule.to_port == 9111
    )])
    error_message = "More than TCP 9111 is open."
  }
}

run "agents_are_reached_from_where_the_daemon_is" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    name         = "test"
    zones        = 1
    network_cidr = "10.0.0.0/16"
    daemon_cidrs = ["192.168.7.0/24"]
  }

  assert {
    condition     = keys(aws_vpc_security_group_ingress_rule.agent) == ["192.168.7.0/24"]
    error_message = "The agents' port is not open to exactly the daemon's range."
  }
}
