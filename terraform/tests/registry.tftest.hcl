# Repositories and cached registries. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }

  mock_data "aws_default_tags" {
    defaults = { tags = { "sockerless:project" = "test" } }
  }

  mock_resource "aws_ecr_repository" {
    defaults = { repository_url = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/images" }
  }

  override_resource {
    target = aws_iam_role.creator
    values = { arn = "arn:aws:iam::123456789012:role/creator" }
  }
}

variables {
  name   = "test"
  region = "eu-central-1"
}

run "images_are_scanned_and_encrypted" {
  command = plan

  module {
    source = "./modules/ecr"
  }

  variables {
    deletion_protection = true
  }

  assert {
    condition = alltrue([for repository in [aws_ecr_repository.images, aws_ecr_repository.agent] : (
      repository.image_scanning_configuration[0].scan_on_push &&
      repository.encryption_configuration[0].encryption_type == "AES256"
    )])
    error_message = "A repository does not scan on push, or is not encrypted."
  }

  assert {
    condition     = aws_ecr_repository.agent.image_tag_mutability == "IMMUTABLE"
    error_message = "A version of the agent image can be replaced."
  }

  assert {
    condition     = aws_ecr_repository.images.force_delete == false
    error_message = "deletion_protection = true does not protect the images."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.images.policy).rules[0].selection.tagStatus == "untagged"
    error_message = "The lifecycle policy deletes images that still have a tag."
  }

  assert {
    condition     = length(aws_ecr_pull_through_cache_rule.this) == 0 && length(aws_iam_role.creator) == 0
    error_message = "Registries are cached although none were asked for."
  }
}

run "what_is_asked_of_the_repositories_is_done" {
  command = plan

  module {
    source = "./modules/ecr"
  }

  variables {
    prefix        = "team.images"
    image_tags    = "immutable"
    scan_on_push  = false
    untagged_days = 7
  }

  assert {
    condition     = aws_ecr_repository.images.name == "team.images/images" && aws_ecr_repository.agent.name == "team.images/agent"
    error_message = "The repositories do not start with the prefix."
  }

  assert {
    condition     = aws_ecr_repository.images.image_tag_mutability == "IMMUTABLE"
    error_message = "Tags can be moved."
  }

  assert {
    condition     = !aws_ecr_repository.images.image_scanning_configuration[0].scan_on_push
    error_message = "Images are scanned although they were not to be."
  }

  assert {
    condition     = jsondecode(aws_ecr_lifecycle_policy.images.policy).rules[0].selection.countNumber == 7
    error_message = "Images without a tag are not deleted after seven days."
  }
}

run "each_cached_registry_has_its_rule_and_its_template" {
  command = apply

  module {
    source = "./modules/ecr"
  }

  variables {
    pull_through          = ["docker-hub", "public-ecr", "quay", "kubernetes"]
    docker_hub_secret_arn = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:ecr-pullthroughcache/hub-AbCdEf"
    kms_key_arn           = "arn:aws:kms:eu-central-1:123456789012:key/1"
    permissions_boundary  = "arn:aws:iam::123456789012:policy/boundary"
  }

  assert {
    condition = { for rule in aws_ecr_pull_through_cache_rule.this : rule.ecr_repository_prefix => rule.upstream_registry_url } == {
      "test/docker-hub" = "registry-1.docker.io"
      "test/public-ecr" = "public.ecr.aws"
      "test/quay"       = "quay.io"
      "test/kubernetes" = "registry.k8s.io"
    }
    error_message = "The rules do not cache the registries asked for below the prefix."
  }

  assert {
    condition = [for rule in aws_ecr_pull_through_cache_rule.this : rule.ecr_repository_prefix if rule.credential_arn != null] == [
    "test/docker-hub"]
    error_message = "The secret is given to another registry than Docker Hub, or not to it."
  }

  assert {
    condition = alltrue([for prefix in ["test/docker-hub", "test/public-ecr", "test/quay", "test/kubernetes"] :
      length([for template in aws_ecr_repository_creation_template.this : template if(
        template.prefix == prefix &&
        template.applied_for == toset(["PULL_THROUGH_CACHE"]) &&
        template.encryption_configuration[0].encryption_type == "KMS" &&
        template.encryption_configuration[0].kms_key == "arn:aws:kms:eu-central-1:123456789012:key/1" &&
        template.image_tag_mutability == "MUTABLE" &&
        jsondecode(template.lifecycle_policy).rules[0].selection.tagStatus == "untagged" &&
        template.resource_tags["sockerless:project"] == "test" &&
        template.custom_role_arn == "arn:aws:iam::123456789012:role/creator"
    )]) == 1])
    error_message = "Repositories made for the cache are not encrypted, tagged and cleaned up like the others."
  }

  assert {
    condition = output.pull_through == {
      "docker.io"       = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/docker-hub"
      "public.ecr.aws"  = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/public-ecr"
      "quay.io"         = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/quay"
      "registry.k8s.io" = "123456789012.dkr.ecr.eu-central-1.amazonaws.com/test/kubernetes"
    }
    error_message = "The output does not say where the registries are pulled through."
  }

  assert {
    condition     = aws_iam_role.creator[0].permissions_boundary == "arn:aws:iam::123456789012:policy/boundary"
    error_message = "The role that makes the repositories is not bounded."
  }

  assert {
    condition = [for statement in jsondecode(aws_iam_role_policy.creator[0].policy).Statement : statement.Resource] == [
      [for upstream in ["docker-hub", "kubernetes", "public-ecr", "quay"] : "arn:aws:ecr:eu-central-1:123456789012:repository/test/${upstream}/*"],
      "arn:aws:kms:eu-central-1:123456789012:key/1",
    ]
    error_message = "The role can make other repositories than the cache's, or use other keys."
  }
}

run "docker_hub_without_an_account_is_refused" {
  command = plan

  module {
    source = "./modules/ecr"
  }

  variables {
    pull_through = ["docker-hub"]
  }

  expect_failures = [aws_ecr_pull_through_cache_rule.this["docker-hub"]]
}
