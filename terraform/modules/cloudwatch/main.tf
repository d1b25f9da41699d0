# Where the containers' output is kept. The group exists before any task: a task whose group is missing does not start.

resource "aws_cloudwatch_log_group" "this" {
  #checkov:skip=CKV_AWS_158:encryption = aws asks for the key that CloudWatch manages
  name              = "/${var.name}"
  retention_in_days = var.retention_days
  kms_key_id        = var.kms_key_arn == "" ? null : var.kms_key_arn

  tags = { Name = "/${var.name}" }
}
