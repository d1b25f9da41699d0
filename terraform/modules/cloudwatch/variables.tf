variable "name" {
  description = "The log group's name, without the slash it starts with, and the start of the alarms' and the dashboard's."
  type        = string
}

variable "region" {
  description = "The region of what the dashboard shows."
  type        = string
}

variable "retention_days" {
  description = "Days CloudWatch keeps what containers wrote."
  type        = number
  default     = 365
}

variable "kms_key_arn" {
  description = "The key that encrypts the logs; empty: CloudWatch's own."
  type        = string
  default     = ""
}

variable "cluster_name" {
  description = "The cluster that dashboard and alarms look at."
  type        = string
}

variable "file_system_id" {
  description = "The EFS file system that the dashboard looks at."
  type        = string
}

variable "container_insights" {
  description = "Whether Container Insights counts tasks: enhanced, enabled or disabled."
  type        = string
  default     = "enabled"
}

variable "event_rules" {
  description = "The EventBridge rules by what they tell (module events): task-events, failed-starts."
  type        = map(string)
  default     = {}
}

variable "dashboard" {
  description = "Whether there is a dashboard."
  type        = bool
  default     = true
}

variable "alarms" {
  description = "Whether failed starts and the number of tasks are watched."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "The SNS topic that alarms tell; empty: they only show."
  type        = string
  default     = ""
}

variable "task_quota" {
  description = "Running tasks that count as full: the alarm rings above 80 percent of it."
  type        = number
  default     = 100
}

variable "failed_starts_threshold" {
  description = "Failed starts within five minutes that ring the alarm."
  type        = number
  default     = 3
}
