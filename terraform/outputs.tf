output "region" {
  description = "The AWS region (AWS_REGION)."
  value       = var.region
}

output "cluster_name" {
  description = "The ECS cluster's name (SOCKERLESS_ECS_CLUSTER)."
  value       = module.cluster.cluster_name
}

output "cluster_arn" {
  description = "The ECS cluster's ARN."
  value       = module.cluster.cluster_arn
}

output "vpc_id" {
  description = "The network's id."
  value       = module.vpc.vpc_id
}

output "zone_names" {
  description = "The availability zones of the subnets."
  value       = module.vpc.zone_names
}

output "task_subnet_ids" {
  description = "The subnets tasks run in (SOCKERLESS_ECS_SUBNETS)."
  value       = module.vpc.task_subnet_ids
}

output "public_subnet_ids" {
  description = "The public subnets made here, one a zone; NAT gateways stand in them."
  value       = module.vpc.public_subnet_ids
}

output "private_subnet_ids" {
  description = "The private subnets made here, one a zone."
  value       = module.vpc.private_subnet_ids
}

output "security_group_ids" {
  description = "The security groups of tasks (SOCKERLESS_ECS_SECURITY_GROUPS)."
  value       = module.vpc.task_security_group_ids
}

output "daemon_security_group_ids" {
  description = "The security group for the machine or task that runs the daemon in this network."
  value       = module.vpc.daemon_security_group_ids
}

output "assign_public_ip" {
  description = "Whether tasks get public addresses (SOCKERLESS_ECS_PUBLIC_IP)."
  value       = module.vpc.assign_public_ip
}

output "interface_endpoints" {
  description = "The AWS services that have an interface endpoint in this network."
  value       = module.vpc.interface_endpoints
}

output "execution_role_arn" {
  description = "The role ECS itself takes to pull images and write logs (SOCKERLESS_ECS_EXECUTION_ROLE_ARN)."
  value       = module.iam.execution_role_arn
}

output "task_role_arn" {
  description = "The role of the containers (SOCKERLESS_ECS_TASK_ROLE_ARN)."
  value       = module.iam.task_role_arn
}

output "agent_installer_role_arn" {
  description = "The role of the one task that writes the agent into EFS during apply."
  value       = module.iam.agent_installer_role_arn
}

output "daemon_policy_arn" {
  description = "The policy to attach to whoever runs the daemon."
  value       = module.iam.daemon_policy_arn
}

output "kms_key_arn" {
  description = "The key that encrypts what holds data; empty with keys that AWS manages."
  value       = module.kms.key_arn
}

output "daemon_policy" {
  description = "That policy's text, as JSON (`sockerless-kit iam daemon`)."
  value       = module.iam.daemon_policy
}

output "log_group_name" {
  description = "The CloudWatch log group (SOCKERLESS_ECS_LOG_GROUP)."
  value       = module.cloudwatch.log_group_name
}

output "efs_file_system_id" {
  description = "The EFS file system that holds the agent and the volumes (SOCKERLESS_AGENT_EFS_ID)."
  value       = module.efs.file_system_id
}

output "agent_access_point_id" {
  description = "The EFS access point the agent is mounted from (SOCKERLESS_AGENT_EFS_ACCESS_POINT)."
  value       = module.efs.agent_access_point_id
}

output "images_repository_url" {
  description = "The ECR repository that receives loaded images (SOCKERLESS_ECR_REPOSITORY)."
  value       = module.ecr.images_repository_url
}

output "agent_repository_url" {
  description = "The ECR repository of the agent image (SOCKERLESS_AGENT_IMAGE, with the agent's version as its tag)."
  value       = module.ecr.agent_repository_url
}

output "repository_prefix" {
  description = "What the names of all ECR repositories of this deployment start with, before the slash."
  value       = module.ecr.repository_prefix
}

output "pull_through" {
  description = "Where images of a registry are pulled through ECR: the registry's host to the prefix that takes its place."
  value       = module.ecr.pull_through
}

output "events_queue_url" {
  description = "The queue in which ECS tells of task changes; empty without task_events."
  value       = module.events.queue_url
}

output "failed_starts_queue_url" {
  description = "The queue that keeps failed starts for two weeks; empty without alarms."
  value       = module.events.failed_starts_queue_url
}
