# The ways to AWS that leave the internet out.
#
# S3 by a gateway endpoint, which costs nothing, in every network made here: image layers come from there. In a private
# network by interface endpoints, too, which cost by the hour and zone, so only those that something calls:
#   tasks     ecr.api, ecr.dkr (image), logs (awslogs). ECS itself is reached from outside the network by Fargate, and
#             EFS by its mount targets.
#   daemon    ecs, elasticfilesystem (volumes), sqs (task events), unless it stands outside this network
# Source: Amazon ECS Developer Guide, "Amazon ECS interface VPC endpoints"; Amazon ECR User Guide, the same, with the
# bucket of image layers in "Minimum Amazon S3 Bucket Permissions for Amazon ECR".

data "aws_caller_identity" "current" {}

data "aws_partition" "current" {}

locals {
  private   = var.network == "private"
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition

  # Two ranges overlap when they are the same as far as the shorter prefix goes.
  daemon_overlaps = [
    for cidr in var.daemon_cidrs : length(distinct([
      for one in [cidr, var.network_cidr] : cidrhost("${split("/", one)[0]}/${min(tonumber(split("/", cidr)[1]), local.prefix_length)}", 0)
    ])) == 1
  ]
  daemon_is_inside = length(var.daemon_cidrs) == 0 || anytrue(local.daemon_overlaps)

  task_services      = ["ecr.api", "ecr.dkr", "logs"]
  daemon_services    = concat(["ecs", "elasticfilesystem"], var.task_events ? ["sqs"] : [])
  interface_services = local.private ? concat(local.task_services, local.daemon_is_inside ? local.daemon_services : []) : []

  # In China some names begin otherwise. Source: what DescribeVpcEndpointServices tells there, as AWS CDK records it.
  chinese_services = local.partition == "aws-cn" ? ["ecr.api", "ecr.dkr", "elasticfilesystem", "sqs"] : []

  # Whatever credentials a container brings along, only this account's pass.
  interface_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "PrincipalsOfThisAccount"
      Effect    = "Allow"
      Principal = "*"
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = local.account } }
    }]
  })
  any_bucket = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "AnyBucket", Effect = "Allow", Principal = "*", Action = "*", Resource = "*" }]
  })
  s3_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "LayersOfImages"
        Effect    = "Allow"
        Principal = "*"
        Action    = "s3:GetObject"
        Resource  = "arn:${local.partition}:s3:::prod-${var.region}-starport-layer-bucket/*"
      },
      {
        Sid       = "BucketsOfThisAccount"
        Effect    = "Allow"
        Principal = "*"
        Action    = "s3:*"
        Resource  = "*"
        Condition = { StringEquals = { "aws:PrincipalAccount" = local.account, "aws:ResourceAccount" = local.account } }
      },
    ]
  })
}

# Where there is a way to the internet, containers may use any bucket through it anyway. That is said in so many words:
# an endpoint whose policy is left out keeps the one it had.
resource "aws_vpc_endpoint" "s3" {
  count = local.own ? 1 : 0

  vpc_id            = aws_vpc.this[0].id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  policy            = local.private ? local.s3_policy : local.any_bucket

  tags = { Name = "${var.name}-s3" }
}

# A resource for each route table, so that the endpoint leaves a table before the table goes.
resource "aws_vpc_endpoint_route_table_association" "s3_public" {
  count = local.public || local.nat ? 1 : 0

  vpc_endpoint_id = aws_vpc_endpoint.s3[0].id
  route_table_id  = aws_route_table.public[0].id
}

resource "aws_vpc_endpoint_route_table_association" "s3_private" {
  for_each = local.private_cidrs

  vpc_endpoint_id = aws_vpc_endpoint.s3[0].id
  route_table_id  = aws_route_table.private[each.key].id
}

# An endpoint's interfaces hold its subnets: with other zones it is made anew, so that it goes before a subnet does.
resource "terraform_data" "endpoint_zones" {
  count = local.private ? 1 : 0

  input = local.private_cidrs
}

resource "aws_vpc_endpoint" "interface" {
  for_each = toset(local.interface_services)

  vpc_id              = aws_vpc.this[0].id
  service_name        = "${contains(local.chinese_services, each.value) ? "cn." : ""}com.amazonaws.${var.region}.${each.value}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = local.private_subnet_ids
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true
  policy              = local.interface_policy

  tags = { Name = "${var.name}-${each.value}" }

  lifecycle {
    replace_triggered_by = [terraform_data.endpoint_zones]
  }
}

resource "aws_security_group" "endpoints" {
  count = local.private ? 1 : 0

  name        = "${var.name}-endpoints"
  description = "VPC endpoints of ${var.name}: HTTPS from tasks and the daemon only"
  vpc_id      = aws_vpc.this[0].id

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_tasks" {
  count = local.private ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from tasks"
  referenced_security_group_id = local.task_group_id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.name}-endpoints-tasks" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_daemon_group" {
  count = local.private ? 1 : 0

  security_group_id            = aws_security_group.endpoints[0].id
  description                  = "HTTPS from the daemon"
  referenced_security_group_id = aws_security_group.daemon[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.name}-endpoints-daemon" }
}

resource "aws_vpc_security_group_ingress_rule" "endpoints_daemon" {
  for_each = toset([for index, cidr in var.daemon_cidrs : cidr if local.private && local.daemon_overlaps[index]])

  security_group_id = aws_security_group.endpoints[0].id
  description       = "HTTPS from the daemon"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-endpoints-daemon" }
}
