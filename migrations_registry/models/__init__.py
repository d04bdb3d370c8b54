"""The nouns of migrations: files by content, what was found in them, plans, policies, waivers."""

from migrations_registry.models.applied import Application, StreamBaseline
from migrations_registry.models.file import MigrationFile
from migrations_registry.models.finding import Finding
from migrations_registry.models.plan import Plan
from migrations_registry.models.policy import RulePolicy
from migrations_registry.models.reading import HistoryReading, SourceCommit
from migrations_registry.models.rehearsal import Rehearsal
from migrations_registry.models.schema import DriftIncident, SchemaFingerprint
from migrations_registry.models.upload import Upload
from migrations_registry.models.waiver import Waiver
