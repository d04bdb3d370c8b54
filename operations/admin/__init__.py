"""The pages of operations, tasks, messages and the queue."""

from operations.admin import environments, notifications, operations, queue, tasks, tokens

__all__ = ["environments", "notifications", "operations", "queue", "tasks", "tokens"]
