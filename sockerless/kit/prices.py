"""AWS's list prices: a dated table for estimates, never the truth of a bill.

Owns: the table. Knows no deployment and asks nobody. No discount, free tier or tax is in it.
Source: the pricing page of each service (https://aws.amazon.com/PAGE/pricing) for us-east-1. A price that those pages
and the AWS price list, as Infracost's recorded results quote it, do not both give is marked approximate.
"""

from __future__ import annotations

from dataclasses import dataclass

DATED = "2026-11-25"
"""When the table was put together."""
REGION = "us-east-1"
"""The region these prices hold for; others differ, mostly upwards by 0 to 30 percent."""
HOURS_PER_MONTH = 730
"""365 days x 24 hours / 12, as AWS's own calculator counts."""
FREE_EPHEMERAL_GIB = 20


@dataclass(frozen=True, slots=True)
class Price:
    """What one unit of something costs. page: the service's name in the address of its pricing page."""

    name: str
    usd: float
    per: str
    page: str
    approximate: bool = False

    @property
    def usd_per_month(self) -> float:
        """For something paid by the hour or the month that stands all month."""
        return self.usd * HOURS_PER_MONTH if self.per == "hour" else self.usd


NAT_GATEWAY = Price("NAT gateway", 0.045, "hour", "vpc")
PUBLIC_ADDRESS = Price("public IPv4 address", 0.005, "hour", "vpc")
INTERFACE_ENDPOINT = Price("interface endpoint in a zone", 0.01, "hour", "privatelink")
KMS_KEY = Price("KMS key", 1.00, "month", "kms")
ALARM_METRIC = Price("metric of an alarm", 0.10, "month", "cloudwatch")
DASHBOARD = Price("dashboard (three of an account are free)", 3.00, "month", "cloudwatch")

NAT_DATA = Price("through NAT", 0.045, "GB", "vpc")
ENDPOINT_DATA = Price("through endpoints", 0.01, "GB", "privatelink")
LOG_DATA = Price("logs taken in", 0.50, "GB", "cloudwatch")
LOG_STORAGE = Price("logs kept", 0.03, "GB-month", "cloudwatch")
METRIC = Price("Container Insights", 0.30, "metric-month", "cloudwatch", approximate=True)
EFS_STORAGE = Price("EFS", 0.30, "GB-month", "efs")
EFS_READ = Price("EFS reads", 0.03, "GB", "efs", approximate=True)
EFS_WRITE = Price("EFS writes", 0.06, "GB", "efs", approximate=True)
BACKUP_STORAGE = Price("EFS backups", 0.05, "GB-month", "backup", approximate=True)
ECR_STORAGE = Price("ECR", 0.10, "GB-month", "ecr")
KMS_REQUESTS = Price("KMS", 0.03, "10,000 requests", "kms")
SQS_REQUESTS = Price("SQS", 0.40, "million requests", "sqs")
S3_STORAGE = Price("S3", 0.023, "GB-month", "s3")

X86_VCPU = Price("Fargate vCPU, X86_64", 0.04048, "hour", "fargate")
X86_MEMORY = Price("Fargate GB of memory, X86_64", 0.004445, "hour", "fargate")
ARM_VCPU = Price("Fargate vCPU, ARM64", 0.03238, "hour", "fargate")
ARM_MEMORY = Price("Fargate GB of memory, ARM64", 0.00356, "hour", "fargate")
EPHEMERAL = Price("Fargate GB of storage beyond 20", 0.000111, "hour", "fargate")

TABLE = (
    *(NAT_GATEWAY, PUBLIC_ADDRESS, INTERFACE_ENDPOINT, KMS_KEY, ALARM_METRIC, DASHBOARD),
    *(NAT_DATA, ENDPOINT_DATA, LOG_DATA, LOG_STORAGE, METRIC, EFS_STORAGE, EFS_READ, EFS_WRITE, BACKUP_STORAGE),
    *(ECR_STORAGE, KMS_REQUESTS, SQS_REQUESTS, S3_STORAGE),
    *(X86_VCPU, X86_MEMORY, ARM_VCPU, ARM_MEMORY, EPHEMERAL),
)

SPOT_SHARE = 0.32
"""What a Spot task costs of the same on demand; approximate, AWS changes it with supply."""


def task_usd_per_hour(
    cpu_units: int,
    memory_mib: int,
    *,
    arm: bool = False,
    spot: bool = False,
    public_address: bool = False,
    ephemeral_gib: int = FREE_EPHEMERAL_GIB,
) -> float:
    """One Fargate task while it runs; AWS counts seconds, at least 60, from the image's pull to the task's end."""
    vcpu, memory = (ARM_VCPU, ARM_MEMORY) if arm else (X86_VCPU, X86_MEMORY)
    compute = cpu_units / 1024 * vcpu.usd + memory_mib / 1024 * memory.usd
    storage = max(ephemeral_gib - FREE_EPHEMERAL_GIB, 0) * EPHEMERAL.usd
    return compute * (SPOT_SHARE if spot else 1) + storage + (PUBLIC_ADDRESS.usd if public_address else 0)
