output "daemon_environment" {
  description = "What the daemon is configured with: the variables of docs/reference/configuration.md."
  value = {
    AWS_REGION                        = var.region
    SOCKERLESS_ECS_CLUSTER            = module.cluster.cluster_name
    SOCKERLESS_ECS_SUBNETS            = join(",", module.vpc.task_subnet_ids)
    SOCKERLESS_ECS_SECURITY_GROUPS    = join(",", module.vpc.task_security_group_ids)
    SOCKERLESS_ECS_PUBLIC_IP          = tostring(module.vpc.assign_public_ip)
    SOCKERLESS_ECS_TASK_ROLE_ARN      = module.iam.task_role_arn
    SOCKERLESS_ECS_EXECUTION_ROLE_ARN = module.iam.execution_role_arn
    SOCKERLESS_ECS_LOG_GROUP          = module.cloudwatch.log_group_name
    SOCKERLESS_EVENTS_QUEUE_URL       = module.events.queue_url
    SOCKERLESS_ECR_REPOSITORY         = module.ecr.images_repository_url
    SOCKERLESS_AGENT_EFS_ID           = module.efs.file_system_id
    SOCKERLESS_AGENT_EFS_ACCESS_POINT = module.efs.agent_access_point_id
  }
}

output "daemon_policy_arn" {
  description = "The policy to attach to whoever runs the daemon."
  value       = module.iam.daemon_policy_arn
}
