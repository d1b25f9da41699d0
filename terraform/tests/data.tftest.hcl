# What holds data: encrypted, scanned, kept for as long as asked. The provider is a mock.

mock_provider "aws" {}

run "the_file_system_is_encrypted_and_demands_tls" {
  command = apply

  module {
    source = "./modules/efs"
  }

  variables {
    name                      = "test"
    vpc_id                    = "vpc-0123456789abcdef0"
    subnet_ids                = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
    client_security_group_ids = ["sg-0123456789abcdef0"]
  }

  assert {
    condition     = aws_efs_file_system.this.encrypted
    error_message = "The file system is not encrypted."
  }

  assert {
    condition     = length(aws_efs_mount_target.this) == 2
    error_message = "A zone has no mount target."
  }

  assert {
    condition = [for statement in jsondecode(aws_efs_file_system_policy.this.policy).Statement : statement
    if statement.Effect == "Deny" && try(statement.Condition.Bool["aws:SecureTransport"], "") == "false" && statement.Action == "*"] != []
    error_message = "A client without TLS is let in."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_efs_file_system_policy.this.policy).Statement : statement.Effect == "Deny"])
    error_message = "The file system's policy allows something: only the roles' own policies may."
  }

  assert {
    condition = alltrue([for rule in aws_vpc_security_group_ingress_rule.nfs : (
      rule.from_port == 2049 && rule.to_port == 2049 && rule.ip_protocol == "tcp" &&
      rule.referenced_security_group_id == "sg-0123456789abcdef0"
    )]) && length(aws_vpc_security_group_ingress_rule.nfs) == 1
    error_message = "EFS can be reached by more than NFS from tasks."
  }

  assert {
    condition = (
      aws_efs_access_point.agent.root_directory[0].path == "/sockerless-agent" &&
      aws_efs_access_point.agent.posix_user[0].uid == 0 && aws_efs_access_point.agent.posix_user[0].gid == 0
    )
    error_message = "The agent's access point is not /sockerless-agent as 0:0."
  }
}

run "images_are_scanned_and_encrypted" {
  command = plan

  module {
    source = "./modules/ecr"
  }

  variables {
    name                = "test"
    deletion_protection = true
  }

  assert {
    condition = alltrue([for repository in [aws_ecr_repository.images, aws_ecr_repository.agent] : (
      repository.image_scanning_configuration[0].scan_on_push &&
      contains(["AES256", "KMS"], repository.encryption_configuration[0].encryption_type)
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
}

run "logs_are_kept_as_long_as_asked" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  variables {
    name           = "test"
    retention_days = 365
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/test" && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "The log group is not /test, kept for 365 days."
  }
}

run "tasks_run_on_fargate_and_fargate_spot" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name = "test"
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT"])
    error_message = "The cluster has other capacity providers than FARGATE and FARGATE_SPOT."
  }

  assert {
    condition     = [for setting in aws_ecs_cluster.this.setting : setting.value if setting.name == "containerInsights"] == ["enabled"]
    error_message = "Container Insights is off."
  }
}
