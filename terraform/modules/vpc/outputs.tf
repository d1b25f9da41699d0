output "vpc_id" {
  description = "The network's id."
  value       = local.vpc_id
}

output "zone_names" {
  description = "The availability zones of the subnets, in the order of their names."
  value       = local.own ? local.zone_names : sort(keys(local.existing_by_zone))
}

output "task_subnet_ids" {
  description = "The subnets tasks run in."
  value       = local.task_subnet_ids
}

output "mount_subnet_ids" {
  description = "One of the tasks' subnets for each zone: where a file system gets its mount targets."
  value       = local.mount_subnet_ids
}

output "public_subnet_ids" {
  description = "The public subnets made here, one a zone, in the order of the zones' names."
  value       = local.public_subnet_ids
}

output "private_subnet_ids" {
  description = "The private subnets made here, one a zone, in the order of the zones' names."
  value       = local.private_subnet_ids
}

output "task_security_group_ids" {
  description = "The security groups every task carries."
  value       = local.own_group ? aws_security_group.tasks[*].id : var.security_group_ids
}

output "assign_public_ip" {
  description = "Whether tasks get public addresses."
  value       = local.assign_public_ip
}

output "interface_endpoints" {
  description = "The AWS services that have an interface endpoint in this network."
  value       = sort(keys(aws_vpc_endpoint.interface))
}

output "daemon_security_group_ids" {
  description = "The security group for the machine or task that runs the daemon in this network; empty where it dials public addresses, or the groups are yours."
  value       = tolist(aws_security_group.daemon[*].id)
}
