"""The ECS actions served in moto's place or around it.

Tasks are ours (ecs_tasks); definitions are validated by us and kept by moto; clusters stay moto's.
Source: moto 5.2, ecs/responses.py.
"""

from __future__ import annotations

from moto.core.responses import BaseResponse
from moto.ecs.responses import EC2ContainerServiceResponse

from sockerless.simulator.definitions import Definitions
from sockerless.simulator.ecs_tasks import TaskService
from sockerless.simulator.hooks import Hooks
from sockerless.simulator.tasks import JsonObject


def install(hooks: Hooks, tasks: TaskService, definitions: Definitions) -> None:
    """Serves the ECS actions of this simulator."""

    def run_task(response: BaseResponse, document: JsonObject) -> JsonObject:
        return tasks.run(response.current_account, response.region, document)

    def stop_task(response: BaseResponse, document: JsonObject) -> JsonObject:
        return tasks.stop(response.current_account, response.region, document)

    def describe_tasks(response: BaseResponse, document: JsonObject) -> JsonObject:
        return tasks.describe(response.current_account, response.region, document)

    def list_tasks(response: BaseResponse, document: JsonObject) -> JsonObject:
        return tasks.list(response.current_account, response.region, document)

    def delete_cluster(response: BaseResponse, document: JsonObject) -> JsonObject:
        return tasks.delete_cluster(response.current_account, response.region, document)

    for action in (run_task, stop_task, describe_tasks, list_tasks, delete_cluster):
        hooks.action(EC2ContainerServiceResponse, action.__name__, action)
    hooks.action(EC2ContainerServiceResponse, "register_task_definition", definitions.register)
    hooks.action(EC2ContainerServiceResponse, "deregister_task_definition", definitions.deregister)
    hooks.action(EC2ContainerServiceResponse, "list_task_definitions", definitions.list)
