# Two repositories, so that whoever may push images (the daemon) cannot replace the agent that runs in every task.

locals {
  prefix          = var.prefix == "" ? var.name : var.prefix
  encryption_type = var.kms_key_arn == "" ? "AES256" : "KMS"
  kms_key         = var.kms_key_arn == "" ? null : var.kms_key_arn

  expire_untagged = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Forget images that lost their last tag"
      selection = {
        tagStatus   = "untagged"
        countType   = "sinceImagePushed"
        countUnit   = "days"
        countNumber = var.untagged_days
      }
      action = { type = "expire" }
    }]
  })
}

resource "aws_ecr_repository" "images" {
  #checkov:skip=CKV_AWS_51:docker load and docker tag move tags unless image_tags = immutable; tasks name images by digest
  name                 = "${local.prefix}/images"
  image_tag_mutability = upper(var.image_tags)
  force_delete         = !var.deletion_protection

  encryption_configuration {
    encryption_type = local.encryption_type
    kms_key         = local.kms_key
  }

  image_scanning_configuration {
    scan_on_push = var.scan_on_push
  }

  tags = { Name = "${var.name}-images" }
}

# By the repository's id, which is the same as its name and not known while the repository is replaced.
resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.id
  policy     = local.expire_untagged
}

# The agent image can be made again from the kit at any time, so destroy never stops at it.
resource "aws_ecr_repository" "agent" {
  name                 = "${local.prefix}/agent"
  image_tag_mutability = "IMMUTABLE" # a tag is a version of the agent
  force_delete         = true

  encryption_configuration {
    encryption_type = local.encryption_type
    kms_key         = local.kms_key
  }

  image_scanning_configuration {
    scan_on_push = var.scan_on_push
  }

  tags = { Name = "${var.name}-agent" }
}

resource "aws_ecr_lifecycle_policy" "agent" {
  repository = aws_ecr_repository.agent.id

  policy = jsonencode({
    rules = [{
      rulePriority = 1
      description  = "Keep the latest versions of the agent"
      selection = {
        tagStatus   = "any"
        countType   = "imageCountMoreThan"
        countNumber = var.agent_versions
      }
      action = { type = "expire" }
    }]
  })
}
