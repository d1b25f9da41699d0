# Who talked to whom in a network made here, in a log group of its own.

locals {
  flow_logs      = local.own && var.flow_logs != "off"
  flow_log_group = "/${var.name}/flow-logs"
}

resource "aws_cloudwatch_log_group" "flow_logs" {
  count = local.flow_logs ? 1 : 0

  name              = local.flow_log_group
  retention_in_days = var.flow_log_retention_days
  kms_key_id        = var.kms_key_arn != "" ? var.kms_key_arn : null

  tags = { Name = "${var.name}-flow-logs" }
}

resource "aws_flow_log" "this" {
  count = local.flow_logs ? 1 : 0

  vpc_id               = aws_vpc.this[0].id
  traffic_type         = var.flow_logs == "all" ? "ALL" : "REJECT"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow_logs[0].arn
  iam_role_arn         = aws_iam_role.flow_logs[0].arn

  tags = { Name = var.name }

  depends_on = [aws_iam_role_policy.flow_logs]
}

# Only the flow logs of this account in this region may take the role (confused deputy).
resource "aws_iam_role" "flow_logs" {
  count = local.flow_logs ? 1 : 0

  name                 = "${var.name}-${var.region}-flow-logs"
  description          = "VPC flow logs of ${var.name} write to CloudWatch"
  permissions_boundary = var.permissions_boundary != "" ? var.permissions_boundary : null

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "FlowLogsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        StringEquals = { "aws:SourceAccount" = local.account }
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ec2:${var.region}:${local.account}:vpc-flow-log/*" }
      }
    }]
  })
}

resource "aws_iam_role_policy" "flow_logs" {
  count = local.flow_logs ? 1 : 0

  name = "write-flow-logs"
  role = aws_iam_role.flow_logs[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "WriteThisGroup"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.flow_logs[0].arn}:*"
      },
      {
        Sid      = "FindTheGroup"
        Effect   = "Allow"
        Action   = "logs:DescribeLogGroups"
        Resource = "*" # AWS takes no resource here
      },
    ]
  })
}
