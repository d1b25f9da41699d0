# The ECS cluster and where its tasks run.

locals {
  weights  = { FARGATE = var.fargate_weight, FARGATE_SPOT = var.spot_weight }
  strategy = { for provider, weight in local.weights : provider => weight if weight > 0 }
}

# ECS keeps a cluster's key when a configuration no longer names one, so with or without a key it is another cluster.
resource "terraform_data" "own_key" {
  input = var.kms_key_arn != ""
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

  lifecycle {
    replace_triggered_by = [terraform_data.own_key]
  }
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
    replace_triggered_by = [terraform_data.own_key]

    precondition {
      condition     = length(local.strategy) > 0
      error_message = "fargate_weight and spot_weight cannot both be 0."
    }
  }
}
