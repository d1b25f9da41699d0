variable "name" {
  description = "Starts the name of every resource: 2 to 32 small letters, digits and single hyphens."
  type        = string
  default     = "sockerless"

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.name)) && length(var.name) >= 2 && length(var.name) <= 32
    error_message = "name must be 2 to 32 small letters, digits and single hyphens, starting with a letter."
  }
}

variable "environment" {
  description = "The environment this deployment belongs to, a tag on every resource."
  type        = string
  default     = "dev"

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,31}$", var.environment))
    error_message = "environment must be 1 to 32 small letters, digits and hyphens, starting with a letter."
  }
}

variable "region" {
  description = "The AWS region everything is made in."
  type        = string
  default     = "us-east-1"

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]{2,12}){1,2}-[0-9]$", var.region))
    error_message = "region must be an AWS region like eu-central-1."
  }
}

variable "zones" {
  description = "How many availability zones get a public and a private subnet."
  type        = number
  default     = 2

  validation {
    condition     = var.zones >= 1 && var.zones <= 6 && floor(var.zones) == var.zones
    error_message = "zones must be a whole number from 1 to 6."
  }
}

variable "network_cidr" {
  description = "The IPv4 range of the network, /16 to /24."
  type        = string
  default     = "10.0.0.0/16"

  validation {
    condition     = can(cidrhost(var.network_cidr, 0)) && can(regex("/(1[6-9]|2[0-4])$", var.network_cidr))
    error_message = "network_cidr must be an IPv4 range from /16 to /24, like 10.0.0.0/16."
  }
}

variable "daemon_cidrs" {
  description = "The IPv4 ranges the daemon dials the agents from (TCP 9111). Empty: the network's own range."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for cidr in var.daemon_cidrs : can(cidrhost(cidr, 0)) && !endswith(cidr, "/0")])
    error_message = "daemon_cidrs must be IPv4 ranges, none of them the whole internet."
  }
}

variable "log_retention_days" {
  description = "Days CloudWatch keeps what containers wrote."
  type        = number
  default     = 30

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's periods, like 30 or 365."
  }
}

variable "force_delete_images" {
  description = "Whether destroy may delete the repository of loaded images while it holds some."
  type        = bool
  default     = true
}

variable "tags" {
  description = "Further tags on every resource."
  type        = map(string)
  default     = {}
}
