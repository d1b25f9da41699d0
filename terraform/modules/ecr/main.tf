# Two repositories, so that whoever may push images (the daemon) cannot replace the agent that runs in every task.

resource "aws_ecr_repository" "images" {
  name                 = "${var.name}/images"
  image_tag_mutability = "MUTABLE" # docker load and tag move tags; tasks name images by digest
  force_delete         = !var.deletion_protection

  encryption_configuration {
    encryption_type = var.kms_key_arn == "" ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn == "" ? null : var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  tags = { Name = "${var.name}/images" }
}

resource "aws_ecr_lifecycle_policy" "images" {
  repository = aws_ecr_repository.images.name

  policy = jsonencode({
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

# The agent image can be made again from the kit at any time, so destroy never stops at it.
resource "aws_ecr_repository" "agent" {
  name                 = "${var.name}/agent"
  image_tag_mutability = "IMMUTABLE" # a tag is a version of the agent
  force_delete         = true

  encryption_configuration {
    encryption_type = var.kms_key_arn == "" ? "AES256" : "KMS"
    kms_key         = var.kms_key_arn == "" ? null : var.kms_key_arn
  }

  image_scanning_configuration {
    scan_on_push = true
  }

  tags = { Name = "${var.name}/agent" }
}

resource "aws_ecr_lifecycle_policy" "agent" {
  repository = aws_ecr_repository.agent.name

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
