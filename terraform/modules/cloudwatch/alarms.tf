# Failed starts are counted by EventBridge, which costs nothing; running tasks by Container Insights, where it is on;
# vCPUs against the account's quota by CloudWatch itself. Source: CloudWatch User Guide, "Visualizing your service
# quotas and setting alarms"; ECS Developer Guide, "Service quotas", for the metric's dimensions.

locals {
  alarm_actions = compact([var.alarm_topic_arn])
  counts_tasks  = var.container_insights != "disabled"
}

resource "aws_cloudwatch_metric_alarm" "failed_starts" {
  count = var.alarms && contains(keys(var.event_rules), "failed-starts") ? 1 : 0

  alarm_name        = "${var.name}-failed-starts"
  alarm_description = "${var.failed_starts_threshold} or more tasks of ${var.name} failed to start within five minutes; the queue ${var.event_rules["failed-starts"]} has their reasons."

  namespace           = "AWS/Events"
  metric_name         = "Invocations"
  dimensions          = { RuleName = var.event_rules["failed-starts"] }
  statistic           = "Sum"
  period              = 300
  evaluation_periods  = 1
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.failed_starts_threshold
  treat_missing_data  = "notBreaching" # EventBridge sends nothing while nothing fails

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions

  tags = { Name = "${var.name}-failed-starts" }
}

resource "aws_cloudwatch_metric_alarm" "running_tasks" {
  count = var.alarms && local.counts_tasks ? 1 : 0

  alarm_name        = "${var.name}-running-tasks"
  alarm_description = "More than 80 percent of the ${var.task_quota} tasks that ${var.name} is meant for are running."

  namespace           = "ECS/ContainerInsights"
  metric_name         = "TaskCount"
  dimensions          = { ClusterName = var.cluster_name }
  statistic           = "Maximum"
  period              = 60
  evaluation_periods  = 3
  comparison_operator = "GreaterThanThreshold"
  threshold           = floor(var.task_quota * 0.8)
  treat_missing_data  = "notBreaching" # nothing is sent while no task runs

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions

  tags = { Name = "${var.name}-running-tasks" }
}

resource "aws_cloudwatch_metric_alarm" "vcpu_quota" {
  count = var.alarms ? 1 : 0

  alarm_name        = "${var.name}-vcpu-quota"
  alarm_description = "More than 80 percent of the on-demand Fargate vCPUs that AWS grants this account in ${var.region} are in use, by ${var.name} and whatever else runs there."

  comparison_operator = "GreaterThanThreshold"
  threshold           = 80
  evaluation_periods  = 3
  treat_missing_data  = "notBreaching" # nothing is sent while nothing runs

  metric_query {
    id = "used"

    metric {
      namespace   = "AWS/Usage"
      metric_name = "ResourceCount"
      dimensions  = { Service = "Fargate", Type = "Resource", Resource = "vCPU", Class = "Standard/OnDemand" }
      stat        = "Maximum"
      period      = 300
    }
  }

  metric_query {
    id          = "share"
    expression  = "100 * used / SERVICE_QUOTA(used)"
    label       = "percent of the quota"
    return_data = true
  }

  alarm_actions = local.alarm_actions
  ok_actions    = local.alarm_actions

  tags = { Name = "${var.name}-vcpu-quota" }
}
