# The file system of the agent and of Docker volumes: encrypted at rest, reached by TLS and with IAM only.

# A file system keeps its key for life, also when it is asked for without one: that is another file system.
resource "terraform_data" "own_key" {
  input = var.kms_key_arn != ""
}

resource "aws_efs_file_system" "this" {
  #checkov:skip=CKV_AWS_184:encryption = aws asks for the key that AWS manages for EFS
  creation_token  = var.name
  encrypted       = true
  kms_key_id      = var.kms_key_arn == "" ? null : var.kms_key_arn
  throughput_mode = "elastic"

  lifecycle_policy {
    transition_to_ia = "AFTER_30_DAYS"
  }

  lifecycle_policy {
    transition_to_primary_storage_class = "AFTER_1_ACCESS"
  }

  tags = { Name = var.name }

  lifecycle {
    replace_triggered_by = [terraform_data.own_key]
  }
}

# Copies lie in the vault that AWS keeps for EFS, for 35 days; destroy leaves them there.
resource "aws_efs_backup_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  backup_policy {
    status = var.backups ? "ENABLED" : "DISABLED"
  }
}

# A policy of denials alone: what is allowed is in the roles' own policies, so no client without IAM gets in at all.
resource "aws_efs_file_system_policy" "this" {
  file_system_id = aws_efs_file_system.this.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "*"
        Resource  = aws_efs_file_system.this.arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "DenyPastTheMountTargets"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = ["elasticfilesystem:ClientMount", "elasticfilesystem:ClientRootAccess", "elasticfilesystem:ClientWrite"]
        Resource  = aws_efs_file_system.this.arn
        Condition = { Bool = { "elasticfilesystem:AccessedViaMountTarget" = "false" } }
      },
    ]
  })
}

resource "aws_security_group" "this" {
  name        = "${var.name}-efs"
  description = "EFS of ${var.name}: NFS from tasks only"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-efs" }
}

resource "aws_vpc_security_group_ingress_rule" "nfs" {
  count = length(var.client_security_group_ids)

  security_group_id            = aws_security_group.this.id
  description                  = "NFS from tasks"
  referenced_security_group_id = var.client_security_group_ids[count.index]
  ip_protocol                  = "tcp"
  from_port                    = 2049
  to_port                      = 2049

  tags = { Name = "${var.name}-nfs" }
}

resource "aws_efs_mount_target" "this" {
  count = length(var.subnet_ids)

  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = var.subnet_ids[count.index]
  security_groups = [aws_security_group.this.id]
}

# The agent of every task is mounted from here, read-only; only the task that installs it may write (module iam).
resource "aws_efs_access_point" "agent" {
  file_system_id = aws_efs_file_system.this.id

  posix_user {
    uid = 0
    gid = 0
  }

  root_directory {
    path = "/sockerless-agent"

    creation_info {
      owner_uid   = 0
      owner_gid   = 0
      permissions = "0755"
    }
  }

  tags = { Name = "${var.name}-agent" }
}
