# Who may reach tasks, and what they may reach. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
    }
  }
}

variables {
  name      = "test"
  region    = "eu-central-1"
  flow_logs = "off"
}

run "tasks_do_not_reach_each_other_s_agents" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  assert {
    condition = alltrue([for rule in aws_vpc_security_group_ingress_rule.members : (
      contains(["udp", "icmp"], rule.ip_protocol) || rule.ip_protocol == "tcp" && (rule.to_port < 9111 || rule.from_port > 9111)
    )])
    error_message = "The agents' port is open to every task."
  }

  assert {
    condition = sort([for rule in aws_vpc_security_group_ingress_rule.members : "${rule.ip_protocol} ${rule.from_port}-${rule.to_port}"]) == tolist([
      "icmp -1--1", "tcp 0-9110", "tcp 9112-65535", "udp 0-65535"
    ])
    error_message = "Tasks do not reach each other on every port but the agents'."
  }

  assert {
    condition = alltrue([for rule in aws_vpc_security_group_ingress_rule.members : (
      rule.security_group_id == aws_security_group.tasks[0].id && rule.referenced_security_group_id == aws_security_group.tasks[0].id
    )])
    error_message = "Others than tasks reach tasks."
  }
}

run "by_default_only_the_daemon_s_group_reaches_agents" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  assert {
    condition = length(aws_vpc_security_group_ingress_rule.agent) == 0 && alltrue([for rule in aws_vpc_security_group_ingress_rule.agent_daemon : (
      rule.referenced_security_group_id == aws_security_group.daemon[0].id && rule.security_group_id == aws_security_group.tasks[0].id &&
      rule.ip_protocol == "tcp" && rule.from_port == 9111 && rule.to_port == 9111
    )]) && length(aws_vpc_security_group_ingress_rule.agent_daemon) == 1
    error_message = "The agents' port is open to more, or to less, than the daemon's security group."
  }

  assert {
    condition     = output.daemon_security_group_ids == tolist([aws_security_group.daemon[0].id])
    error_message = "The daemon's security group is not told."
  }
}

run "agents_are_reached_from_where_the_daemon_is" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    daemon_cidrs = ["192.168.7.0/24"]
  }

  assert {
    condition = keys(aws_vpc_security_group_ingress_rule.agent) == ["192.168.7.0/24"] && alltrue([for rule in aws_vpc_security_group_ingress_rule.agent : (
      rule.cidr_ipv4 == "192.168.7.0/24" && rule.ip_protocol == "tcp" && rule.from_port == 9111 && rule.to_port == 9111
    )])
    error_message = "The agents' port is not open to exactly the daemon's range."
  }
}

run "public_lets_in_the_daemon_and_nobody_else" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "public"
    daemon_cidrs = ["203.0.113.7/32"]
  }

  assert {
    condition = keys(aws_vpc_security_group_ingress_rule.agent) == ["203.0.113.7/32"] && alltrue([for rule in aws_vpc_security_group_ingress_rule.agent : (
      rule.ip_protocol == "tcp" && rule.from_port == 9111 && rule.to_port == 9111
    )])
    error_message = "The internet reaches more than the agents' port, or from elsewhere than the daemon."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.agent_daemon) == 0 && length(aws_security_group.daemon) == 0
    error_message = "There is a security group for a daemon inside, which public addresses are not dialled from."
  }
}

run "public_lets_nobody_in_unless_told" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "public"
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.agent) == 0 && length(aws_vpc_security_group_ingress_rule.agent_daemon) == 0
    error_message = "Somebody reaches the agents though nobody was named."
  }
}

run "containers_reach_the_internet" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  assert {
    condition = sort([for rule in aws_vpc_security_group_egress_rule.anywhere : "${rule.ip_protocol} ${rule.from_port}-${rule.to_port} ${rule.cidr_ipv4}"]) == tolist([
      "icmp 8-0 0.0.0.0/0", "tcp 0-65535 0.0.0.0/0", "udp 0-65535 0.0.0.0/0"
    ])
    error_message = "Containers do not reach every TCP and UDP port, and ping, anywhere."
  }
}

run "containers_of_a_private_network_reach_what_they_need_only" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "private"
  }

  assert {
    condition     = length(aws_vpc_security_group_egress_rule.anywhere) == 0 && length(aws_vpc_security_group_egress_rule.daemon_anywhere) == 0
    error_message = "Something may leave for the internet."
  }

  assert {
    condition     = length(aws_vpc_security_group_egress_rule.daemon) == 0
    error_message = "Containers reach addresses outside though no daemon is there."
  }

  assert {
    condition = alltrue([for rule in concat(
      aws_vpc_security_group_egress_rule.endpoints, aws_vpc_security_group_egress_rule.daemon_endpoints
    ) : rule.referenced_security_group_id == aws_security_group.endpoints[0].id && rule.from_port == 443 && rule.to_port == 443])
    error_message = "Tasks or the daemon do not reach the endpoints by HTTPS."
  }

  assert {
    condition = alltrue([for rule in concat(
      aws_vpc_security_group_egress_rule.s3, aws_vpc_security_group_egress_rule.daemon_s3
    ) : rule.prefix_list_id == aws_vpc_endpoint.s3[0].prefix_list_id && rule.from_port == 443 && rule.to_port == 443])
    error_message = "Tasks or the daemon do not reach S3 by HTTPS."
  }

  assert {
    condition     = aws_vpc_security_group_egress_rule.efs[0].cidr_ipv4 == "10.0.0.0/16" && aws_vpc_security_group_egress_rule.efs[0].from_port == 2049 && aws_vpc_security_group_egress_rule.efs[0].to_port == 2049
    error_message = "Tasks do not reach EFS."
  }

  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_egress_rule.members : rule.referenced_security_group_id == aws_security_group.tasks[0].id]) && length(aws_vpc_security_group_egress_rule.members) == 4
    error_message = "Tasks do not reach each other."
  }
}

run "agents_of_a_private_network_call_the_daemon_where_it_is" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "private"
    daemon_cidrs = ["192.168.7.0/24"]
  }

  assert {
    condition = alltrue([for rule in aws_vpc_security_group_egress_rule.daemon : (
      rule.cidr_ipv4 == "192.168.7.0/24" && rule.ip_protocol == "tcp"
    )]) && length(aws_vpc_security_group_egress_rule.daemon) == 1
    error_message = "The agents do not reach exactly the daemon's range."
  }
}
