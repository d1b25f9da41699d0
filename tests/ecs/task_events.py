"""Task state change events as EventBridge puts them into a queue, for tests."""

from __future__ import annotations

import json
from typing import Any

CLUSTER_ARN = "arn:aws:ecs:us-west-2:111122223333:cluster/test"
TASK_ARN = "arn:aws:ecs:us-west-2:111122223333:task/test/c13b4cb40f1f4fe4a2971f76ae5a47ad"


def event(version: int, last_status: str = "RUNNING", arn: str = TASK_ARN, **detail: Any) -> str:
    """A message's body with the members of detail that matter, of the shape that the developer guide shows."""
    document = {
        "version": "0",
        "id": f"3317b2af-7005-947d-b652-{version:012}",
        "detail-type": "ECS Task State Change",
        "source": "aws.ecs",
        "account": "111122223333",
        "time": "2026-01-23T17:57:58Z",
        "region": "us-west-2",
        "resources": [arn],
        "detail": {
            "clusterArn": CLUSTER_ARN,
            "taskArn": arn,
            "lastStatus": last_status,
            "desiredStatus": "STOPPED" if last_status == "STOPPED" else "RUNNING",
            "containers": [{"name": "main", "lastStatus": last_status}],
            "version": version,
            **detail,
        },
    }
    return json.dumps(document)
