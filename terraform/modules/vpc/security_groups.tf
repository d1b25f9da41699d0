# What tasks may be reached by and may reach. Security groups of yours (network existing) are taken as they are.

locals {
  own_group     = local.own || length(var.security_group_ids) == 0
  task_group_id = local.own_group ? aws_security_group.tasks[0].id : ""

  anywhere = {
    tcp  = { protocol = "tcp", from = 0, to = 65535 }
    udp  = { protocol = "udp", from = 0, to = 65535 }
    ping = { protocol = "icmp", from = 8, to = 0 } # type and code of an echo request
  }
  members = {
    tcp-below-agent = { protocol = "tcp", from = 0, to = var.agent_port - 1 }
    tcp-above-agent = { protocol = "tcp", from = var.agent_port + 1, to = 65535 }
    udp             = { protocol = "udp", from = 0, to = 65535 }
    icmp            = { protocol = "icmp", from = -1, to = -1 }
  }
}

resource "aws_security_group" "tasks" {
  #checkov:skip=CKV2_AWS_5:tasks carry it, and no task is Terraform's
  count = local.own_group ? 1 : 0

  name        = "${var.name}-tasks"
  description = "Fargate tasks of ${var.name}: they reach each other, the daemon reaches their agents"
  vpc_id      = local.vpc_id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_vpc_security_group_ingress_rule" "agent" {
  for_each = toset(local.own_group ? var.daemon_cidrs : [])

  security_group_id = local.task_group_id
  description       = "The daemon dials the agent (TLS and token)"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.agent_port
  to_port           = var.agent_port

  tags = { Name = "${var.name}-agent" }
}

resource "aws_vpc_security_group_ingress_rule" "agent_daemon" {
  count = local.daemon_group ? 1 : 0

  security_group_id            = local.task_group_id
  description                  = "The daemon dials the agent (TLS and token)"
  referenced_security_group_id = aws_security_group.daemon[0].id
  ip_protocol                  = "tcp"
  from_port                    = var.agent_port
  to_port                      = var.agent_port

  tags = { Name = "${var.name}-agent" }
}

# Every port but the agent's: who breaks into one container shall not find the agents of the others.
resource "aws_vpc_security_group_ingress_rule" "members" {
  for_each = { for name, rule in local.members : name => rule if local.own_group }

  security_group_id            = local.task_group_id
  description                  = "Containers reach each other, as on a Docker network"
  referenced_security_group_id = local.task_group_id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from
  to_port                      = each.value.to

  tags = { Name = "${var.name}-members-${each.key}" }
}

# With a way to the internet, containers reach out as on a Docker bridge; the image pull, the logs and EFS of a task go
# the same way.
resource "aws_vpc_security_group_egress_rule" "anywhere" {
  for_each = { for name, rule in local.anywhere : name => rule if local.own_group && !local.private }

  security_group_id = local.task_group_id
  description       = "Containers reach any address, as on a Docker bridge"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = each.value.protocol
  from_port         = each.value.from
  to_port           = each.value.to

  tags = { Name = "${var.name}-out-${each.key}" }
}

# Without one, they reach each other, AWS's endpoints, EFS, and the daemon where its ranges are named (a daemon that the
# agents call). Amazon's DNS server needs no rule.
resource "aws_vpc_security_group_egress_rule" "members" {
  for_each = { for name, rule in local.members : name => rule if local.private }

  security_group_id            = local.task_group_id
  description                  = "Containers reach each other, as on a Docker network"
  referenced_security_group_id = local.task_group_id
  ip_protocol                  = each.value.protocol
  from_port                    = each.value.from
  to_port                      = each.value.to

  tags = { Name = "${var.name}-members-${each.key}" }
}

resource "aws_vpc_security_group_egress_rule" "endpoints" {
  count = local.private ? 1 : 0

  security_group_id            = local.task_group_id
  description                  = "AWS through the interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.name}-endpoints" }
}

resource "aws_vpc_security_group_egress_rule" "s3" {
  count = local.private ? 1 : 0

  security_group_id = local.task_group_id
  description       = "Image layers and buckets through the S3 endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3[0].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-s3" }
}

resource "aws_vpc_security_group_egress_rule" "efs" {
  count = local.private ? 1 : 0

  security_group_id = local.task_group_id
  description       = "EFS mount targets in this network"
  cidr_ipv4         = var.network_cidr
  ip_protocol       = "tcp"
  from_port         = 2049
  to_port           = 2049

  tags = { Name = "${var.name}-efs" }
}

resource "aws_vpc_security_group_egress_rule" "daemon" {
  for_each = toset(local.private ? var.daemon_cidrs : [])

  security_group_id = local.task_group_id
  description       = "Agents call the daemon"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535

  tags = { Name = "${var.name}-daemon" }
}
