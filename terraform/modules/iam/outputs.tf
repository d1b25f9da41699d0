output "execution_role_arn" {
  description = "The role ECS takes to pull images and write logs."
  value       = aws_iam_role.execution.arn

  depends_on = [aws_iam_role_policy.execution]
}

output "task_role_arn" {
  description = "The role of the containers."
  value       = aws_iam_role.task.arn

  depends_on = [aws_iam_role_policy.task]
}

output "agent_installer_role_arn" {
  description = "The role of the task that writes the agent into EFS."
  value       = aws_iam_role.agent_installer.arn

  depends_on = [aws_iam_role_policy.agent_installer]
}

output "daemon_policy_arn" {
  description = "The policy to attach to whoever runs the daemon."
  value       = aws_iam_policy.daemon.arn
}

output "daemon_policy" {
  description = "That policy's text, as JSON."
  value       = local.daemon_policy
}
