# The ways to AWS that leave the internet out: which there are, for whom, to what. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1c", "eu-central-1a", "eu-central-1b"]
    }
  }

  mock_data "aws_caller_identity" {
    defaults = {
      account_id = "123456789012"
    }
  }

  mock_data "aws_partition" {
    defaults = {
      partition = "aws"
    }
  }
}

variables {
  name      = "test"
  region    = "eu-central-1"
  flow_logs = "off"
}

run "behind_nat_s3_has_the_one_endpoint" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  assert {
    condition     = length(output.interface_endpoints) == 0 && length(aws_security_group.endpoints) == 0
    error_message = "There are interface endpoints beside a NAT gateway."
  }

  assert {
    condition = aws_vpc_endpoint.s3[0].vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3[0].service_name == "com.amazonaws.eu-central-1.s3" && toset(concat(aws_vpc_endpoint_route_table_association.s3_public[*].route_table_id, values(aws_vpc_endpoint_route_table_association.s3_private)[*].route_table_id)) == toset(concat(
      aws_route_table.public[*].id, values(aws_route_table.private)[*].id
    ))
    error_message = "S3 is not reached by a gateway endpoint from every subnet."
  }
}

run "behind_nat_any_bucket_is_reached" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  assert {
    condition     = [for statement in jsondecode(aws_vpc_endpoint.s3[0].policy).Statement : keys(statement)] == [["Action", "Effect", "Principal", "Resource", "Sid"]]
    error_message = "An endpoint that was private before would keep its policy."
  }
}

run "in_public_s3_has_the_one_endpoint" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "public"
  }

  assert {
    condition     = length(output.interface_endpoints) == 0 && aws_vpc_endpoint_route_table_association.s3_public[0].route_table_id == aws_route_table.public[0].id && length(aws_vpc_endpoint_route_table_association.s3_private) == 0
    error_message = "S3 is not reached by the one gateway endpoint."
  }
}

run "private_has_the_endpoints_that_tasks_and_daemon_call" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    network = "private"
  }

  assert {
    condition     = output.interface_endpoints == tolist(["ecr.api", "ecr.dkr", "ecs", "elasticfilesystem", "logs", "sqs"])
    error_message = "The interface endpoints are not exactly those that tasks and the daemon call."
  }

  assert {
    condition = alltrue([for service, endpoint in aws_vpc_endpoint.interface : (
      endpoint.service_name == "com.amazonaws.eu-central-1.${service}" && endpoint.vpc_endpoint_type == "Interface" && endpoint.private_dns_enabled &&
      endpoint.subnet_ids == toset(output.private_subnet_ids) && endpoint.security_group_ids == toset([aws_security_group.endpoints[0].id])
    )])
    error_message = "An endpoint is not there under AWS's own name in every zone."
  }

  assert {
    condition     = toset(values(aws_vpc_endpoint_route_table_association.s3_private)[*].route_table_id) == toset(values(aws_route_table.private)[*].id) && length(aws_vpc_endpoint_route_table_association.s3_public) == 0
    error_message = "S3 is not reached from every subnet."
  }

  assert {
    condition = (
      aws_vpc_security_group_ingress_rule.endpoints_tasks[0].referenced_security_group_id == aws_security_group.tasks[0].id &&
      aws_vpc_security_group_ingress_rule.endpoints_daemon_group[0].referenced_security_group_id == aws_security_group.daemon[0].id &&
      length(aws_vpc_security_group_ingress_rule.endpoints_daemon) == 0
    )
    error_message = "Others than tasks and the daemon reach the endpoints."
  }

  assert {
    condition = alltrue([for endpoint in aws_vpc_endpoint.interface : alltrue([
      for statement in jsondecode(endpoint.policy).Statement : statement.Condition == { StringEquals = { "aws:PrincipalAccount" = "123456789012" } }
    ])])
    error_message = "Credentials of another account pass an endpoint."
  }

  assert {
    condition = [for statement in jsondecode(aws_vpc_endpoint.s3[0].policy).Statement : try(statement.Condition.StringEquals, statement.Resource)] == [
      "arn:aws:s3:::prod-eu-central-1-starport-layer-bucket/*", { "aws:PrincipalAccount" = "123456789012", "aws:ResourceAccount" = "123456789012" }
    ]
    error_message = "More than image layers and this account's buckets is reached."
  }
}

run "without_task_events_there_is_no_queue_to_reach" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network     = "private"
    task_events = false
  }

  assert {
    condition     = output.interface_endpoints == tolist(["ecr.api", "ecr.dkr", "ecs", "elasticfilesystem", "logs"])
    error_message = "There is an endpoint that nothing calls, or one is missing."
  }
}

run "a_daemon_outside_needs_no_endpoints" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "private"
    daemon_cidrs = ["192.168.7.0/24", "10.1.0.0/16"]
  }

  assert {
    condition     = output.interface_endpoints == tolist(["ecr.api", "ecr.dkr", "logs"])
    error_message = "There is an endpoint that nothing calls, or one is missing."
  }

  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.endpoints_daemon) == 0
    error_message = "Addresses outside the network reach the endpoints."
  }
}

run "a_daemon_whose_range_is_within_the_network_reaches_the_endpoints" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "private"
    daemon_cidrs = ["192.168.7.0/24", "10.0.200.0/28"]
  }

  assert {
    condition     = length(output.interface_endpoints) == 6 && keys(aws_vpc_security_group_ingress_rule.endpoints_daemon) == ["10.0.200.0/28"]
    error_message = "A daemon in the network does not reach AWS."
  }
}

run "a_daemon_whose_range_holds_the_network_reaches_the_endpoints" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    network      = "private"
    daemon_cidrs = ["10.0.0.0/8"]
  }

  assert {
    condition     = length(output.interface_endpoints) == 6 && keys(aws_vpc_security_group_ingress_rule.endpoints_daemon) == ["10.0.0.0/8"]
    error_message = "A daemon in the network does not reach AWS."
  }
}

run "in_china_the_endpoints_have_chinese_names" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws-cn" }
  }

  variables {
    region  = "cn-north-1"
    network = "private"
  }

  assert {
    condition = { for service, endpoint in aws_vpc_endpoint.interface : service => endpoint.service_name } == {
      "ecr.api"         = "cn.com.amazonaws.cn-north-1.ecr.api"
      "ecr.dkr"         = "cn.com.amazonaws.cn-north-1.ecr.dkr"
      ecs               = "com.amazonaws.cn-north-1.ecs"
      elasticfilesystem = "cn.com.amazonaws.cn-north-1.elasticfilesystem"
      logs              = "com.amazonaws.cn-north-1.logs"
      sqs               = "cn.com.amazonaws.cn-north-1.sqs"
    }
    error_message = "An endpoint has a name that AWS does not know in China."
  }
}
