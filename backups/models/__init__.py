"""What the portal remembers of backups; the store's manifests stay the truth about what can be restored."""

from backups.models.evidence_report import EvidenceReport
from backups.models.hold import Hold
from backups.models.incident import Incident
from backups.models.policy import Policy
from backups.models.proof import Proof
from backups.models.provider_backup import ProviderBackup
from backups.models.restore import Restore
from backups.models.run import Run, Segment
from backups.models.slot import Slot
from backups.models.store_report import StoreReport
