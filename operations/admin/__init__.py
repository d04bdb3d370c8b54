"""The pages of operations, tasks, messages and the queue."""

from operations.admin import notifications, operations, queue, tasks

__all__ = ["notifications", "operations", "queue", "tasks"]
