# The network: a public and a private subnet in each zone, one NAT gateway for all of them.
#
# The range is halved. The lower half holds the private subnets, where tasks run: a quarter of it each, an eighth with
# more than four zones, so that another zone moves no subnet. The upper half holds the public ones, a quarter their size
# (never smaller than /28, AWS's least), and the rest stays free.

data "aws_availability_zones" "available" {
  state = "available"

  filter {
    name   = "opt-in-status"
    values = ["opt-in-not-required"]
  }
}

locals {
  zone_names      = slice(sort(data.aws_availability_zones.available.names), 0, min(var.zones, length(data.aws_availability_zones.available.names)))
  prefix_length   = tonumber(split("/", var.network_cidr)[1])
  private_newbits = var.zones <= 4 ? 3 : 4
  public_newbits  = min(local.private_newbits + 2, 28 - local.prefix_length)
  upper_half      = pow(2, local.public_newbits - 1)

  private_cidrs = { for index, zone in local.zone_names : zone => cidrsubnet(var.network_cidr, local.private_newbits, index) }
  public_cidrs  = { for index, zone in local.zone_names : zone => cidrsubnet(var.network_cidr, local.public_newbits, local.upper_half + index) }
}

resource "aws_vpc" "this" {
  cidr_block           = var.network_cidr
  enable_dns_hostnames = true
  enable_dns_support   = true

  tags = { Name = var.name }

  lifecycle {
    precondition {
      condition     = length(local.zone_names) == var.zones
      error_message = "The region has fewer availability zones than zones asks for; lower zones."
    }
  }
}

# Every network has a default security group and none can be deleted: this one lets nothing in and nothing out.
resource "aws_default_security_group" "closed" {
  vpc_id  = aws_vpc.this.id
  ingress = []
  egress  = []

  tags = { Name = "${var.name}-default-closed" }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.name }
}

resource "aws_subnet" "public" {
  for_each = local.public_cidrs

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = each.value
  map_public_ip_on_launch = false

  tags = { Name = "${var.name}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.private_cidrs

  vpc_id            = aws_vpc.this.id
  availability_zone = each.key
  cidr_block        = each.value

  tags = { Name = "${var.name}-private-${each.key}" }
}

resource "aws_eip" "nat" {
  domain = "vpc"

  tags = { Name = "${var.name}-nat" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_nat_gateway" "this" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public[local.zone_names[0]].id

  tags = { Name = var.name }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-public" }
}

resource "aws_route" "public_internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public.id
  subnet_id      = each.value.id
}

resource "aws_route_table" "private" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.name}-private" }
}

resource "aws_route" "private_nat" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this.id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private.id
  subnet_id      = each.value.id
}
