"""The verbs of this app as operation kinds; `register()` is called once when the apps are ready."""

from __future__ import annotations

from deployments.kinds.base import ServiceKind, not_the_portal
from deployments.kinds.blueprint import ReadBlueprint
from deployments.kinds.control import PurgeCache, Restart, Resume, Scale, Suspend
from deployments.kinds.deploy import Cancel, Deploy
from deployments.kinds.function_deploy import FunctionDeploy
from deployments.kinds.function_rollback import FunctionDelete, FunctionRollback
from deployments.kinds.function_secrets import DeleteSecret, SetSecret
from deployments.kinds.maintenance import Maintenance, register_steps
from deployments.kinds.one_off_job import RunJob
from deployments.kinds.previews import DeletePreview, KeepPreview
from deployments.kinds.project.database_state import CheckUpgrade, LiftReadOnly
from deployments.kinds.project.network import AllowRender, Unban
from deployments.kinds.rollback import Rollback
from deployments.kinds.source import Autodeploy, HealthPath, Source
from deployments.kinds.variable_group_links import GroupLinkKind, LinkGroup, UnlinkGroup
from deployments.kinds.variable_groups import DeleteGroupVariable, GroupVariableKind, SetGroupVariable
from deployments.kinds.variables import DeleteVariable, SetVariable
from deployments.kinds.workspace.audit_log import ReadAuditLog
from deployments.kinds.workspace.cron_jobs import CancelCron, RunCron
from deployments.kinds.workspace.databases import ExportDatabase, RecoverDatabase, RestartDatabase
from deployments.kinds.workspace.edge import MoveRoute, VerifyDomain
from deployments.kinds.workspace.environments import FollowEnvironment
from deployments.kinds.workspace.maintenance_runs import RescheduleMaintenance, StartMaintenance
from deployments.kinds.workspace.secret_files import DeleteSecretFile, SetSecretFile
from operations.engine import kinds
from operations.engine.kinds import OperationKind

ALL: list[type[OperationKind]] = [
    Deploy,
    Cancel,
    Rollback,
    Maintenance,
    Restart,
    Scale,
    Suspend,
    Resume,
    Autodeploy,
    Source,
    HealthPath,
    SetVariable,
    DeleteVariable,
    PurgeCache,
    DeletePreview,
    RunJob,
    FunctionDeploy,
    FunctionRollback,
    FunctionDelete,
    SetSecret,
    DeleteSecret,
    KeepPreview,
    SetGroupVariable,
    DeleteGroupVariable,
    LinkGroup,
    UnlinkGroup,
    ReadBlueprint,
    ReadAuditLog,
    FollowEnvironment,
    RestartDatabase,
    ExportDatabase,
    RecoverDatabase,
    RescheduleMaintenance,
    StartMaintenance,
    RunCron,
    CancelCron,
    SetSecretFile,
    DeleteSecretFile,
    VerifyDomain,
    MoveRoute,
    AllowRender,
    Unban,
    LiftReadOnly,
    CheckUpgrade,
]


def register() -> None:
    for kind in ALL:
        kinds.register(kind())
        if issubclass(kind, ServiceKind | GroupVariableKind | GroupLinkKind):
            kinds.guards(kind.name, not_the_portal)
    register_steps()
