# The modules alone, by plain Terraform. Each takes a customer key's ARN; leave kms_key_arn out and AWS's own keys encrypt.

terraform {
  required_version = ">= 1.5"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 5.80"
    }
  }
}

provider "aws" {
  region = var.region
}

module "kms" {
  source = "../../terraform/modules/kms"
  name   = var.name
  region = var.region
}

module "vpc" {
  source      = "../../terraform/modules/vpc"
  name        = var.name
  region      = var.region
  kms_key_arn = module.kms.key_arn
}

module "cluster" {
  source      = "../../terraform/modules/cluster"
  name        = var.name
  kms_key_arn = module.kms.key_arn
}

module "events" {
  source      = "../../terraform/modules/events"
  name        = var.name
  region      = var.region
  cluster_arn = module.cluster.cluster_arn
  kms_key_arn = module.kms.key_arn
}

module "efs" {
  source                    = "../../terraform/modules/efs"
  name                      = var.name
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = module.vpc.mount_subnet_ids
  client_security_group_ids = module.vpc.task_security_group_ids
  kms_key_arn               = module.kms.key_arn
}

module "ecr" {
  source      = "../../terraform/modules/ecr"
  name        = var.name
  region      = var.region
  kms_key_arn = module.kms.key_arn
}

module "cloudwatch" {
  source         = "../../terraform/modules/cloudwatch"
  name           = var.name
  region         = var.region
  cluster_name   = module.cluster.cluster_name
  file_system_id = module.efs.file_system_id
  event_rules    = module.events.rule_names
  kms_key_arn    = module.kms.key_arn
}

module "iam" {
  source                 = "../../terraform/modules/iam"
  name                   = var.name
  region                 = var.region
  cluster_arn            = module.cluster.cluster_arn
  log_group_arn          = module.cloudwatch.log_group_arn
  images_repository_arn  = module.ecr.images_repository_arn
  agent_repository_arn   = module.ecr.agent_repository_arn
  file_system_arn        = module.efs.file_system_arn
  agent_access_point_arn = module.efs.agent_access_point_arn
  events_queue_arn       = module.events.queue_arn
  kms_key_arn            = module.kms.key_arn
}
