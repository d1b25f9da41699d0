"""The Resource Groups Tagging API: everything of a region that carries a tag.

Law: its answer lags behind and names what is gone ("tagged or previously tagged"): aws/standing.py confirms each.
Source: Resource Groups Tagging API reference, GetResources (100 resources a page).
"""

from __future__ import annotations

from sockerless.aws.session import Aws

_PAGE = 100
Tags = dict[str, str]


async def tagged(aws: Aws, key: str, value: str) -> dict[str, Tags]:
    """The tags of each resource that carries this one, by ARN."""
    found: dict[str, Tags] = {}
    token = ""
    while True:
        answer = await aws.call(
            "resourcegroupstaggingapi",
            "GetResources",
            TagFilters=[{"Key": key, "Values": [value]}],
            ResourcesPerPage=_PAGE,
            PaginationToken=token,
        )
        for one in answer["ResourceTagMappingList"]:
            found[one["ResourceARN"]] = {tag["Key"]: tag["Value"] for tag in one["Tags"]}
        token = answer.get("PaginationToken") or ""
        if not token:
            return found
