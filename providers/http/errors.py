"""What can go wrong at a provider, each with what was changed: one tree, `retryable` where waiting helps."""

from __future__ import annotations

from providers.errors import ProviderError


class Unauthorized(ProviderError):
    """The token is wrong or revoked (401), or may not do this one thing (403, `forbidden`)."""

    def __init__(self, message: str, code: int = 401) -> None:
        super().__init__(message)
        self.forbidden = code == 403


class NotFound(ProviderError):
    """The thing is gone or was never there (404, 410)."""


class PlanTooLow(ProviderError):
    """The workspace's plan does not include this, or a payment is missing (402)."""


class Rejected(ProviderError):
    """The provider understood the request and declined it (400, 406, 409, 422); nothing was changed."""


CURSOR_LOST = frozenset({"invalid_cursor", "cursor_origin_receipt_expired", "cursor_origin_receipt_invalid"})


class CursorLost(Rejected):
    """The place where a list was to go on is no longer taken."""

    def __init__(self, provider: str, path: str, word: str) -> None:
        super().__init__(
            f"{provider} no longer takes the place where the list {path} was to go on ({word}). This call changed "
            "nothing; it is read from its beginning the next time."
        )


class RateLimited(ProviderError):
    """429, or a bucket known to be empty: nothing was changed. `wait` is the number of seconds until it refills."""

    def __init__(self, message: str, wait: float) -> None:
        super().__init__(message, retryable=True)
        self.wait = wait


class Unavailable(ProviderError):
    """No connection, a timeout of a read, or a 5xx to a read: nothing was changed."""

    def __init__(self, message: str) -> None:
        super().__init__(message, retryable=True)


class Misshapen(ProviderError):
    """The provider answered a read with something of another shape: it says nothing about what exists."""

    def __init__(self, message: str) -> None:
        super().__init__(f"{message} This call changed nothing, and nothing was concluded from it.", retryable=True)


def is_silence(error: BaseException) -> bool:
    """Whether there was no answer that waiting may bring: no word about what was asked for, but about the provider."""
    return isinstance(error, ProviderError) and error.retryable and not isinstance(error, Misshapen)


class UnknownOutcome(ProviderError):
    """A write was sent and its answer was lost: it may have happened. Look it up; never send it again."""
