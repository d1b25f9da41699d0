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
  description = "The IPv4 ranges the daemon dials the agents from (TCP 9111). Empty: only what carries the daemon's security group."
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
  default     = 365

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days must be one of CloudWatch's periods, like 30 or 365."
  }
}

variable "permissions_boundary" {
  description = "The IAM policy that bounds every role made here; empty: no boundary."
  type        = string
  default     = ""

  validation {
    condition     = var.permissions_boundary == "" || can(regex("^arn:aws[a-z-]*:iam:", var.permissions_boundary))
    error_message = "permissions_boundary must be an ARN, or empty."
  }
}

variable "network" {
  description = "How tasks reach the world: private subnets behind NAT, public addresses, no internet at all (VPC endpoints), or an existing VPC."
  type        = string
  default     = "nat"

  validation {
    condition     = contains(["nat", "public", "private", "existing"], var.network)
    error_message = "network must be one of nat, public, private, existing."
  }
}

variable "nat_gateways" {
  description = "NAT gateways of network nat: one for all zones, or one a zone."
  type        = string
  default     = "one"

  validation {
    condition     = contains(["one", "zone"], var.nat_gateways)
    error_message = "nat_gateways must be one of one, zone."
  }
}

variable "vpc_id" {
  description = "The VPC of network existing."
  type        = string
  default     = ""

  validation {
    condition     = var.vpc_id == "" || can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "vpc_id must be an id like vpc-0123abcd, or empty."
  }
}

variable "subnet_ids" {
  description = "The subnets of network existing, where tasks run."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.subnet_ids : can(regex("^subnet-[0-9a-f]+$", id))])
    error_message = "subnet_ids must be ids like subnet-0123abcd."
  }
}

variable "security_group_ids" {
  description = "The security groups of tasks in network existing; empty: one is made."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for id in var.security_group_ids : can(regex("^sg-[0-9a-f]+$", id))])
    error_message = "security_group_ids must be ids like sg-0123abcd."
  }
}

variable "assign_public_ip" {
  description = "Whether tasks in network existing get public addresses."
  type        = bool
  default     = false
}

variable "encryption" {
  description = "Keys for logs, EFS, ECR and task storage: one KMS key of the account's own, or those that AWS manages."
  type        = string
  default     = "customer"

  validation {
    condition     = contains(["customer", "aws"], var.encryption)
    error_message = "encryption must be one of customer, aws."
  }
}

variable "efs_backups" {
  description = "Whether AWS Backup keeps daily copies of the EFS file system."
  type        = bool
  default     = true
}

variable "deletion_protection" {
  description = "Whether repositories that hold images are kept from deletion. What else holds data is protected where this was rendered with it."
  type        = bool
  default     = false
}

variable "repository_prefix" {
  description = "Starts every ECR repository's name; empty: the deployment's name."
  type        = string
  default     = ""

  validation {
    condition     = var.repository_prefix == "" || can(regex("^[a-z0-9]+([._-][a-z0-9]+)*$", var.repository_prefix))
    error_message = "repository_prefix must be small letters and digits, with . _ - inside."
  }
}

variable "image_tags" {
  description = "Whether a loaded image may take a tag over from another."
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

variable "untagged_image_days" {
  description = "Days after its push that an image without a tag is deleted."
  type        = number
  default     = 30

  validation {
    condition     = var.untagged_image_days >= 1 && var.untagged_image_days <= 3650 && floor(var.untagged_image_days) == var.untagged_image_days
    error_message = "untagged_image_days must be a whole number from 1 to 3650."
  }
}

variable "pull_through" {
  description = "The registries that ECR caches, so that tasks pull inside the region."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for one in var.pull_through : contains(["docker-hub", "public-ecr", "quay", "kubernetes"], one)])
    error_message = "pull_through must hold docker-hub, public-ecr, quay or kubernetes."
  }
}

variable "docker_hub_secret_arn" {
  description = "The Secrets Manager secret with the Docker Hub account that pull_through docker-hub needs."
  type        = string
  default     = ""

  validation {
    condition     = var.docker_hub_secret_arn == "" || can(regex("^arn:aws[a-z-]*:secretsmanager:", var.docker_hub_secret_arn))
    error_message = "docker_hub_secret_arn must be an ARN, or empty."
  }
}

variable "container_insights" {
  description = "CloudWatch Container Insights for tasks."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enabled", "enhanced", "disabled"], var.container_insights)
    error_message = "container_insights must be one of enabled, enhanced, disabled."
  }
}

variable "flow_logs" {
  description = "VPC flow logs of a network made here: rejected traffic, all of it, or none."
  type        = string
  default     = "rejected"

  validation {
    condition     = contains(["rejected", "all", "off"], var.flow_logs)
    error_message = "flow_logs must be one of rejected, all, off."
  }
}

variable "task_events" {
  description = "Whether ECS tells the daemon of task changes through a queue."
  type        = bool
  default     = true
}

variable "dashboard" {
  description = "Whether there is a CloudWatch dashboard."
  type        = bool
  default     = true
}

variable "alarms" {
  description = "Whether CloudWatch watches failed starts and the number of tasks."
  type        = bool
  default     = true
}

variable "alarm_topic_arn" {
  description = "The SNS topic that alarms tell; empty: they only show."
  type        = string
  default     = ""

  validation {
    condition     = var.alarm_topic_arn == "" || can(regex("^arn:aws[a-z-]*:sns:", var.alarm_topic_arn))
    error_message = "alarm_topic_arn must be an ARN, or empty."
  }
}

variable "task_quota" {
  description = "Running tasks that count as full: the alarm rings at 80 percent of it."
  type        = number
  default     = 100

  validation {
    condition     = var.task_quota >= 1 && var.task_quota <= 100000 && floor(var.task_quota) == var.task_quota
    error_message = "task_quota must be a whole number from 1 to 100000."
  }
}

variable "fargate_weight" {
  description = "Share of tasks that run on demand."
  type        = number
  default     = 1

  validation {
    condition     = var.fargate_weight >= 0 && var.fargate_weight <= 1000 && floor(var.fargate_weight) == var.fargate_weight
    error_message = "fargate_weight must be a whole number from 0 to 1000."
  }
}

variable "spot_weight" {
  description = "Share of tasks that run on Spot."
  type        = number
  default     = 0

  validation {
    condition     = var.spot_weight >= 0 && var.spot_weight <= 1000 && floor(var.spot_weight) == var.spot_weight
    error_message = "spot_weight must be a whole number from 0 to 1000."
  }
}

variable "tags" {
  description = "Further tags on every resource."
  type        = map(string)
  default     = {}
}
