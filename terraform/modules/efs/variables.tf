variable "name" {
  description = "Starts the name of every resource."
  type        = string
}

variable "vpc_id" {
  description = "The network the mount targets stand in."
  type        = string
}

variable "subnet_ids" {
  description = "The subnets that get a mount target, at most one a zone."
  type        = list(string)
}

variable "client_security_group_ids" {
  description = "The security groups whose members may mount."
  type        = list(string)
}

variable "kms_key_arn" {
  description = "The key that encrypts the file system; empty: the one AWS manages for EFS."
  type        = string
  default     = ""
}

variable "backups" {
  description = "Whether AWS Backup keeps daily copies."
  type        = bool
  default     = true
}
