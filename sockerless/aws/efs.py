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


async def access_points(aws: Aws, file_system_id: str) -> list[JsonObject]:
    """Every access point of the file system; errors.NotFound when it is gone."""
    points: list[JsonObject] = []
    page: JsonObject = {}
    while True:
        answer = await aws.call("efs", "DescribeAccessPoints", FileSystemId=file_system_id, **page)
        points.extend(answer["AccessPoints"])
        if not answer.get("NextToken"):
            return points
        page = {"NextToken": answer["NextToken"]}


async def delete_access_point(aws: Aws, access_point_id: str) -> None:
    """Deletes the access point; one that is gone already is no failure."""
    try:
        await aws.call("efs", "DeleteAccessPoint", AccessPointId=access_point_id)
    except errors.NotFound:
        return
