variable "name" {
  description = "Starts the repositories' names."
  type        = string
}

variable "force_delete_images" {
  description = "Whether destroy may delete the repository of loaded images while it holds some."
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
