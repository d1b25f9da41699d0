variable "name" {
  description = "Starts the name of every resource."
  type        = string
}

variable "region" {
  description = "The AWS region of the network."
  type        = string
}

variable "network" {
  description = "How tasks reach the world: nat, public, private or existing."
  type        = string
  default     = "nat"

  validation {
    condition     = contains(["nat", "public", "private", "existing"], var.network)
    error_message = "network must be one of nat, public, private, existing."
  }
}

variable "nat_gateways" {
  description = "NAT gateways of network nat: one for all zones, or one a zone (zone)."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "zone"], var.nat_gateways)
    error_message = "nat_gateways must be one of one, zone."
  }
}

variable "zones" {
  description = "How many availability zones get subnets."
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

variable "vpc_id" {
  description = "The VPC of network existing."
  type        = string
  default     = ""
}

variable "subnet_ids" {
  description = "The subnets of network existing, where tasks run."
  type        = list(string)
  default     = []
}

variable "security_group_ids" {
  description = "The security groups of tasks in network existing; empty: one is made."
  type        = list(string)
  default     = []
}

variable "assign_public_ip" {
  description = "Whether tasks in network existing get public addresses."
  type        = bool
  default     = false
}

variable "daemon_cidrs" {
  description = "The IPv4 ranges the daemon dials the agents from. Empty: only what carries the daemon's security group reaches them."
  type        = list(string)
  default     = []
}

variable "agent_port" {
  description = "The TCP port the agents listen on."
  type        = number
  default     = 9111

  validation {
    condition     = var.agent_port >= 1 && var.agent_port <= 65534 && floor(var.agent_port) == var.agent_port
    error_message = "agent_port must be a whole number from 1 to 65534."
  }
}

variable "task_events" {
  description = "Whether the daemon reads task events from a queue: network private then has an endpoint for SQS."
  type        = bool
  default     = true
}

variable "flow_logs" {
  description = "Flow logs of a network made here: rejected traffic, all of it, or none (off)."
  type        = string
  default     = "rejected"

  validation {
    condition     = contains(["rejected", "all", "off"], var.flow_logs)
    error_message = "flow_logs must be one of rejected, all, off."
  }
}

variable "flow_log_retention_days" {
  description = "Days CloudWatch keeps flow logs."
  type        = number
  default     = 365
}

variable "kms_key_arn" {
  description = "The KMS key that encrypts flow logs; empty: a key that AWS manages."
  type        = string
  default     = ""
}

variable "permissions_boundary" {
  description = "The IAM policy that bounds the flow logs' role; empty: no boundary."
  type        = string
  default     = ""
}
