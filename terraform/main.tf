# The AWS side of a Docker Engine whose containers are Fargate tasks.

module "vpc" {
  source = "./modules/vpc"

  name         = var.name
  zones        = var.zones
  network_cidr = var.network_cidr
  daemon_cidrs = var.daemon_cidrs
}

module "kms" {
  source = "./modules/kms"

  name   = var.name
  region = var.region
  create = var.encryption == "customer"
}

module "cluster" {
  source = "./modules/cluster"

  name        = var.name
  kms_key_arn = module.kms.key_arn
}

module "cloudwatch" {
  source = "./modules/cloudwatch"

  name           = var.name
  retention_days = var.log_retention_days
  kms_key_arn    = module.kms.key_arn
}

module "ecr" {
  source = "./modules/ecr"

  name                = var.name
  deletion_protection = var.deletion_protection
  kms_key_arn         = module.kms.key_arn
}

module "efs" {
  source = "./modules/efs"

  name                      = var.name
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = module.vpc.private_subnet_ids
  client_security_group_ids = module.vpc.task_security_group_ids
  kms_key_arn               = module.kms.key_arn
}

module "iam" {
  source = "./modules/iam"

  name                   = var.name
  region                 = var.region
  cluster_arn            = module.cluster.cluster_arn
  log_group_arn          = module.cloudwatch.log_group_arn
  images_repository_arn  = module.ecr.images_repository_arn
  agent_repository_arn   = module.ecr.agent_repository_arn
  file_system_arn        = module.efs.file_system_arn
  agent_access_point_arn = module.efs.agent_access_point_arn
  kms_key_arn            = module.kms.key_arn
  permissions_boundary   = var.permissions_boundary
}
