# Where tasks run. The provider is a mock.

mock_provider "aws" {}

run "tasks_run_on_demand_unless_asked_otherwise" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name = "test"
  }

  assert {
    condition     = aws_ecs_cluster_capacity_providers.this.capacity_providers == toset(["FARGATE", "FARGATE_SPOT"])
    error_message = "The cluster has other capacity providers than FARGATE and FARGATE_SPOT."
  }

  assert {
    condition = { for one in aws_ecs_cluster_capacity_providers.this.default_capacity_provider_strategy :
    one.capacity_provider => one.weight } == { FARGATE = 1 }
    error_message = "A provider without weight takes part in the strategy."
  }

  assert {
    condition     = [for setting in aws_ecs_cluster.this.setting : setting.value if setting.name == "containerInsights"] == ["enabled"]
    error_message = "Container Insights is off."
  }

  assert {
    condition     = length(aws_ecs_cluster.this.configuration) == 0
    error_message = "The storage of tasks asks for a key although there is none."
  }
}

run "weights_share_tasks_between_on_demand_and_spot" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name               = "test"
    container_insights = "enhanced"
    fargate_weight     = 1
    spot_weight        = 3
  }

  assert {
    condition = { for one in aws_ecs_cluster_capacity_providers.this.default_capacity_provider_strategy :
    one.capacity_provider => one.weight } == { FARGATE = 1, FARGATE_SPOT = 3 }
    error_message = "The weights are not those asked for."
  }

  assert {
    condition     = [for setting in aws_ecs_cluster.this.setting : setting.value] == ["enhanced"]
    error_message = "Container Insights is not enhanced."
  }
}

run "spot_alone_can_be_asked_for" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name           = "test"
    fargate_weight = 0
    spot_weight    = 1
  }

  assert {
    condition = { for one in aws_ecs_cluster_capacity_providers.this.default_capacity_provider_strategy :
    one.capacity_provider => one.weight } == { FARGATE_SPOT = 1 }
    error_message = "Tasks run on demand although all were to run on Spot."
  }
}

run "no_weight_at_all_is_refused" {
  command = plan

  module {
    source = "./modules/cluster"
  }

  variables {
    name           = "test"
    fargate_weight = 0
    spot_weight    = 0
  }

  expect_failures = [aws_ecs_cluster_capacity_providers.this]
}
