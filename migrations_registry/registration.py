"""What migrations add to other apps' operations: guards of deploys, consequences of rollbacks and restores."""

from __future__ import annotations

from functools import partial

from backups.models.provider_backup import KINDS
from migrations_registry import consequences
from migrations_registry.gate import deploy_guard
from migrations_registry.history.in_the_way import told_before
from migrations_registry.models.applied import APPLY
from operations.engine import kinds


def register() -> None:
    kinds.looks(deploy_guard.KIND, deploy_guard.look)
    kinds.guards(deploy_guard.KIND, deploy_guard.refuse)
    kinds.consequences(deploy_guard.KIND, deploy_guard.tell)
    kinds.consequences(APPLY, told_before)
    kinds.consequences("deployments.rollback", consequences.by_a_rollback)
    for kind in KINDS:
        kinds.consequences(kind, partial(consequences.by_a_restore, kind))
