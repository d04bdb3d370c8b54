"""The nouns of the one way anything consequential happens (docs/design.md 3)."""

from operations.models.approval import Approval
from operations.models.environment import Environment
from operations.models.factor import Authenticator, Passkey, RecoveryCodes
from operations.models.heartbeat import Heartbeat
from operations.models.notification import Notification
from operations.models.operation import Operation, Outcome, Risk, Status
from operations.models.project import SupabaseProject
from operations.models.role_grant import MachineAccount, RoleGrant
from operations.models.step import Step, StepStatus
from operations.models.step_up import PasskeyChallenge, SentForm, StepUp
from operations.models.task import Task
from operations.models.token import AccessToken
