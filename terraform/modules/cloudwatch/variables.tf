variable "name" {
  description = "The log group's name, without the slash it starts with."
  type        = string
}

variable "retention_days" {
  description = "Days CloudWatch keeps what containers wrote."
  type        = number
}

variable "kms_key_arn" {
  description = "The key that encrypts the logs; empty: CloudWatch's own."
  type        = string
  default     = ""
}
