"""The policies of whoever runs apply, destroy and doctor: all that terraform and the kit call, and no more.

They must stand before anything is built, so they are made here and not by terraform; what the daemon may is known only
once everything stands, and is terraform's (templates/modules/iam/daemon_policy.tf.j2). A new resource in the templates
needs its actions here: a test applies and destroys a deployment with nothing but these policies.
"""

from __future__ import annotations

from sockerless.kit import iam_deployer_data, iam_deployer_network, iam_deployer_tasks, iam_deployer_watch
from sockerless.kit.iam_scope import Scope, document
from sockerless.types import JsonObject

_PARTS = {
    "network": iam_deployer_network.statements,
    "data": iam_deployer_data.statements,
    "tasks": iam_deployer_tasks.statements,
    "watch": iam_deployer_watch.statements,
}


def policies(scope: Scope) -> dict[str, JsonObject]:
    """The policies' documents by name. All of them are needed; each fits into a managed policy."""
    return {f"{scope.prefix}-deployer-{part}": document(statements(scope)) for part, statements in _PARTS.items()}
