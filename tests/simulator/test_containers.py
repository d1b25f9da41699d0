"""Tasks of several containers: order, essential ends, shared namespaces and volumes, health."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import Account, logged, until

pytestmark = pytest.mark.engine


def shell(name: str, image: str, script: str, **members: Any) -> dict[str, Any]:
    """A logged container definition of this name that runs a shell script."""
    return logged(name=name, image=image, entryPoint=["/bin/sh", "-c"], command=[script], **members)


def codes(task: dict[str, Any]) -> dict[str, int | None]:
    """Exit codes by container name."""
    return {container["name"]: container.get("exitCode") for container in task["containers"]}


def after(name: str, condition: str) -> list[dict[str, str]]:
    """dependsOn of one container."""
    return [{"containerName": name, "condition": condition}]


def test_an_init_container_fills_a_volume_before_the_main_one_starts(account: Account, image: str) -> None:
    shared = [{"sourceVolume": "shared", "containerPath": "/shared"}]
    account.register(
        "init",
        shell("main", image, "cat /shared/file", mountPoints=shared, dependsOn=after("init", "SUCCESS")),
        shell("init", image, "sleep 0.2; echo filled > /shared/file", mountPoints=shared, essential=False),
        volumes=[{"name": "shared", "host": {}}],
    )
    task = account.stopped(account.run("init")["taskArn"])
    assert codes(task) == {"main": 0, "init": 0}
    assert account.log_lines(task["taskArn"]) == ["filled"]


def test_a_failed_init_container_keeps_the_main_one_from_starting(account: Account, image: str) -> None:
    account.register(
        "badinit",
        shell("main", image, "echo never", dependsOn=after("init", "SUCCESS")),
        shell("init", image, "exit 3", essential=False),
    )
    task = account.stopped(account.run("badinit")["taskArn"])
    assert codes(task) == {"main": None, "init": 3}
    assert task["stopCode"] == "TaskFailedToStart"
    assert account.log_lines(task["taskArn"]) == []


def test_complete_goes_on_after_a_failed_container(account: Account, image: str) -> None:
    account.register(
        "complete",
        shell("main", image, "exit 5", dependsOn=after("init", "COMPLETE")),
        shell("init", image, "exit 3", essential=False),
    )
    assert codes(account.stopped(account.run("complete")["taskArn"])) == {"main": 5, "init": 3}


def test_an_essential_exit_stops_the_others_and_a_non_essential_one_does_not(account: Account, image: str) -> None:
    wait = "trap 'exit 8' TERM; while :; do sleep 0.05; done"
    account.register(
        "essential",
        shell("main", image, "sleep 2; exit 4"),
        shell("side", image, wait),
        shell("short", image, "exit 6", essential=False),
    )
    arn = account.run("essential")["taskArn"]
    account.running(arn)
    task = account.stopped(arn)
    assert codes(task) == {"main": 4, "side": 8, "short": 6}
    assert task["stopCode"] == "EssentialContainerExited"


def test_a_healthy_dependency_is_waited_for(account: Account, image: str) -> None:
    check = {"command": ["CMD-SHELL", "test -e /tmp/up"], "interval": 5, "timeout": 2, "retries": 3}
    account.register(
        "healthy",
        shell("main", image, "echo started; sleep 60", dependsOn=after("db", "HEALTHY")),
        shell("db", image, "touch /tmp/up; sleep 60", healthCheck=check),
    )
    arn = account.run("healthy")["taskArn"]
    until(lambda: account.task(arn)["containers"][1]["lastStatus"], lambda status: status == "RUNNING")
    assert account.task(arn)["containers"][0]["lastStatus"] == "PENDING"
    assert account.running(arn)["healthStatus"] == "HEALTHY"
    account.client("ecs").stop_task(cluster=account.cluster, task=arn)


def test_containers_share_addresses_and_with_pid_mode_task_processes(account: Account, image: str) -> None:
    account.register(
        "shared",
        shell("main", image, "sleep 0.3; ip -4 addr show eth0 | grep inet; ps | grep -c '[s]leep 61'; pidof pause"),
        shell("side", image, "ip -4 addr show eth0 | grep inet; exec sleep 61", stopTimeout=2),
        pidMode="task",
    )
    arn = account.run("shared")["taskArn"]
    account.stopped(arn)
    main, side = account.log_lines(arn), account.log_lines(arn, "side")
    assert main[0] == side[0]
    assert main[1:] == ["1", "1"]


def test_volumes_from_gives_another_containers_mounts(account: Account, image: str) -> None:
    script = "until test -s /data/x; do :; done; cat /data/x; touch /data/y 2>/dev/null || echo refused"
    data = [{"sourceVolume": "data", "containerPath": "/data"}]
    account.register(
        "volumesfrom",
        shell("main", image, script, volumesFrom=[{"sourceContainer": "side", "readOnly": True}]),
        shell("side", image, "echo given > /data/x; exec sleep 60", stopTimeout=2, mountPoints=data),
        volumes=[{"name": "data"}],
    )
    task = account.stopped(account.run("volumesfrom")["taskArn"])
    assert account.log_lines(task["taskArn"]) == ["given", "refused"]


def test_ten_tasks_of_one_call_all_run(account: Account, image: str) -> None:
    account.register("ten", shell("main", image, "echo $HOSTNAME"))
    answer = account.client("ecs").run_task(**account.run_request("ten", count=10))
    tasks = [account.stopped(task["taskArn"], timeout_s=60) for task in answer["tasks"]]
    assert len(tasks) == 10
    assert {codes(task)["main"] for task in tasks} == {0}
    addresses = {task["containers"][0]["networkInterfaces"][0]["privateIpv4Address"] for task in tasks}
    assert addresses
