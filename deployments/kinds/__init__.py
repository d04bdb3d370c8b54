"""The verbs of this app as operation kinds; `register()` is called once when the apps are ready."""

from __future__ import annotations

from deployments.kinds.blueprint import ReadBlueprint
from deployments.kinds.control import PurgeCache, Restart, Resume, Scale, Suspend
from deployments.kinds.deploy import Cancel, Deploy
from deployments.kinds.function_deploy import FunctionDeploy
from deployments.kinds.function_rollback import FunctionDelete, FunctionRollback
from deployments.kinds.function_secrets import DeleteSecret, SetSecret
from deployments.kinds.maintenance import Maintenance, register_steps
from deployments.kinds.one_off_job import RunJob
from deployments.kinds.previews import DeletePreview, KeepPreview
from deployments.kinds.rollback import Rollback
from deployments.kinds.source import Autodeploy, HealthPath, Source
from deployments.kinds.variable_group_links import LinkGroup, UnlinkGroup
from deployments.kinds.variable_groups import DeleteGroupVariable, SetGroupVariable
from deployments.kinds.variables import DeleteVariable, SetVariable
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
]


def register() -> None:
    for kind in ALL:
        kinds.register(kind())
    register_steps()
