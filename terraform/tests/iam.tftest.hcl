# Who may do what, as IAM will read it. The provider is a mock, so the policies' text is what the module wrote.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  override_resource {
    target = aws_iam_role.execution
    values = { arn = "arn:aws:iam::123456789012:role/execution" }
  }

  override_resource {
    target = aws_iam_role.task
    values = { arn = "arn:aws:iam::123456789012:role/task" }
  }
}

variables {
  name                   = "test"
  region                 = "eu-central-1"
  cluster_arn            = "arn:aws:ecs:eu-central-1:123456789012:cluster/test"
  log_group_arn          = "arn:aws:logs:eu-central-1:123456789012:log-group:/test"
  images_repository_arn  = "arn:aws:ecr:eu-central-1:123456789012:repository/test/images"
  agent_repository_arn   = "arn:aws:ecr:eu-central-1:123456789012:repository/test/agent"
  file_system_arn        = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123456789abcdef0"
  agent_access_point_arn = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0"
}

run "policies_say_what_they_should" {
  command = apply

  module {
    source = "./modules/iam"
  }

  assert {
    condition = alltrue([for role in [aws_iam_role.execution, aws_iam_role.task, aws_iam_role.agent_installer] : (
      jsondecode(role.assume_role_policy).Statement[0].Principal == { Service = "ecs-tasks.amazonaws.com" } &&
      jsondecode(role.assume_role_policy).Statement[0].Condition == {
        StringEquals = { "aws:SourceAccount" = "123456789012" }
        ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:eu-central-1:123456789012:*" }
      }
    )])
    error_message = "A role can be taken by something else than this account's tasks in this region."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_policy.daemon.policy).Statement : statement if statement.Action == "iam:PassRole"] == [{
      Sid       = "PassTheTwoRoles"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = ["arn:aws:iam::123456789012:role/execution", "arn:aws:iam::123456789012:role/task"]
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    }]
    error_message = "The daemon may pass other roles than execution and task, or to something else than tasks."
  }

  assert {
    condition = toset(flatten([for statement in jsondecode(aws_iam_policy.daemon.policy).Statement : statement.Action
      if statement.Resource == "*"])) == toset([
      "ec2:DescribeNetworkInterfaces",
      "ecr:GetAuthorizationToken",
      "ecs:DeregisterTaskDefinition",
      "ecs:ListTaskDefinitions",
      "ecs:ListTasks",
      "ecs:RegisterTaskDefinition",
    ])
    error_message = "The daemon may do something on every resource that AWS lets us narrow."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_policy.daemon.policy).Statement :
    alltrue([for action in flatten([statement.Action]) : !strcontains(action, "*")])])
    error_message = "The daemon's policy has a wildcard among its actions."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_policy.daemon.policy).Statement : statement.Condition
    if statement.Action == "ecs:RunTask"] == [{ ArnEquals = { "ecs:cluster" = "arn:aws:ecs:eu-central-1:123456789012:cluster/test" } }]
    error_message = "The daemon may run tasks on other clusters."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.task.policy).Statement : statement if statement.Effect == "Deny"] == [{
      Sid       = "AgentIsReadOnly"
      Effect    = "Deny"
      Action    = ["elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
      Resource  = "arn:aws:elasticfilesystem:eu-central-1:123456789012:file-system/fs-0123456789abcdef0"
      Condition = { ArnEquals = { "elasticfilesystem:AccessPointArn" = "arn:aws:elasticfilesystem:eu-central-1:123456789012:access-point/fsap-0123456789abcdef0" } }
    }]
    error_message = "Containers may write to the agent's access point."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.task.policy).Statement :
    try(statement.Condition.ArnLike, statement.Condition.ArnEquals)["elasticfilesystem:AccessPointArn"] != ""])
    error_message = "Containers may mount EFS without an access point."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_iam_role_policy.execution.policy).Statement :
    statement.Resource != "*" || statement.Action == "ecr:GetAuthorizationToken"])
    error_message = "ECS may do more than sign in to ECR on every resource."
  }
}
