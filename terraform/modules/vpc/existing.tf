# A VPC of yours: looked at, never changed. What stands below is checked before anything is planned.

data "aws_vpc" "existing" {
  count = local.own ? 0 : 1

  id = var.vpc_id

  lifecycle {
    precondition {
      condition     = var.vpc_id != "" && length(var.subnet_ids) > 0
      error_message = "network existing needs vpc_id and at least one of subnet_ids."
    }

    postcondition {
      condition     = self.enable_dns_support && self.enable_dns_hostnames
      error_message = "The VPC must have enableDnsSupport and enableDnsHostnames on: tasks find EFS by its DNS name."
    }
  }
}

data "aws_subnet" "existing" {
  for_each = toset(local.own ? [] : var.subnet_ids)

  id = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.vpc_id
      error_message = "The subnet ${self.id} is not in ${var.vpc_id}."
    }
  }
}

data "aws_security_group" "existing" {
  for_each = toset(local.own ? [] : var.security_group_ids)

  id = each.value

  lifecycle {
    postcondition {
      condition     = self.vpc_id == var.vpc_id
      error_message = "The security group ${self.id} is not in ${var.vpc_id}."
    }
  }
}

locals {
  vpc_id = local.own ? aws_vpc.this[0].id : data.aws_vpc.existing[0].id

  # Of several subnets in one zone the first by id: a file system takes one mount target a zone.
  existing_by_zone = { for id in sort(keys(data.aws_subnet.existing)) : data.aws_subnet.existing[id].availability_zone => id... }

  public_subnet_ids  = tolist([for zone in local.zone_names : aws_subnet.public[zone].id if contains(keys(local.public_cidrs), zone)])
  private_subnet_ids = tolist([for zone in local.zone_names : aws_subnet.private[zone].id if contains(keys(local.private_cidrs), zone)])
  own_subnet_ids     = local.public ? local.public_subnet_ids : local.private_subnet_ids
  task_subnet_ids    = local.own ? local.own_subnet_ids : var.subnet_ids
  mount_subnet_ids   = local.own ? local.own_subnet_ids : [for zone in sort(keys(local.existing_by_zone)) : local.existing_by_zone[zone][0]]

  assign_public_ip = local.own ? local.public : var.assign_public_ip
}
