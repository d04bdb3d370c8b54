"""The name under which messages of before the move still lie in the queue; may go one release later."""

from operations.worker.django_q import dispatch

__all__ = ["dispatch"]
