# What the daemon itself may do: run tasks on this cluster, with these two roles, and see to what they leave.
# A resource of "*" stands only where AWS takes no narrower one.

locals {
  cluster_name  = split("/", var.cluster_arn)[1]
  ecs_arn       = "arn:${local.partition}:ecs:${var.region}:${local.account}"
  efs_arn       = "arn:${local.partition}:elasticfilesystem:${var.region}:${local.account}"
  access_points = "${local.efs_arn}:access-point/*"
  definitions   = "${local.ecs_arn}:task-definition/${local.cluster_name}-*:*"
  tasks         = "${local.ecs_arn}:task/${local.cluster_name}/*"
  on_cluster    = { ArnEquals = { "ecs:cluster" = var.cluster_arn } }

  daemon_tasks = [
    {
      Sid       = "RunTasksOnThisCluster"
      Effect    = "Allow"
      Action    = "ecs:RunTask"
      Resource  = local.definitions
      Condition = local.on_cluster
    },
    {
      Sid       = "SeeAndStopTasks"
      Effect    = "Allow"
      Action    = ["ecs:DescribeTasks", "ecs:StopTask"]
      Resource  = local.tasks
      Condition = local.on_cluster
    },
    {
      Sid       = "ListTasks"
      Effect    = "Allow"
      Action    = "ecs:ListTasks"
      Resource  = "*"
      Condition = local.on_cluster
    },
    {
      Sid      = "SeeCluster"
      Effect   = "Allow"
      Action   = "ecs:DescribeClusters"
      Resource = var.cluster_arn
    },
    {
      Sid       = "TagWhatItStarts"
      Effect    = "Allow"
      Action    = "ecs:TagResource"
      Resource  = [local.tasks, local.definitions]
      Condition = { StringEquals = { "ecs:CreateAction" = ["RegisterTaskDefinition", "RunTask"] } }
    },
    {
      Sid      = "RegisterDefinitions"
      Effect   = "Allow"
      Action   = "ecs:RegisterTaskDefinition"
      Resource = local.definitions
    },
    {
      Sid      = "FindAndRetireDefinitions"
      Effect   = "Allow"
      Action   = ["ecs:DeregisterTaskDefinition", "ecs:ListTaskDefinitions"]
      Resource = "*"
    },
    {
      Sid       = "PassTheTwoRoles"
      Effect    = "Allow"
      Action    = "iam:PassRole"
      Resource  = [aws_iam_role.execution.arn, aws_iam_role.task.arn]
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    },
    {
      Sid      = "FindAddresses"
      Effect   = "Allow"
      Action   = "ec2:DescribeNetworkInterfaces"
      Resource = "*"
    },
  ]

  daemon_data = [
    {
      Sid      = "ReadLogs"
      Effect   = "Allow"
      Action   = ["logs:DescribeLogStreams", "logs:GetLogEvents"]
      Resource = [var.log_group_arn, "${var.log_group_arn}:*"]
    },
    {
      Sid      = "LogInToECR"
      Effect   = "Allow"
      Action   = "ecr:GetAuthorizationToken"
      Resource = "*"
    },
    {
      Sid    = "Images"
      Effect = "Allow"
      Action = [
        "ecr:BatchCheckLayerAvailability",
        "ecr:BatchGetImage",
        "ecr:CompleteLayerUpload",
        "ecr:GetDownloadUrlForLayer",
        "ecr:InitiateLayerUpload",
        "ecr:PutImage",
        "ecr:UploadLayerPart",
      ]
      Resource = var.images_repository_arn
    },
    {
      Sid       = "MakeVolumes"
      Effect    = "Allow"
      Action    = "elasticfilesystem:CreateAccessPoint"
      Resource  = var.file_system_arn
      Condition = { StringEquals = { "aws:RequestTag/sockerless:project" = local.cluster_name } }
    },
    {
      Sid      = "SeeVolumes"
      Effect   = "Allow"
      Action   = "elasticfilesystem:DescribeAccessPoints"
      Resource = [var.file_system_arn, local.access_points]
    },
    {
      Sid      = "TagVolumesItMakes"
      Effect   = "Allow"
      Action   = "elasticfilesystem:TagResource"
      Resource = local.access_points
      Condition = {
        StringEquals = {
          "aws:RequestTag/sockerless:project" = local.cluster_name
          "elasticfilesystem:CreateAction"    = "CreateAccessPoint"
        }
      }
    },
    {
      Sid      = "RemoveVolumes"
      Effect   = "Allow"
      Action   = "elasticfilesystem:DeleteAccessPoint"
      Resource = local.access_points
      Condition = {
        StringEquals = { "aws:ResourceTag/sockerless:project" = local.cluster_name }
        StringLike   = { "aws:ResourceTag/sockerless:daemon" = "*" }
      }
    },
    {
      Sid      = "KeepTheAgent"
      Effect   = "Deny"
      Action   = "elasticfilesystem:DeleteAccessPoint"
      Resource = var.agent_access_point_arn
    },
  ]

  daemon_events = var.events_queue_arn == "" ? [] : [
    {
      Sid      = "HearOfTasks"
      Effect   = "Allow"
      Action   = ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
      Resource = var.events_queue_arn
    },
  ]

  # SQS decrypts with the permissions of whoever reads, and names the queue as it does.
  daemon_events_key = var.events_queue_arn == "" || var.kms_key_arn == "" ? [] : [
    {
      Sid      = "DecryptWhatItHears"
      Effect   = "Allow"
      Action   = "kms:Decrypt"
      Resource = var.kms_key_arn
      Condition = {
        StringEquals = {
          "kms:ViaService"                    = "sqs.${var.region}.${local.dns_suffix}"
          "kms:EncryptionContext:aws:sqs:arn" = var.events_queue_arn
        }
      }
    },
  ]

  daemon_policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      local.daemon_tasks,
      local.daemon_data,
      local.pull_through,
      local.daemon_events,
      local.daemon_events_key,
    )
  })
}

resource "aws_iam_policy" "daemon" {
  name        = "${local.prefix}-daemon"
  description = "For whoever runs the daemon of ${var.name}"
  policy      = local.daemon_policy
}
