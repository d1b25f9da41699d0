"""Service Quotas' answers about Fargate; moto knows those about VPC alone, which stay its own.

Source: Service Quotas API reference; moto 5.2, servicequotas/responses.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from moto.core.responses import BaseResponse
from moto.servicequotas.exceptions import NoSuchResource
from moto.servicequotas.models import servicequotas_backends
from moto.servicequotas.responses import ServiceQuotasResponse

from sockerless.simulator.hooks import Hooks
from sockerless.simulator.quotas import AWS_DEFAULT_VCPUS, NAMES, Quotas


def install(hooks: Hooks, quotas: Quotas) -> None:
    """Serves GetServiceQuota and GetAWSDefaultServiceQuota."""

    def applied(response: BaseResponse, document: dict[str, Any]) -> dict[str, Any]:
        if document.get("ServiceCode") != "fargate":
            backend = servicequotas_backends[response.current_account][response.region]
            return {
                "Quota": backend.get_service_quota(str(document.get("ServiceCode")), str(document.get("QuotaCode")))
            }
        return {"Quota": _quota(response, str(document.get("QuotaCode")), quotas.applied())}

    def default(response: BaseResponse, document: dict[str, Any]) -> dict[str, Any]:
        if document.get("ServiceCode") != "fargate":
            raise NoSuchResource
        values = dict.fromkeys(NAMES, AWS_DEFAULT_VCPUS)
        return {"Quota": _quota(response, str(document.get("QuotaCode")), values)}

    hooks.action(ServiceQuotasResponse, "get_service_quota", applied)
    hooks.action(ServiceQuotasResponse, "get_aws_default_service_quota", default)


def _quota(response: BaseResponse, code: str, values: Mapping[str, float]) -> dict[str, Any]:
    if code not in values:
        raise NoSuchResource
    arn = f"arn:aws:servicequotas:{response.region}:{response.current_account}:fargate/{code}"
    return {
        "ServiceCode": "fargate",
        "ServiceName": "AWS Fargate",
        "QuotaArn": arn,
        "QuotaCode": code,
        "QuotaName": NAMES[code],
        "Value": values[code],
        "Unit": "None",
        "Adjustable": True,
        "GlobalQuota": False,
    }
