"""Messages to people: `enqueue` in the transaction of the change, `alarm` once per flip, `deliver_due` by the tick."""

from operations.notify.alarms import RESOLVED, alarm
from operations.notify.delivery import deliver_due
from operations.notify.outbox import enqueue

__all__ = ["RESOLVED", "alarm", "deliver_due", "enqueue"]
