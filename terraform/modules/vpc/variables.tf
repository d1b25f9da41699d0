variable "name" {
  description = "Starts the name of every resource."
  type        = string
}

variable "zones" {
  description = "How many availability zones get a public and a private subnet."
  type        = number

  validation {
    condition     = var.zones >= 1 && var.zones <= 6 && floor(var.zones) == var.zones
    error_message = "zones must be a whole number from 1 to 6."
  }
}

variable "network_cidr" {
  description = "The IPv4 range of the network, /16 to /24."
  type        = string

  validation {
    condition     = can(cidrhost(var.network_cidr, 0)) && can(regex("/(1[6-9]|2[0-4])$", var.network_cidr))
    error_message = "network_cidr must be an IPv4 range from /16 to /24, like 10.0.0.0/16."
  }
}

variable "daemon_cidrs" {
  description = "The IPv4 ranges the daemon dials the agents from. Empty: the network's own range."
  type        = list(string)
  default     = []
}

variable "agent_port" {
  description = "The TCP port the agents listen on."
  type        = number
  default     = 9111
}
