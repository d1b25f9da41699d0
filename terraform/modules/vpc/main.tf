# The network. Four modes, told apart by var.network:
#   nat       tasks in private subnets, the internet through NAT gateways (one, or one a zone)
#   public    tasks in public subnets with public addresses, no NAT gateway
#   private   tasks in private subnets, no internet at all: AWS is reached through VPC endpoints (endpoints.tf)
#   existing  a VPC and subnets of yours; nothing of theirs is changed (existing.tf)
#
# The range is halved, and each half cut into one block a zone: a quarter of the half each, an eighth with more than
# four zones, so that another zone moves no subnet. Blocks of the lower half are private subnets, those of the upper half
# public ones. Beside NAT gateways, which need few addresses, a public subnet takes the first quarter of its block only
# (never less than /28, AWS's least). From 10.0.0.0/24 with six zones every subnet is a /28.

data "aws_availability_zones" "available" {
  count = local.own ? 1 : 0

  state            = "available"
  exclude_zone_ids = local.zone_ids_without_fargate

  # The region's own zones, like eu-central-1a: no local zone, which has a longer name.
  filter {
    name   = "zone-name"
    values = ["${var.region}?"]
  }

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  own    = var.network != "existing"
  public = var.network == "public"
  nat    = var.network == "nat"

  # Where Fargate runs no Linux task, and use1-az3, where it runs none on ARM64.
  # Source: Amazon ECS Developer Guide, "Supported Regions for Amazon ECS on AWS Fargate" and "ARM64 workloads".
  zone_ids_without_fargate = ["apne1-az3", "cnn1-az3", "cnn1-az4", "use1-az3", "usw1-az2"]

  zones_found = local.own ? sort(data.aws_availability_zones.available[0].names) : []
  zone_names  = slice(local.zones_found, 0, local.own ? min(var.zones, length(local.zones_found)) : 0)

  prefix_length  = tonumber(split("/", var.network_cidr)[1])
  block_newbits  = var.zones <= 4 ? 3 : 4
  upper_half     = pow(2, local.block_newbits - 1)
  public_newbits = local.public ? 0 : min(2, 28 - local.prefix_length - local.block_newbits)

  private_cidrs = {
    for index, zone in local.zone_names : zone => cidrsubnet(var.network_cidr, local.block_newbits, index)
    if !local.public
  }
  public_cidrs = {
    for index, zone in local.zone_names : zone => cidrsubnet(
      cidrsubnet(var.network_cidr, local.block_newbits, local.upper_half + index), local.public_newbits, 0
    )
    if local.public || local.nat
  }

  # The zones whose public subnet holds a NAT gateway.
  nat_zones = local.nat ? (var.nat_gateways == "zone" ? local.zone_names : slice(local.zone_names, 0, min(1, length(local.zone_names)))) : []
}

resource "aws_vpc" "this" {
  count = local.own ? 1 : 0

  cidr_block           = var.network_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.zone_names) == var.zones
      error_message = "The region has fewer availability zones that Fargate runs in than zones asks for; lower zones."
    }
  }
}

# Every network has a default security group and none can be deleted: this one lets nothing in and nothing out.
resource "aws_default_security_group" "closed" {
  count = local.own ? 1 : 0

  vpc_id  = aws_vpc.this[0].id
  ingress = []
  egress  = []

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_subnet" "private" {
  for_each = local.private_cidrs

  vpc_id            = aws_vpc.this[0].id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.name}-private-${each.key}" }
}

# A task gets its public address because it asks for one (assignPublicIp), not because it starts here.
resource "aws_subnet" "public" {
  for_each = local.public_cidrs

  vpc_id                  = aws_vpc.this[0].id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-${each.key}" }
}
