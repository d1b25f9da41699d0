# Logs, task events, dashboard and alarms. The provider is a mock.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }

  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }

  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:eu-central-1:123456789012:test"
      url = "https://sqs.eu-central-1.amazonaws.com/123456789012/test"
    }
  }
}

variables {
  name           = "test"
  region         = "eu-central-1"
  retention_days = 365
  cluster_name   = "test"
  file_system_id = "fs-0123456789abcdef0"
  cluster_arn    = "arn:aws:ecs:eu-central-1:123456789012:cluster/test"
}

run "logs_are_kept_as_long_as_asked" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.name == "/test" && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "The log group is not /test, kept for 365 days."
  }
}

run "task_changes_of_this_cluster_alone_reach_the_queue" {
  command = apply

  module {
    source = "./modules/events"
  }

  assert {
    condition = jsondecode(aws_cloudwatch_event_rule.this["task-events"].event_pattern) == {
      source      = ["aws.ecs"]
      detail-type = ["ECS Task State Change"]
      detail      = { clusterArn = ["arn:aws:ecs:eu-central-1:123456789012:cluster/test"] }
    }
    error_message = "The rule matches other events than this cluster's changes of tasks."
  }

  assert {
    condition     = jsondecode(aws_cloudwatch_event_rule.this["failed-starts"].event_pattern).detail.stopCode == ["TaskFailedToStart"]
    error_message = "What counts as a failed start is not what ECS says failed to start."
  }

  assert {
    condition     = alltrue([for queue in aws_sqs_queue.this : queue.sqs_managed_sse_enabled])
    error_message = "A queue is not encrypted."
  }

  assert {
    condition     = aws_sqs_queue.this["task-events"].message_retention_seconds == 3600
    error_message = "The queue keeps changes longer than ECS itself knows of a stopped task."
  }

  assert {
    condition = alltrue([for key, queue in aws_sqs_queue.this : jsondecode(queue.policy).Statement == [
      {
        Sid       = "EventsOfItsRule"
        Effect    = "Allow"
        Principal = { Service = "events.amazonaws.com" }
        Action    = "sqs:SendMessage"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:test-${key}"
        Condition = {
          ArnEquals    = { "aws:SourceArn" = "arn:aws:events:eu-central-1:123456789012:rule/test-${key}" }
          StringEquals = { "aws:SourceAccount" = "123456789012" }
        }
      },
      {
        Sid       = "DenyWithoutTLS"
        Effect    = "Deny"
        Principal = { AWS = "*" }
        Action    = "sqs:*"
        Resource  = "arn:aws:sqs:eu-central-1:123456789012:test-${key}"
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]])
    error_message = "Somebody else than the queue's own rule may write to it, or without TLS."
  }

  assert {
    condition     = output.queue_url == "https://sqs.eu-central-1.amazonaws.com/123456789012/test"
    error_message = "The output does not name the queue."
  }
}

run "without_task_events_there_is_no_queue_for_them" {
  command = plan

  module {
    source = "./modules/events"
  }

  variables {
    task_events   = false
    failed_starts = false
  }

  assert {
    condition     = length(aws_sqs_queue.this) + length(aws_cloudwatch_event_rule.this) == 0 && output.queue_url == "" && output.queue_arn == ""
    error_message = "There is a queue or a rule although none was asked for."
  }
}

run "alarms_watch_failed_starts_and_running_tasks" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  variables {
    event_rules     = { failed-starts = "test-failed-starts", task-events = "test-task-events" }
    task_quota      = 50
    alarm_topic_arn = "arn:aws:sns:eu-central-1:123456789012:alarms"
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.failed_starts[0].namespace == "AWS/Events" &&
      aws_cloudwatch_metric_alarm.failed_starts[0].metric_name == "Invocations" &&
      aws_cloudwatch_metric_alarm.failed_starts[0].dimensions == tomap({ RuleName = "test-failed-starts" })
    )
    error_message = "The alarm does not count what the rule of failed starts sends on."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.running_tasks[0].metric_name == "TaskCount" &&
      aws_cloudwatch_metric_alarm.running_tasks[0].dimensions == tomap({ ClusterName = "test" }) &&
      aws_cloudwatch_metric_alarm.running_tasks[0].threshold == 40
    )
    error_message = "The alarm does not ring above 80 percent of the tasks this is meant for."
  }

  assert {
    condition = (
      one([for query in aws_cloudwatch_metric_alarm.vcpu_quota[0].metric_query : query.expression if query.id == "share"]) ==
      "100 * used / SERVICE_QUOTA(used)" &&
      one([for query in aws_cloudwatch_metric_alarm.vcpu_quota[0].metric_query : query.metric[0].dimensions if query.id == "used"]) ==
      tomap({ Service = "Fargate", Type = "Resource", Resource = "vCPU", Class = "Standard/OnDemand" })
    )
    error_message = "The alarm does not hold the account's vCPUs against AWS's quota."
  }

  assert {
    condition = alltrue([for alarm in [
      aws_cloudwatch_metric_alarm.failed_starts[0],
      aws_cloudwatch_metric_alarm.running_tasks[0],
      aws_cloudwatch_metric_alarm.vcpu_quota[0],
      ] :
      alarm.alarm_actions == toset(["arn:aws:sns:eu-central-1:123456789012:alarms"]) && alarm.treat_missing_data == "notBreaching"
    ])
    error_message = "An alarm tells nobody, or rings when nothing happens."
  }

  assert {
    condition = length([for widget in jsondecode(aws_cloudwatch_dashboard.this[0].dashboard_body).widgets : widget
    if strcontains(jsonencode(widget), "ECS/ContainerInsights")]) == 3
    error_message = "The dashboard does not show tasks, CPU and memory."
  }
}

run "what_container_insights_counts_is_left_out_without_it" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  variables {
    event_rules        = { failed-starts = "test-failed-starts" }
    container_insights = "disabled"
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.failed_starts) == 1 && length(aws_cloudwatch_metric_alarm.running_tasks) == 0
    error_message = "An alarm watches what nobody counts."
  }

  assert {
    condition     = !strcontains(aws_cloudwatch_dashboard.this[0].dashboard_body, "ECS/ContainerInsights")
    error_message = "The dashboard shows what nobody counts."
  }
}

run "dashboard_and_alarms_can_be_left_out" {
  command = plan

  module {
    source = "./modules/cloudwatch"
  }

  variables {
    dashboard = false
    alarms    = false
  }

  assert {
    condition = (
      length(aws_cloudwatch_dashboard.this) + length(aws_cloudwatch_metric_alarm.failed_starts) +
      length(aws_cloudwatch_metric_alarm.running_tasks) + length(aws_cloudwatch_metric_alarm.vcpu_quota) == 0
    )
    error_message = "There is a dashboard or an alarm although none was asked for."
  }
}
