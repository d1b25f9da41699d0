variable "name" {
  description = "The cluster's name."
  type        = string
}

variable "container_insights" {
  description = "CloudWatch Container Insights for the cluster's tasks: enhanced, enabled or disabled."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enhanced", "enabled", "disabled"], var.container_insights)
    error_message = "container_insights must be enhanced, enabled or disabled."
  }
}

variable "kms_key_arn" {
  description = "The key that encrypts the storage of Fargate tasks; empty: Fargate's own."
  type        = string
  default     = ""
}

variable "fargate_weight" {
  description = "Share of tasks that run on demand."
  type        = number
  default     = 1
}

variable "spot_weight" {
  description = "Share of tasks that run on Spot."
  type        = number
  default     = 0
}
