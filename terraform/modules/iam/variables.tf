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
