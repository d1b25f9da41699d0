variable "name" {
  description = "Starts the name of every rule and queue."
  type        = string
}

variable "region" {
  description = "The region of the rules and queues."
  type        = string
}

variable "cluster_arn" {
  description = "The cluster whose tasks are told of."
  type        = string
}

variable "task_events" {
  description = "Whether every change of a task goes into a queue, for the daemon."
  type        = bool
  default     = true
}

variable "failed_starts" {
  description = "Whether failed starts are kept in a queue of their own, and counted for the alarm."
  type        = bool
  default     = true
}

variable "kms_key_arn" {
  description = "The key that encrypts the queues; empty: SQS's own."
  type        = string
  default     = ""
}
