"""What other apps hand to the ledger: a sentence for each action code, and sources of anchors to verify against."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ledger.models import Entry
    from ledger.report import Report

Sentence = Callable[["Entry"], str]


@dataclass(frozen=True)
class Anchor:
    """The ledger's size and head hash as somebody else wrote them down."""

    source: str
    size: int
    head_sha256: str


AnchorSource = Callable[[], Iterable[Anchor]]
_sentences: dict[str, Sentence] = {}
Listener = Callable[["Report"], None]
_anchor_sources: list[AnchorSource] = []
_listeners: list[Listener] = []


def sentence(code: str) -> Callable[[Sentence], Sentence]:
    """Decorator: the function turns an entry of this code into one sentence for the timeline."""

    def register(function: Sentence) -> Sentence:
        _sentences[code] = function
        return function

    return register


def anchor_source(function: AnchorSource) -> AnchorSource:
    """Decorator: the function yields anchors (a proven manifest, a checkpoint) that `verify()` compares with."""
    if function not in _anchor_sources:
        _anchor_sources.append(function)
    return function


def anchor_sources() -> tuple[AnchorSource, ...]:
    return tuple(_anchor_sources)


def on_verified(function: Listener) -> Listener:
    """Decorator: the function hears every report of `verify_and_tell()`, to show it or to raise an alarm."""
    if function not in _listeners:
        _listeners.append(function)
    return function


def listeners() -> tuple[Listener, ...]:
    return tuple(_listeners)


def codes() -> list[str]:
    return sorted(_sentences)


def say(entry: Entry) -> str:
    """The entry as one sentence; an unregistered code, or data of an older shape, falls back to the bare facts."""
    function = _sentences.get(entry.code)
    if function is None:
        return _plain(entry)
    try:
        return function(entry)
    except (KeyError, TypeError, ValueError):
        return _plain(entry)


def _plain(entry: Entry) -> str:
    what = entry.code.replace("_", " ").replace(".", " ")
    return f"{entry.actor}: {what} {entry.subject}".strip()
