# Who may do what. Four principals, none of whom can become another:
#   execution role        ECS itself, before a container runs: pull the image, open the log stream
#   task role             the containers: mount EFS through an access point, the agent's read-only
#   agent installer role  one short task during apply: write the agent into its access point
#   daemon policy         whoever runs the daemon; attach it to a role or user of yours (daemon_policy.tf)

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # IAM is global: the region keeps two deployments of one name in two regions apart.
  prefix = "${var.name}-${var.region}"

  # Only ECS, and only for tasks of this account in this region, may take these roles (confused deputy).
  tasks_trust_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FargateTasksOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${var.region}:${local.account}:*" }
      }
    }]
  })
}

resource "aws_iam_role" "execution" {
  name               = "${local.prefix}-execution"
  description        = "ECS pulls images and writes logs for tasks of ${var.name}"
  assume_role_policy = local.tasks_trust_policy
}

resource "aws_iam_role_policy" "execution" {
  name = "pull-and-log"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "LogInToECR"
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*" # AWS takes no resource here
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = [var.images_repository_arn, var.agent_repository_arn]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${var.log_group_arn}:*"
      },
    ]
  })
}

resource "aws_iam_role" "task" {
  name               = "${local.prefix}-task"
  description        = "Containers of ${var.name}: mount EFS through access points"
  assume_role_policy = local.tasks_trust_policy
}

resource "aws_iam_role_policy" "task" {
  name = "mount-efs"
  role = aws_iam_role.task.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "MountThroughAccessPoints"
        Effect    = "Allow"
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"]
        Resource  = var.file_system_arn
        Condition = { ArnLike = { "elasticfilesystem:AccessPointArn" = local.access_points } }
      },
      {
        Sid       = "AgentIsReadOnly"
        Effect    = "Deny"
        Action    = ["elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
        Resource  = var.file_system_arn
        Condition = { ArnEquals = { "elasticfilesystem:AccessPointArn" = var.agent_access_point_arn } }
      },
    ]
  })
}

resource "aws_iam_role" "agent_installer" {
  name               = "${local.prefix}-agent-installer"
  description        = "The task that writes the agent of ${var.name} into EFS during apply"
  assume_role_policy = local.tasks_trust_policy
}

resource "aws_iam_role_policy" "agent_installer" {
  name = "write-agent"
  role = aws_iam_role.agent_installer.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "WriteAgent"
      Effect    = "Allow"
      Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite", "elasticfilesystem:ClientRootAccess"]
      Resource  = var.file_system_arn
      Condition = { ArnEquals = { "elasticfilesystem:AccessPointArn" = var.agent_access_point_arn } }
    }]
  })
}
