# Who may do what, as IAM will read it. The provider is a mock, so the policies' text is what the module wrote.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
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
    condition     = output.daemon_policy == aws_iam_policy.daemon.policy
    error_message = "The kit prints another policy than the daemon's."
  }

  assert {
    condition     = alltrue([for role in [aws_iam_role.execution, aws_iam_role.task, aws_iam_role.agent_installer] : role.permissions_boundary == null])
    error_message = "A role is bounded by what nobody asked for."
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

run "options_add_what_they_need_and_no_more" {
  command = apply

  module {
    source = "./modules/iam"
  }

  variables {
    name                         = "a-deployment-of-32-characters-xx"
    region                       = "ap-southeast-1"
    permissions_boundary         = "arn:aws:iam::123456789012:policy/boundary"
    events_queue_arn             = "arn:aws:sqs:ap-southeast-1:123456789012:a-deployment-of-32-characters-xx-task-events"
    kms_key_arn                  = "arn:aws:kms:ap-southeast-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
    pull_through_repository_arns = [for upstream in ["docker-hub", "kubernetes", "public-ecr", "quay"] : "arn:aws:ecr:ap-southeast-1:123456789012:repository/a-prefix-of-18-chr/${upstream}/*"]
  }

  assert {
    condition = alltrue([for role in [aws_iam_role.execution, aws_iam_role.task, aws_iam_role.agent_installer] :
    role.permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"])
    error_message = "A role is not bounded."
  }

  assert {
    condition = jsonencode([for statement in jsondecode(aws_iam_policy.daemon.policy).Statement : statement if startswith(flatten([statement.Action])[0], "sqs:") || statement.Action == "kms:Decrypt"]) == jsonencode([
      {
        Sid      = "HearOfTasks"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
        Resource = "arn:aws:sqs:ap-southeast-1:123456789012:a-deployment-of-32-characters-xx-task-events"
      },
      {
        Sid      = "DecryptWhatItHears"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = "arn:aws:kms:ap-southeast-1:123456789012:key/01234567-89ab-cdef-0123-456789abcdef"
        Condition = {
          StringEquals = {
            "kms:ViaService"                    = "sqs.ap-southeast-1.amazonaws.com"
            "kms:EncryptionContext:aws:sqs:arn" = "arn:aws:sqs:ap-southeast-1:123456789012:a-deployment-of-32-characters-xx-task-events"
          }
        }
      },
    ])
    error_message = "The daemon may read other queues, or decrypt what they do not hold."
  }

  assert {
    condition = alltrue([for policy in [aws_iam_policy.daemon.policy, aws_iam_role_policy.execution.policy] :
      jsonencode([for statement in jsondecode(policy).Statement : statement.Resource if contains(flatten([statement.Action]), "ecr:CreateRepository")]) ==
    jsonencode([var.pull_through_repository_arns])])
    error_message = "Daemon or tasks may make other repositories than those of a cache."
  }

  # Source: IAM user guide, "IAM and AWS STS quotas": managed policies 6,144 characters, inline policies of a role 10,240.
  assert {
    condition     = length(aws_iam_policy.daemon.policy) <= 6144 && length(aws_iam_role_policy.execution.policy) <= 10240
    error_message = "A policy is longer than IAM takes."
  }
}
