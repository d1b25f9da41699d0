# The AWS side of a Docker Engine whose containers are Fargate tasks.

module "vpc" {
  source = "./modules/vpc"

  name                    = var.name
  region                  = var.region
  network                 = var.network
  nat_gateways            = var.nat_gateways
  zones                   = var.zones
  network_cidr            = var.network_cidr
  daemon_cidrs            = var.daemon_cidrs
  vpc_id                  = var.vpc_id
  subnet_ids              = var.subnet_ids
  security_group_ids      = var.security_group_ids
  assign_public_ip        = var.assign_public_ip
  task_events             = var.task_events
  flow_logs               = var.flow_logs
  flow_log_retention_days = var.log_retention_days
  kms_key_arn             = module.kms.key_arn
  permissions_boundary    = var.permissions_boundary
}

module "kms" {
  source = "./modules/kms"

  name   = var.name
  region = var.region
  create = var.encryption == "customer"
}

module "cluster" {
  source = "./modules/cluster"

  name               = var.name
  container_insights = var.container_insights
  fargate_weight     = var.fargate_weight
  spot_weight        = var.spot_weight
  kms_key_arn        = module.kms.key_arn
}

module "events" {
  source = "./modules/events"

  name          = var.name
  region        = var.region
  cluster_arn   = module.cluster.cluster_arn
  task_events   = var.task_events
  failed_starts = var.alarms
  kms_key_arn   = module.kms.key_arn
}

module "cloudwatch" {
  source = "./modules/cloudwatch"

  name               = var.name
  region             = var.region
  retention_days     = var.log_retention_days
  kms_key_arn        = module.kms.key_arn
  cluster_name       = module.cluster.cluster_name
  file_system_id     = module.efs.file_system_id
  event_rules        = module.events.rule_names
  container_insights = var.container_insights
  dashboard          = var.dashboard
  alarms             = var.alarms
  alarm_topic_arn    = var.alarm_topic_arn
  task_quota         = var.task_quota
}

module "ecr" {
  source = "./modules/ecr"

  name                  = var.name
  region                = var.region
  prefix                = var.repository_prefix
  image_tags            = var.image_tags
  scan_on_push          = var.scan_on_push
  untagged_days         = var.untagged_image_days
  deletion_protection   = var.deletion_protection
  kms_key_arn           = module.kms.key_arn
  pull_through          = var.pull_through
  docker_hub_secret_arn = var.docker_hub_secret_arn
  permissions_boundary  = var.permissions_boundary
}

module "efs" {
  source = "./modules/efs"

  name                      = var.name
  vpc_id                    = module.vpc.vpc_id
  subnet_ids                = module.vpc.mount_subnet_ids
  client_security_group_ids = module.vpc.task_security_group_ids
  kms_key_arn               = module.kms.key_arn
  backups                   = var.efs_backups
}

module "iam" {
  source = "./modules/iam"

  name                         = var.name
  region                       = var.region
  cluster_arn                  = module.cluster.cluster_arn
  log_group_arn                = module.cloudwatch.log_group_arn
  images_repository_arn        = module.ecr.images_repository_arn
  agent_repository_arn         = module.ecr.agent_repository_arn
  pull_through_repository_arns = module.ecr.pull_through_repository_arns
  file_system_arn              = module.efs.file_system_arn
  agent_access_point_arn       = module.efs.agent_access_point_arn
  events_queue_arn             = module.events.queue_arn
  kms_key_arn                  = module.kms.key_arn
  permissions_boundary         = var.permissions_boundary
}
