variable "name" {
  description = "Starts the name of what is made, and the repositories' names unless prefix does."
  type        = string
}

variable "region" {
  description = "The region of the registry."
  type        = string
}

variable "prefix" {
  description = "Starts the repositories' names; empty: name."
  type        = string
  default     = ""
}

variable "image_tags" {
  description = "Whether a loaded image may take a tag over from another: mutable or immutable."
  type        = string
  default     = "mutable"

  validation {
    condition     = contains(["mutable", "immutable"], var.image_tags)
    error_message = "image_tags must be one of mutable, immutable."
  }
}

variable "scan_on_push" {
  description = "Whether ECR scans images when they are pushed."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether the repository of loaded images is kept while it holds some."
  type        = bool
  default     = false
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

variable "pull_through" {
  description = "The registries to cache: docker-hub, public-ecr, quay, kubernetes."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.pull_through : contains(["docker-hub", "public-ecr", "quay", "kubernetes"], one)])
    error_message = "pull_through must hold docker-hub, public-ecr, quay or kubernetes."
  }
}

variable "docker_hub_secret_arn" {
  description = "The Secrets Manager secret with the Docker Hub account that docker-hub needs."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "The policy that bounds the role of the cache; empty: none."
  type        = string
  default     = ""
}
