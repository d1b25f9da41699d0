# What tasks may be reached by and may reach.

resource "aws_security_group" "tasks" {
  name        = "${var.name}-tasks"
  description = "Fargate tasks of ${var.name}: they reach each other, the daemon reaches their agents"
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.name}-tasks" }
}

resource "aws_vpc_security_group_ingress_rule" "agent" {
  for_each = toset(length(var.daemon_cidrs) > 0 ? var.daemon_cidrs : [var.network_cidr])

  security_group_id = aws_security_group.tasks.id
  description       = "The daemon dials the agent (TLS and token)"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = var.agent_port
  to_port           = var.agent_port

  tags = { Name = "${var.name}-agent" }
}

resource "aws_vpc_security_group_ingress_rule" "members" {
  security_group_id            = aws_security_group.tasks.id
  description                  = "Containers reach each other on every port, as on a Docker network"
  referenced_security_group_id = aws_security_group.tasks.id
  ip_protocol                  = "-1"

  tags = { Name = "${var.name}-members" }
}

# Containers reach out as on a Docker bridge; the image pull, the logs and EFS of a task go the same way.
resource "aws_vpc_security_group_egress_rule" "anywhere" {
  security_group_id = aws_security_group.tasks.id
  description       = "Containers reach any address, as on a Docker bridge"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"

  tags = { Name = "${var.name}-out" }
}
