"""One thing that doctor looked at: ok, or what is missing and how to fix it. No question is asked here."""

from __future__ import annotations

from dataclasses import dataclass

from sockerless.errors import SockerlessError


@dataclass(frozen=True, slots=True)
class Finding:
    """One requirement: what it is, whether it is met, what was found, and the fix when it is not met."""

    name: str
    ok: bool
    detail: str
    fix: str = ""
    required: bool = True


def line(finding: Finding) -> str:
    """The finding for people: ok, missing, or optional when it is missing and not required."""
    if finding.ok:
        return f"ok        {finding.name}: {finding.detail}"
    verdict = "missing " if finding.required else "optional"
    return f"{verdict}  {finding.name}: {finding.detail}\n          fix: {finding.fix}"


def unknown(name: str, error: SockerlessError, fix: str) -> Finding:
    """What could not be asked: no reason to stop, and not called ok either."""
    return Finding(name, False, f"could not be asked: {error.message}", fix, required=False)
