# One key for all that holds data, or those that AWS manages. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws", dns_suffix = "amazonaws.com" }
  }
}

run "the_key_is_rotated_and_its_policy_names_who_may_use_it_for_what" {
  command = plan

  module {
    source = "./modules/kms"
  }

  variables {
    name   = "test"
    region = "eu-central-1"
  }

  assert {
    condition     = aws_kms_key.this[0].enable_key_rotation && aws_kms_alias.this[0].name == "alias/test"
    error_message = "The key does not rotate, or is not alias/test."
  }

  assert {
    condition = alltrue([for statement in jsondecode(aws_kms_key.this[0].policy).Statement : (
      statement.Sid == "AdministeredByIAM" || length(try(keys(statement.Condition), [])) > 0
    )])
    error_message = "Something else than IAM may use the key without a condition."
  }

  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement.Sid => statement.Principal
      } == {
      AdministeredByIAM          = { AWS = "arn:aws:iam::123456789012:root" }
      UsedThroughServices        = { AWS = "arn:aws:iam::123456789012:root" }
      LogGroupsOfThisDeployment  = { Service = "logs.eu-central-1.amazonaws.com" }
      StorageOfThisClustersTasks = { Service = "fargate.amazonaws.com" }
      GrantsForThisClustersTasks = { Service = "fargate.amazonaws.com" }
      TaskEventsOfThisDeployment = { Service = "events.amazonaws.com" }
    }
    error_message = "The key's policy names other principals."
  }

  assert {
    condition = [for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement
      if statement.Sid == "UsedThroughServices"][0].Condition == { StringEquals = {
        "kms:ViaService" = ["ecr.eu-central-1.amazonaws.com", "elasticfilesystem.eu-central-1.amazonaws.com", "sqs.eu-central-1.amazonaws.com"]
    } }
    error_message = "Principals of the account can use the key outside ECR, EFS and SQS."
  }

  assert {
    condition = [for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement
      if statement.Sid == "LogGroupsOfThisDeployment"][0].Condition == { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = [
        "arn:aws:logs:eu-central-1:123456789012:log-group:/test",
        "arn:aws:logs:eu-central-1:123456789012:log-group:/test/*",
    ] } }
    error_message = "CloudWatch Logs can use the key for other log groups."
  }

  assert {
    condition = [for statement in jsondecode(aws_kms_key.this[0].policy).Statement : statement
      if statement.Sid == "GrantsForThisClustersTasks"][0].Condition == {
      StringEquals = {
        "kms:EncryptionContext:aws:ecs:clusterAccount" = "123456789012"
        "kms:EncryptionContext:aws:ecs:clusterName"    = "test"
      }
      "ForAllValues:StringEquals" = { "kms:GrantOperations" = "Decrypt" }
    }
    error_message = "Fargate may grant more than Decrypt, or for other clusters."
  }

  assert {
    condition = alltrue(flatten([for statement in jsondecode(aws_kms_key.this[0].policy).Statement :
      [for action in flatten([statement.Action]) : !contains(["kms:*", "kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"], action)]
    if statement.Sid == "AdministeredByIAM"]))
    error_message = "Who administers the key can decrypt with it."
  }
}

run "without_a_key_there_is_no_key" {
  command = plan

  module {
    source = "./modules/kms"
  }

  variables {
    name   = "test"
    region = "eu-central-1"
    create = false
  }

  assert {
    condition     = length(aws_kms_key.this) == 0 && output.key_arn == ""
    error_message = "There is a key although none was asked for."
  }
}

run "logs_take_the_key" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  variables {
    name           = "test"
    region         = "eu-central-1"
    retention_days = 365
    cluster_name   = "test"
    file_system_id = "fs-0123456789abcdef0"
    kms_key_arn    = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The logs are not encrypted with the key."
  }
}

run "images_take_the_key" {
  command = plan

  module {
    source = "./modules/ecr"
  }

  variables {
    name        = "test"
    region      = "eu-central-1"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition = alltrue([for repository in [aws_ecr_repository.images, aws_ecr_repository.agent] : (
      repository.encryption_configuration[0].encryption_type == "KMS" &&
      repository.encryption_configuration[0].kms_key == "arn:aws:kms:eu-central-1:123456789012:key/1"
    )])
    error_message = "A repository is not encrypted with the key."
  }
}

run "the_file_system_takes_the_key" {
  command = plan

  module {
    source = "./modules/efs"
  }

  variables {
    name                      = "test"
    vpc_id                    = "vpc-0123456789abcdef0"
    subnet_ids                = ["subnet-0123456789abcdef0"]
    client_security_group_ids = ["sg-0123456789abcdef0"]
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition     = aws_efs_file_system.this.encrypted && aws_efs_file_system.this.kms_key_id == "arn:aws:kms:eu-central-1:123456789012:key/1"
    error_message = "The file system is not encrypted with the key."
  }
}

run "the_tasks_storage_takes_the_key" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name        = "test"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition = (
      aws_ecs_cluster.this.configuration[0].managed_storage_configuration[0].fargate_ephemeral_storage_kms_key_id ==
      "arn:aws:kms:eu-central-1:123456789012:key/1"
    )
    error_message = "The storage of tasks is not encrypted with the key."
  }
}

run "the_queues_take_the_key" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    name        = "test"
    cluster_arn = "arn:aws:ecs:eu-central-1:123456789012:cluster/test"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }

  assert {
    condition = alltrue([for queue in aws_sqs_queue.this :
      queue.kms_master_key_id == "arn:aws:kms:eu-central-1:123456789012:key/1"
    ]) && length(aws_sqs_queue.this) == 2
    error_message = "A queue is not encrypted with the key."
  }
}

run "a_cluster_with_the_key" {
  module {
    source = "./modules/cluster"
  }

  variables {
    name        = "test"
    kms_key_arn = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }
}

run "becomes_another_cluster_without_it" {
  module {
    source = "./modules/cluster"
  }

  variables {
    name        = "test"
    kms_key_arn = ""
  }

  assert {
    condition     = output.cluster_arn != run.a_cluster_with_the_key.cluster_arn
    error_message = "ECS would keep the key of the cluster, which is to be without."
  }
}

run "a_file_system_with_the_key" {
  module {
    source = "./modules/efs"
  }

  variables {
    name                      = "test"
    vpc_id                    = "vpc-0123456789abcdef0"
    subnet_ids                = ["subnet-0123456789abcdef0"]
    client_security_group_ids = ["sg-0123456789abcdef0"]
    kms_key_arn               = "arn:aws:kms:eu-central-1:123456789012:key/1"
  }
}

run "becomes_another_file_system_without_it" {
  module {
    source = "./modules/efs"
  }

  variables {
    name                      = "test"
    vpc_id                    = "vpc-0123456789abcdef0"
    subnet_ids                = ["subnet-0123456789abcdef0"]
    client_security_group_ids = ["sg-0123456789abcdef0"]
    kms_key_arn               = ""
  }

  assert {
    condition     = output.file_system_id != run.a_file_system_with_the_key.file_system_id
    error_message = "EFS would keep the key of the file system, which is to be without."
  }
}
