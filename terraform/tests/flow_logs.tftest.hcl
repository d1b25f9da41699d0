# Flow logs: what is logged, for how long, by whom. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = {
      names = ["eu-central-1a", "eu-central-1b"]
    }
  }
}

variables {
  name   = "test"
  region = "eu-central-1"
}

run "rejected_traffic_is_logged" {
  command = apply

  module {
    source = "./modules/vpc"
  }

  variables {
    flow_log_retention_days = 400
    kms_key_arn             = "arn:aws:kms:eu-central-1:123456789012:key/0a"
    permissions_boundary    = "arn:aws:iam::123456789012:policy/boundary"
  }

  override_resource {
    target = aws_iam_role.flow_logs[0]
    values = { arn = "arn:aws:iam::123456789012:role/flow-logs" }
  }

  override_resource {
    target = aws_cloudwatch_log_group.flow_logs[0]
    values = { arn = "arn:aws:logs:eu-central-1:123456789012:log-group:/test/flow-logs" }
  }

  override_data {
    target = data.aws_caller_identity.current
    values = { account_id = "123456789012" }
  }

  override_data {
    target = data.aws_partition.current
    values = { partition = "aws" }
  }

  assert {
    condition     = aws_flow_log.this[0].traffic_type == "REJECT" && aws_flow_log.this[0].vpc_id == aws_vpc.this[0].id
    error_message = "Rejected traffic of the network is not logged."
  }

  assert {
    condition = (
      aws_cloudwatch_log_group.flow_logs[0].name == "/test/flow-logs" && aws_cloudwatch_log_group.flow_logs[0].retention_in_days == 400 &&
      aws_cloudwatch_log_group.flow_logs[0].kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/0a"
    )
    error_message = "Flow logs are not kept encrypted for as long as asked."
  }

  assert {
    condition     = aws_iam_role.flow_logs[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The flow logs' role is not bounded."
  }

  assert {
    condition = jsondecode(aws_iam_role.flow_logs[0].assume_role_policy).Statement[0].Condition == {
      StringEquals = { "aws:SourceAccount" = "123456789012" }
      ArnLike      = { "aws:SourceArn" = "arn:aws:ec2:eu-central-1:123456789012:vpc-flow-log/*" }
    }
    error_message = "Flow logs of another account may take the role."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.flow_logs[0].policy).Statement :
    statement.Resource != "*" || statement.Action == "logs:DescribeLogGroups"])
    error_message = "The flow logs' role may write anywhere."
  }
}

run "all_traffic_is_logged_when_asked" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    flow_logs = "all"
  }

  assert {
    condition     = aws_flow_log.this[0].traffic_type == "ALL" && aws_cloudwatch_log_group.flow_logs[0].kms_key_id == null
    error_message = "Not all traffic is logged."
  }
}

run "nothing_is_logged_when_asked" {
  command = plan

  module {
    source = "./modules/vpc"
  }

  variables {
    flow_logs = "off"
  }

  assert {
    condition     = length(aws_flow_log.this) == 0 && length(aws_iam_role.flow_logs) == 0 && length(aws_cloudwatch_log_group.flow_logs) == 0
    error_message = "Flow logs are made though they are off."
  }
}
