output "file_system_id" {
  description = "The file system's id, once it can be mounted in every zone."
  value       = aws_efs_file_system.this.id

  depends_on = [aws_efs_mount_target.this, aws_efs_file_system_policy.this]
}

output "file_system_arn" {
  description = "The file system's ARN."
  value       = aws_efs_file_system.this.arn
}

output "agent_access_point_id" {
  description = "The access point the agent is mounted from."
  value       = aws_efs_access_point.agent.id
}

output "agent_access_point_arn" {
  description = "The ARN of the access point the agent is mounted from."
  value       = aws_efs_access_point.agent.arn
}
