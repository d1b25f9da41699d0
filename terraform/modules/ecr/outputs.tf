output "images_repository_url" {
  description = "The repository that receives loaded images."
  value       = aws_ecr_repository.images.repository_url
}

output "images_repository_arn" {
  description = "The ARN of the repository that receives loaded images."
  value       = aws_ecr_repository.images.arn
}

output "agent_repository_url" {
  description = "The repository of the agent image."
  value       = aws_ecr_repository.agent.repository_url
}

output "agent_repository_arn" {
  description = "The ARN of the repository of the agent image."
  value       = aws_ecr_repository.agent.arn
}

output "repository_prefix" {
  description = "What the names of all repositories of this deployment start with, before the slash."
  value       = local.prefix
}

output "pull_through" {
  description = "Where images of a registry are pulled through ECR: the registry's host to the prefix that takes its place."
  value       = { for name, upstream in local.cached : upstream.host => "${local.registry}/${aws_ecr_pull_through_cache_rule.this[name].ecr_repository_prefix}" }

  depends_on = [aws_ecr_repository_creation_template.this]
}

output "pull_through_repository_arns" {
  description = "The repositories that a first pull through ECR makes, as ARN patterns, for who may make them."
  value       = local.cached_arns
}
