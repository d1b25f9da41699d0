# The security group of the daemon, for the machine or task that runs it in this network: whoever carries it reaches the
# agents. Nothing is let in: from where Docker's clients may come is yours to say, on a group of your own beside it.
# A daemon that dials public addresses comes from outside, where a group counts for nothing: var.daemon_cidrs names it.

locals {
  daemon_group = local.own_group && !local.assign_public_ip
}

resource "aws_security_group" "daemon" {
  #checkov:skip=CKV2_AWS_5:you attach it to what runs the daemon
  count = local.daemon_group ? 1 : 0

  name        = "${var.name}-daemon"
  description = "The daemon of ${var.name}: it reaches the agents of tasks"
  vpc_id      = local.vpc_id

  tags = { Name = "${var.name}-daemon" }
}

resource "aws_vpc_security_group_egress_rule" "daemon_agents" {
  count = local.daemon_group ? 1 : 0

  security_group_id            = aws_security_group.daemon[0].id
  description                  = "Agents of tasks"
  referenced_security_group_id = local.task_group_id
  ip_protocol                  = "tcp"
  from_port                    = var.agent_port
  to_port                      = var.agent_port

  tags = { Name = "${var.name}-daemon-agents" }
}

resource "aws_vpc_security_group_egress_rule" "daemon_anywhere" {
  count = local.daemon_group && !local.private ? 1 : 0

  security_group_id = aws_security_group.daemon[0].id
  description       = "AWS and image registries, whatever their port"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 0
  to_port           = 65535

  tags = { Name = "${var.name}-daemon-out" }
}

resource "aws_vpc_security_group_egress_rule" "daemon_endpoints" {
  count = local.private ? 1 : 0

  security_group_id            = aws_security_group.daemon[0].id
  description                  = "AWS through the interface endpoints"
  referenced_security_group_id = aws_security_group.endpoints[0].id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.name}-daemon-endpoints" }
}

resource "aws_vpc_security_group_egress_rule" "daemon_s3" {
  count = local.private ? 1 : 0

  security_group_id = aws_security_group.daemon[0].id
  description       = "Image layers through the S3 endpoint"
  prefix_list_id    = aws_vpc_endpoint.s3[0].prefix_list_id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443

  tags = { Name = "${var.name}-daemon-s3" }
}
