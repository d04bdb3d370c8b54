"""A signed report as HTML: a fragment for the portal's page, or one file that needs nothing else and runs nothing.

The file carries its own strict policy (only its style, by hash) and the signed JSON, so that it can be checked alone.
"""

from __future__ import annotations

import base64
import hashlib
import re
from html import escape
from pathlib import Path

from backups.evidence.sections import Section, sections, title
from backups.evidence.signed_report import Signed

TONES = {"intact": "ok", "altered": "bad", "unknown": "warn"}
GLYPHS = {"intact": "✓", "altered": "✕", "unknown": "?"}
MARK = "signed-report"
STYLE = Path(__file__).with_name("report.css").read_text()
EARLIER = frozenset({"mZUpw6pwxV0ylugoTmyVMXW3A+RylF9dOS0AcMSEaY8="})  # digests of styles drawn in before


def fragment(signed: Signed) -> str:
    """The sections, for a page that brings its own style."""
    parts = [_section(section) for section in sections(signed.report)]
    return "\n".join(parts)


def page(signed: Signed, style: str = STYLE) -> str:
    """A whole document; the same report in the same style gives the same bytes."""
    report, name = signed.report, escape(title(signed.report))
    policy = f"default-src 'none'; style-src 'sha256-{_digest(style)}'; base-uri 'none'; form-action 'none'"
    tone = TONES[report.word]
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><title>{name}</title>'
        f"<style>{style}</style></head><body><main><h1>{name}</h1>\n"
        f'<p class="verdict {tone}">{escape(report.sentence)}</p>\n{fragment(signed)}\n{_signature(signed)}'
        f'</main><template id="{MARK}">{base64.b64encode(signed.text.encode()).decode()}</template></body></html>\n'
    )


def embedded(data: bytes) -> bytes | None:
    """The signed JSON out of a downloaded page; None where there is none."""
    template = re.search(rb'<template id="signed-report">([A-Za-z0-9+/=]+)</template>', data)
    return base64.b64decode(template[1]) if template else None


def style_of(data: bytes) -> str:
    """The style that a downloaded page was drawn in, where this portal ever drew in it; today's for any other."""
    _, _, rest = data.partition(b"<style>")
    style = rest.partition(b"</style>")[0].decode(errors="replace")
    return style if _digest(style) in EARLIER else STYLE


def _digest(style: str) -> str:
    return base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()


def _section(section: Section) -> str:
    parts = [f'<section class="card"><h2>{escape(section.title)}</h2>']
    parts += [f"<p>{escape(text)}</p>" for text in section.paragraphs]
    if section.rows:
        head = "".join(f'<th scope="col">{escape(name)}</th>' for name in section.head)
        rows = "".join(_row(section, row) for row in section.rows)
        parts.append(f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>')
    return "".join([*parts, "</section>"])


def _row(section: Section, row: tuple[str, ...]) -> str:
    cells = [
        f'<td data-label="{escape(name)}"{_class(value)}>{_cell(value)}</td>'
        for name, value in zip(section.head, row, strict=True)
    ]
    return f"<tr>{''.join(cells)}</tr>"


def _class(value: str) -> str:
    """Long names without a space may break anywhere; short ones never do."""
    longest = max((len(word) for word in value.split()), default=0)
    return ' class="wrap mono"' if longest >= 26 else ' class="nowrap"' if len(value) <= 16 else ""


def _cell(value: str) -> str:
    tone = TONES.get(value)
    return f'<span class="badge {tone}">{GLYPHS[value]} {value.capitalize()}</span>' if tone else escape(value)


def _signature(signed: Signed) -> str:
    how = '<span class="mono">sampelit-ops verify_evidence FILE</span>'
    return (
        "<section><h2>Signature</h2><p>Ed25519 over the canonical JSON of this report, which is part of this file. "
        f'Check it: {how}</p><p class="mono small">SHA-256 {signed.sha256}<br>key {escape(signed.key)}'
        f"<br>signature {escape(signed.signature)}</p></section>"
    )
