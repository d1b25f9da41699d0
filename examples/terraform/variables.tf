variable "name" {
  description = "Starts the name of every resource."
  type        = string
  default     = "sockerless"
}

variable "region" {
  description = "The AWS region everything is made in."
  type        = string
  default     = "us-east-1"
}
