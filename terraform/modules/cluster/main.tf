# The ECS cluster and where its tasks run.

locals {
  weights  = { FARGATE = var.fargate_weight, FARGATE_SPOT = var.spot_weight }
  strategy = { for provider, weight in local.weights : provider => weight if weight > 0 }
}

resource "aws_ecs_cluster" "this" {
  name = var.name

  setting {
    name  = "containerInsights"
    value = var.container_insights
  }

  dynamic "configuration" {
    for_each = var.kms_key_arn == "" ? [] : [var.kms_key_arn]

    content {
      managed_storage_configuration {
        fargate_ephemeral_storage_kms_key_id = configuration.value
      }
    }
  }

  tags = { Name = var.name }
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = keys(local.weights)

  dynamic "default_capacity_provider_strategy" {
    for_each = local.strategy

    content {
      capacity_provider = default_capacity_provider_strategy.key
      weight            = default_capacity_provider_strategy.value
    }
  }

  lifecycle {
    precondition {
      condition     = length(local.strategy) > 0
      error_message = "fargate_weight and spot_weight cannot both be 0."
    }
  }
}
