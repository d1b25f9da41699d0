# One page that says how the deployment is: tasks, failed starts, quota, output, storage.

locals {
  task_widgets = [
    {
      title = "Running tasks"
      stat  = "Maximum"
      metrics = [
        ["ECS/ContainerInsights", "TaskCount", "ClusterName", var.cluster_name],
      ]
      annotations = { horizontal = [{ label = "task_quota", value = var.task_quota }] }
    },
    {
      title = "CPU units of tasks: used, asked for"
      stat  = "Average"
      metrics = [
        ["ECS/ContainerInsights", "CpuUtilized", "ClusterName", var.cluster_name],
        ["ECS/ContainerInsights", "CpuReserved", "ClusterName", var.cluster_name],
      ]
    },
    {
      title = "Memory of tasks in MiB: used, asked for"
      stat  = "Average"
      metrics = [
        ["ECS/ContainerInsights", "MemoryUtilized", "ClusterName", var.cluster_name],
        ["ECS/ContainerInsights", "MemoryReserved", "ClusterName", var.cluster_name],
      ]
    },
  ]

  event_widgets = [for key, rule in var.event_rules : {
    title   = key == "failed-starts" ? "Tasks that failed to start" : "Changes of tasks told to the daemon"
    stat    = "Sum"
    metrics = [["AWS/Events", "Invocations", "RuleName", rule]]
  }]

  plain_widgets = [
    {
      title = "Fargate vCPUs of the account in this region, of all clusters"
      stat  = "Maximum"
      metrics = [
        ["AWS/Usage", "ResourceCount", "Service", "Fargate", "Type", "Resource", "Resource", "vCPU", "Class", "Standard/OnDemand", { id = "used" }],
        [{ expression = "SERVICE_QUOTA(used)", label = "quota" }],
      ]
    },
    {
      title   = "Output of containers in bytes"
      stat    = "Sum"
      metrics = [["AWS/Logs", "IncomingBytes", "LogGroupName", aws_cloudwatch_log_group.this.name]]
    },
    {
      title = "EFS: bytes read and written"
      stat  = "Sum"
      metrics = [
        ["AWS/EFS", "DataReadIOBytes", "FileSystemId", var.file_system_id],
        ["AWS/EFS", "DataWriteIOBytes", "FileSystemId", var.file_system_id],
      ]
    },
  ]

  widgets = concat([for widget in local.task_widgets : widget if local.counts_tasks], local.event_widgets, local.plain_widgets)
}

resource "aws_cloudwatch_dashboard" "this" {
  count = var.dashboard ? 1 : 0

  dashboard_name = "${var.name}-${var.region}"

  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type       = "metric"
      x          = index % 3 * 8
      y          = floor(index / 3) * 6
      width      = 8
      height     = 6
      properties = merge({ view = "timeSeries", region = var.region, period = 60 }, widget)
    }]
  })
}
