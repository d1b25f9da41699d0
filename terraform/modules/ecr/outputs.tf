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
