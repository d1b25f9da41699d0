output "vpc_id" {
  description = "The network's id."
  value       = aws_vpc.this.id
}

output "public_subnet_ids" {
  description = "The public subnets, one a zone, in the order of the zones' names."
  value       = [for zone in local.zone_names : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "The private subnets, one a zone, in the order of the zones' names."
  value       = [for zone in local.zone_names : aws_subnet.private[zone].id]
}

output "task_security_group_ids" {
  description = "The security groups every task carries."
  value       = [aws_security_group.tasks.id]
}
