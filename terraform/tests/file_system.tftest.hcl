# The file system: encrypted, reached by TLS through its mount targets only, copied every day. The provider is a mock.

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
    condition     = aws_efs_backup_policy.this.backup_policy[0].status == "ENABLED"
    error_message = "AWS Backup keeps no copies."
  }

  assert {
    condition     = aws_efs_file_system.this.throughput_mode == "elastic" && length(aws_efs_file_system.this.lifecycle_policy) == 2
    error_message = "Throughput is not elastic, or files nobody reads do not move to cheaper storage and back."
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
    condition = [for statement in jsondecode(aws_efs_file_system_policy.this.policy).Statement : toset(statement.Action)
      if try(statement.Condition.Bool["elasticfilesystem:AccessedViaMountTarget"], "") == "false"] == [
      toset(["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"])
    ]
    error_message = "A client that comes past the mount targets is let in."
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

run "backups_can_be_left_out" {
  command = plan

  module {
    source = "./modules/efs"
  }

  variables {
    name                      = "test"
    vpc_id                    = "vpc-0123456789abcdef0"
    subnet_ids                = []
    client_security_group_ids = []
    backups                   = false
  }

  assert {
    condition     = aws_efs_backup_policy.this.backup_policy[0].status == "DISABLED"
    error_message = "AWS Backup keeps copies although none were asked for."
  }
}
