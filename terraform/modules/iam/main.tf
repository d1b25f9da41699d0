# Who may do what. Four principals, none of whom can become another:
#   execution role        ECS itself, before a container runs: pull the image, open the log stream
#   task role             the containers: mount EFS through an access point, the agent's read-only
#   agent installer role  one short task during apply: write the agent into its access point
#   daemon policy         whoever runs the daemon; attach it to a role or user of yours (daemon_policy.tf)

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix

  # IAM is global: the region keeps two deployments of one name in two regions apart.
  prefix   = "${var.name}-${var.region}"
  boundary = var.permissions_boundary == "" ? null : var.permissions_boundary

  pull_actions = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]

  # The first pull of an image through ECR makes its repository and fetches it, with the permissions of who pulls.
  # Source: ECR user guide, "IAM permissions required to sync an upstream registry with an Amazon ECR private registry".
  pull_through = length(var.pull_through_repository_arns) == 0 ? [] : [
    {
      Sid      = "PullThroughECR"
      Effect   = "Allow"
      Action   = concat(local.pull_actions, ["ecr:BatchImportUpstreamImage", "ecr:CreateRepository"])
      Resource = var.pull_through_repository_arns
    },
  ]

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
  name                 = "${local.prefix}-execution"
  description          = "ECS pulls images and writes logs for tasks of ${var.name}"
  assume_role_policy   = local.tasks_trust_policy
  permissions_boundary = local.boundary
}

resource "aws_iam_role_policy" "execution" {
  name = "pull-and-log"
  role = aws_iam_role.execution.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid      = "LogInToECR"
          Effect   = "Allow"
          Action   = "ecr:GetAuthorizationToken"
          Resource = "*" # AWS takes no resource here
        },
        {
          Sid      = "PullImages"
          Effect   = "Allow"
          Action   = local.pull_actions
          Resource = [var.images_repository_arn, var.agent_repository_arn]
        },
        {
          Sid      = "WriteLogs"
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = "${var.log_group_arn}:*"
        },
      ],
      local.pull_through,
    )
  })
}

resource "aws_iam_role" "task" {
  name                 = "${local.prefix}-task"
  description          = "Containers of ${var.name}: mount EFS through access points"
  assume_role_policy   = local.tasks_trust_policy
  permissions_boundary = local.boundary
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
  name                 = "${local.prefix}-agent-installer"
  description          = "The task that writes the agent of ${var.name} into EFS during apply"
  assume_role_policy   = local.tasks_trust_policy
  permissions_boundary = local.boundary
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
