"""A container's secrets, from the simulated Systems Manager and Secrets Manager. The caller holds the lock.

Source: ECS API reference, Secret; developer guide, "Pass Secrets Manager secrets through environment variables"
(forms of valueFrom).
"""

from __future__ import annotations

import json
from typing import Any

from moto.core.exceptions import JsonRESTError, ServiceException
from moto.secretsmanager.models import secretsmanager_backends
from moto.ssm.models import ssm_backends

from sockerless.simulator.failures import ResourceInitializationError

_FAILED = "unable to pull secrets or registry auth: execution resource retrieval failed: "


def resolve(account_id: str, region: str, secrets: list[dict[str, str]]) -> dict[str, str]:
    """Environment variables by name; ResourceInitializationError when a value is not to be had."""
    return {secret["name"]: _value(account_id, region, secret["valueFrom"]) for secret in secrets}


def _value(account_id: str, region: str, value_from: str) -> str:
    parts = value_from.split(":")
    if len(parts) >= 7 and parts[2] == "secretsmanager":
        return _from_secrets_manager(account_id, parts[3], parts)
    if len(parts) >= 6 and parts[2] == "ssm":
        return _from_parameter_store(account_id, parts[3], ":".join(parts[5:]).removeprefix("parameter"), value_from)
    return _from_parameter_store(account_id, region, value_from, value_from)


def _from_parameter_store(account_id: str, region: str, name: str, value_from: str) -> str:
    backend = ssm_backends[account_id][region]
    parameter = backend.get_parameter(name) or backend.get_parameter(name.lstrip("/"))
    if parameter is None:
        raise ResourceInitializationError(
            f"{_FAILED}unable to retrieve secrets from ssm: service call has been retried 1 time(s): "
            f"Invalid parameters: {value_from}"
        )
    return str(parameter.response_object(decrypt=True, region=region)["Value"])


def _from_secrets_manager(account_id: str, region: str, parts: list[str]) -> str:
    arn = ":".join(parts[:7])
    json_key, stage, version = ([*parts[7:], "", "", ""])[:3]
    failed = f"{_FAILED}unable to retrieve secret from asm: service call has been retried 1 time(s): "
    try:
        found: dict[str, Any] = secretsmanager_backends[account_id][region].get_secret_value(
            secret_id=arn, version_id=version, version_stage=stage or "AWSCURRENT"
        )
    except (ServiceException, JsonRESTError) as error:
        raise ResourceInitializationError(
            f"{failed}failed to fetch secret {arn} from secrets manager: {error}"
        ) from error
    text = str(found.get("SecretString", ""))
    if not json_key:
        return text
    try:
        return str(json.loads(text)[json_key])
    except (ValueError, KeyError, TypeError):
        raise ResourceInitializationError(
            f"{failed}retrieved secret from Secrets Manager did not contain json key {json_key}"
        ) from None
