"""What other apps hand to the ledger: sentences for action codes, listeners, sources of anchors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from providers.counting import counted

if TYPE_CHECKING:
    from ledger.models import Entry
    from ledger.report import VerificationReport

Facts = Mapping[str, Any]
Phrase = Callable[[Facts], str]


@dataclass(frozen=True)
class Anchor:
    """The ledger's size and head hash as somebody else wrote them down."""

    source: str
    size: int
    head_sha256: str


AnchorSource = Callable[[], Iterable[Anchor]]
_sentences: dict[str, tuple[str, Mapping[str, Phrase]]] = {}
Listener = Callable[["VerificationReport"], None]
_anchor_sources: list[AnchorSource] = []
_listeners: list[Listener] = []


def sentences(table: Mapping[str, str], phrases: Mapping[str, Phrase] = MappingProxyType({})) -> None:
    """Register a template for each action code.

    A template names what the entry holds: {actor}, {subject}, {environment}, each key of its data, and `phrases`, which
    are worked out from those where a template asks for them. `{rows:row}` is a number with its noun.
    """
    for code, template in table.items():
        _sentences[code] = (template, phrases)


class _Number(int):
    """A number that `{rows:row}` spells with its noun, and that is else written as it is."""

    def __format__(self, spec: str) -> str:
        return counted(self, spec) if len(spec) > 1 and spec.isalpha() else super().__format__(spec)


def _spelt(fact: Any) -> Any:
    return _Number(fact) if type(fact) is int else fact


class _Words(dict[str, Any]):
    """What a template may name; a phrase comes before data of the same name, and is worked out when asked for."""

    def __init__(self, entry: Entry, phrases: Mapping[str, Phrase]) -> None:
        own = {"actor": entry.actor, "subject": entry.subject, "environment": entry.environment}
        self._facts = entry.payload | own
        self._phrases = phrases
        shown = {name: _spelt(fact) for name, fact in self._facts.items() if name not in phrases}
        super().__init__(shown)

    def __missing__(self, name: str) -> str:
        return self._phrases[name](self._facts)


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


def sentence_for(entry: Entry) -> str:
    """The entry as one sentence; an unregistered code, or data of an older shape, falls back to the bare facts."""
    if entry.code not in _sentences:
        return _plain(entry)
    template, phrases = _sentences[entry.code]
    try:
        return template.format_map(_Words(entry, phrases))
    except (KeyError, IndexError, TypeError, ValueError, AttributeError):
        return _plain(entry)


def _plain(entry: Entry) -> str:
    what = entry.code.replace("_", " ").replace(".", " ")
    return f"{entry.actor}: {what} {entry.subject}".strip()
