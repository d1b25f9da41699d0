# One key for all that holds data: logs, EFS, ECR, the tasks' own storage, the queue of task events.
#
# IAM decides who administers the key. Nobody uses it directly: principals of the account use it through EFS, ECR and
# SQS, where IAM lets them; CloudWatch Logs, Fargate and EventBridge use it for this deployment's resources alone.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  account    = data.aws_caller_identity.current.account_id
  partition  = data.aws_partition.current.partition
  dns_suffix = data.aws_partition.current.dns_suffix
  iam        = { AWS = "arn:${local.partition}:iam::${local.account}:root" }
  log_group  = "arn:${local.partition}:logs:${var.region}:${local.account}:log-group:/${var.name}"

  # Source: ECS developer guide, "Customer managed keys for Fargate ephemeral storage".
  cluster_context = {
    "kms:EncryptionContext:aws:ecs:clusterAccount" = local.account
    "kms:EncryptionContext:aws:ecs:clusterName"    = var.name
  }

  policy = [
    {
      Sid       = "AdministeredByIAM"
      Effect    = "Allow"
      Principal = local.iam
      Action = [
        "kms:CancelKeyDeletion",
        "kms:Create*",
        "kms:Delete*",
        "kms:Describe*",
        "kms:Disable*",
        "kms:Enable*",
        "kms:Get*",
        "kms:List*",
        "kms:Put*",
        "kms:RevokeGrant",
        "kms:RotateKeyOnDemand",
        "kms:ScheduleKeyDeletion",
        "kms:TagResource",
        "kms:UntagResource",
        "kms:Update*",
      ]
      Resource = "*"
    },
    {
      Sid       = "UsedThroughServices"
      Effect    = "Allow"
      Principal = local.iam
      Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*", "kms:RetireGrant"]
      Resource  = "*"
      Condition = { StringEquals = {
        "kms:ViaService" = [for service in ["ecr", "elasticfilesystem", "sqs"] : "${service}.${var.region}.${local.dns_suffix}"]
      } }
    },
    {
      Sid       = "LogGroupsOfThisDeployment"
      Effect    = "Allow"
      Principal = { Service = "logs.${var.region}.${local.dns_suffix}" }
      Action    = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
      Resource  = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [local.log_group, "${local.log_group}/*"] } }
    },
    {
      Sid       = "StorageOfThisClustersTasks"
      Effect    = "Allow"
      Principal = { Service = "fargate.amazonaws.com" }
      Action    = "kms:GenerateDataKeyWithoutPlaintext"
      Resource  = "*"
      Condition = { StringEquals = local.cluster_context }
    },
    {
      Sid       = "GrantsForThisClustersTasks"
      Effect    = "Allow"
      Principal = { Service = "fargate.amazonaws.com" }
      Action    = "kms:CreateGrant"
      Resource  = "*"
      Condition = {
        StringEquals                = local.cluster_context
        "ForAllValues:StringEquals" = { "kms:GrantOperations" = "Decrypt" }
      }
    },
    {
      Sid       = "TaskEventsOfThisDeployment"
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      # "IfExists": the queue's own policy names its rule; the key asks for it where EventBridge tells it.
      Condition = {
        StringEquals    = { "aws:SourceAccount" = local.account }
        ArnLikeIfExists = { "aws:SourceArn" = "arn:${local.partition}:events:${var.region}:${local.account}:rule/${var.name}-*" }
      }
    },
  ]
}

resource "aws_kms_key" "this" {
  count = var.create ? 1 : 0

  description             = "Logs, EFS, ECR, task storage and task events of ${var.name}"
  enable_key_rotation     = true
  deletion_window_in_days = var.deletion_window_days

  policy = jsonencode({ Version = "2012-10-17", Statement = local.policy })

  tags = { Name = var.name }
}

resource "aws_kms_alias" "this" {
  count = var.create ? 1 : 0

  name          = "alias/${var.name}"
  target_key_id = aws_kms_key.this[0].key_id
}
