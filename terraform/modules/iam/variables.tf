variable "name" {
  description = "Starts the name of every role and policy."
  type        = string
}

variable "region" {
  description = "The region the roles and the policy are for."
  type        = string
}

variable "cluster_arn" {
  description = "The cluster tasks may run on."
  type        = string
}

variable "log_group_arn" {
  description = "The log group tasks write to and the daemon reads."
  type        = string
}

variable "images_repository_arn" {
  description = "The repository of loaded images: the daemon pushes, tasks pull."
  type        = string
}

variable "agent_repository_arn" {
  description = "The repository of the agent image: tasks pull."
  type        = string
}

variable "file_system_arn" {
  description = "The EFS file system tasks mount."
  type        = string
}

variable "agent_access_point_arn" {
  description = "The access point of the agent, read-only to tasks."
  type        = string
}

variable "permissions_boundary" {
  description = "The ARN of the IAM policy that bounds every role; empty: no boundary."
  type        = string
  default     = ""
}

variable "pull_through_repository_arns" {
  description = "The repositories that a first pull through ECR makes, as ARN patterns: daemon and tasks pull, and make them."
  type        = list(string)
  default     = []
}

variable "events_queue_arn" {
  description = "The queue of task changes that the daemon reads; empty: there is none."
  type        = string
  default     = ""
}

variable "kms_key_arn" {
  description = "The key that encrypts that queue; empty: SQS's own."
  type        = string
  default     = ""
}
