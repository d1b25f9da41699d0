variable "name" {
  description = "Starts the repositories' names."
  type        = string
}

variable "deletion_protection" {
  description = "Whether the repository of loaded images is kept while it holds some."
  type        = bool
}

variable "untagged_days" {
  description = "Days after its push that an image without a tag is deleted."
  type        = number
  default     = 30
}

variable "agent_versions" {
  description = "How many versions of the agent image are kept."
  type        = number
  default     = 10
}

variable "kms_key_arn" {
  description = "The key that encrypts the repositories; empty: ECR's own."
  type        = string
  default     = ""
}
