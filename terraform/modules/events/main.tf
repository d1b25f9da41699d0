# What ECS tells of the cluster's tasks: each change into a queue that the daemon reads, each failed start into one that
# keeps it for two weeks. ECS itself forgets a stopped task within the hour.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  rule_arn  = "arn:${local.partition}:events:${var.region}:${local.account}:rule/${var.name}"
  queue_arn = "arn:${local.partition}:sqs:${var.region}:${local.account}:${var.name}"

  of_cluster = {
    source      = ["aws.ecs"]
    detail-type = ["ECS Task State Change"]
  }

  # Filtered on the cluster, so that deployments side by side do not read each other's events.
  patterns = merge(
    var.task_events ? {
      task-events = merge(local.of_cluster, { detail = { clusterArn = [var.cluster_arn] } })
    } : {},
    var.failed_starts ? {
      failed-starts = merge(local.of_cluster, {
        detail = { clusterArn = [var.cluster_arn], lastStatus = ["STOPPED"], stopCode = ["TaskFailedToStart"] }
      })
    } : {},
  )

  retention_seconds = { task-events = 3600, failed-starts = 1209600 }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.patterns

  name          = "${var.name}-${each.key}"
  description   = "ECS tells of the tasks of ${var.name}: ${each.key}"
  event_pattern = jsonencode(each.value)

  tags = { Name = "${var.name}-${each.key}" }
}

resource "aws_cloudwatch_event_target" "queue" {
  for_each = local.patterns

  rule = aws_cloudwatch_event_rule.this[each.key].name
  arn  = aws_sqs_queue.this[each.key].arn
}

resource "aws_sqs_queue" "this" {
  for_each = local.patterns

  name                       = "${var.name}-${each.key}"
  message_retention_seconds  = local.retention_seconds[each.key]
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = 30

  sqs_managed_sse_enabled           = var.kms_key_arn == "" ? true : null
  kms_master_key_id                 = var.kms_key_arn == "" ? null : var.kms_key_arn
  kms_data_key_reuse_period_seconds = var.kms_key_arn == "" ? null : 3600

  # Part of the queue, so that no moment is without it, and the queue waits for neither its rule nor the cluster.
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "EventsOfItsRule"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "${local.queue_arn}-${each.key}"
        Condition = {
          ArnEquals    = { "aws:SourceArn" = "${local.rule_arn}-${each.key}" }
          StringEquals = { "aws:SourceAccount" = local.account }
        }
      },
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sqs:*"
        Resource  = "${local.queue_arn}-${each.key}"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  tags = { Name = "${var.name}-${each.key}" }
}
