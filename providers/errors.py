"""The errors that cross room borders: a provider failed, or a rule says no. Both carry one sentence for a person."""

from __future__ import annotations


class ProviderError(Exception):
    """An outside system did not do what was asked; `retryable` says whether the same read may work later, `sqlstate`
    what a database answered."""

    def __init__(self, message: str, retryable: bool = False, sqlstate: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.retryable = retryable
        self.sqlstate = sqlstate


class Refused(Exception):
    """A rule forbids the act. The reason is shown verbatim: what happened, what was not changed, what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
