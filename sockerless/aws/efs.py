"""EFS: access points, the directories tasks mount."""

from __future__ import annotations

from sockerless import errors
from sockerless.aws.session import Aws
from sockerless.types import JsonObject


async def access_point(aws: Aws, access_point_id: str) -> JsonObject:
    """The access point (AccessPointDescription: FileSystemId, PosixUser, RootDirectory, LifeCycleState).

    errors.NotFound when there is none of this id.
    """
    answer = await aws.call("efs", "DescribeAccessPoints", AccessPointId=access_point_id)
    for found in answer["AccessPoints"]:
        point: JsonObject = found
        return point
    raise errors.NotFound(f"the EFS access point {access_point_id} does not exist")
