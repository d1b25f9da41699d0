"""A user of the simulated IAM, and policies for it."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from .conftest import Account

ACCOUNT = "123456789012"


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource} | more


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


class Caller:
    """A user with one inline policy, whose statements a test sets."""

    def __init__(self, account: Account) -> None:
        self._account, self.iam = account, account.client("iam")
        self.iam.create_user(UserName="somebody")
        self.key = self.iam.create_access_key(UserName="somebody")["AccessKey"]

    def may(self, *statements: dict[str, Any]) -> Caller:
        self.iam.put_user_policy(UserName="somebody", PolicyName="p", PolicyDocument=document(*statements))
        return self

    def client(self, service: str, **credentials: str) -> Any:
        keys = {
            "aws_access_key_id": self.key["AccessKeyId"],
            "aws_secret_access_key": self.key["SecretAccessKey"],
        } | credentials
        config = boto3.session.Config(retries={"total_max_attempts": 1})
        endpoint = self._account.endpoint_url
        return boto3.client(service, endpoint_url=endpoint, region_name="us-east-1", config=config, **keys)


def refused(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    answer = error.value.response["Error"]
    return answer["Code"], answer["Message"]
