# Registries that ECR caches: an image is fetched from its registry on its first pull, into a repository made for it
# below PREFIX/UPSTREAM, and from then on looked for there at most once a day.

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

data "aws_default_tags" "current" {}

locals {
  upstreams = {
    docker-hub = { host = "docker.io", url = "registry-1.docker.io" }
    kubernetes = { host = "registry.k8s.io", url = "registry.k8s.io" }
    public-ecr = { host = "public.ecr.aws", url = "public.ecr.aws" }
    quay       = { host = "quay.io", url = "quay.io" }
  }

  cached        = { for name in var.pull_through : name => merge(local.upstreams[name], { prefix = "${local.prefix}/${name}" }) }
  account       = data.aws_caller_identity.current.account_id
  registry      = split("/", aws_ecr_repository.images.repository_url)[0]
  registry_arn  = "arn:${data.aws_partition.current.partition}:ecr:${var.region}:${local.account}:repository"
  cached_arns   = [for upstream in local.cached : "${local.registry_arn}/${upstream.prefix}/*"]
  creator_count = length(var.pull_through) > 0 ? 1 : 0
}

resource "aws_ecr_pull_through_cache_rule" "this" {
  for_each = local.cached

  ecr_repository_prefix = each.value.prefix
  upstream_registry_url = each.value.url
  credential_arn        = each.key == "docker-hub" ? var.docker_hub_secret_arn : null

  lifecycle {
    precondition {
      condition     = length(each.value.prefix) <= 30
      error_message = "ECR takes 30 characters of a cache's prefix, and ${each.value.prefix} has more: choose a shorter repository_prefix."
    }

    precondition {
      condition     = each.key != "docker-hub" || var.docker_hub_secret_arn != ""
      error_message = "pull_through docker-hub needs docker_hub_secret_arn."
    }
  }
}

# What the repositories that ECR makes for the cache are like. Their tags can be moved, or an image of :latest would
# stay the first one ever pulled.
resource "aws_ecr_repository_creation_template" "this" {
  for_each = local.cached

  prefix               = each.value.prefix
  description          = "Cached from ${each.value.host} for ${var.name}"
  applied_for          = ["PULL_THROUGH_CACHE"]
  image_tag_mutability = "MUTABLE"
  lifecycle_policy     = local.expire_untagged
  custom_role_arn      = aws_iam_role.creator[0].arn
  resource_tags        = merge(data.aws_default_tags.current.tags, { Name = "${var.name}-cache" })

  encryption_configuration {
    encryption_type = local.encryption_type
    kms_key         = local.kms_key
  }

  depends_on = [aws_iam_role_policy.creator]
}

# ECR itself makes those repositories, and needs a role where they carry tags or a key.
resource "aws_iam_role" "creator" {
  count = local.creator_count

  name                 = "${var.name}-${var.region}-ecr-cache"
  description          = "ECR makes the repositories that cache images for ${var.name}"
  permissions_boundary = var.permissions_boundary == "" ? null : var.permissions_boundary

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "ECROfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "ecr.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # "IfExists": AWS does not say whether ECR names its source here.
      Condition = { StringEqualsIfExists = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "creator" {
  count = local.creator_count

  name = "make-cache-repositories"
  role = aws_iam_role.creator[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "MakeCacheRepositories"
        Effect   = "Allow"
        Action   = ["ecr:CreateRepository", "ecr:PutLifecyclePolicy", "ecr:ReplicateImage", "ecr:TagResource"]
        Resource = local.cached_arns
      }],
      [for key in compact([var.kms_key_arn]) : {
        Sid      = "EncryptThem"
        Effect   = "Allow"
        Action   = ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"]
        Resource = key
      }],
    )
  })
}
