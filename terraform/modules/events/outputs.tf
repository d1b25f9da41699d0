output "queue_url" {
  description = "The queue of task changes; empty without task_events."
  value       = var.task_events ? aws_sqs_queue.this["task-events"].url : ""

  depends_on = [aws_cloudwatch_event_target.queue]
}

output "queue_arn" {
  description = "The ARN of the queue of task changes; empty without task_events."
  value       = var.task_events ? aws_sqs_queue.this["task-events"].arn : ""
}

output "failed_starts_queue_url" {
  description = "The queue that keeps failed starts for two weeks; empty without failed_starts."
  value       = var.failed_starts ? aws_sqs_queue.this["failed-starts"].url : ""
}

output "rule_names" {
  description = "The names of the rules, by what they tell: task-events, failed-starts."
  value       = { for key, rule in aws_cloudwatch_event_rule.this : key => rule.name }
}
