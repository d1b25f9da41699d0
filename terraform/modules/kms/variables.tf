variable "name" {
  description = "Names the key's alias, and the log groups and the cluster that the key serves."
  type        = string
}

variable "region" {
  description = "The region of the key."
  type        = string
}

variable "create" {
  description = "Whether there is a key; without one, everything is encrypted by keys that AWS manages."
  type        = bool
  default     = true
}

variable "deletion_window_days" {
  description = "Days that a deleted key can still be brought back, with all that it encrypted; they cost nothing."
  type        = number
  default     = 30

  validation {
    condition     = var.deletion_window_days >= 7 && var.deletion_window_days <= 30 && floor(var.deletion_window_days) == var.deletion_window_days
    error_message = "deletion_window_days must be a whole number from 7 to 30."
  }
}
