"""A signed report as PDF: the same bytes for the same report, with the digest and the signature on its last page."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from backups.evidence.sections import Section, sections, title
from backups.evidence.signed_report import Signed

BODY = ParagraphStyle("body", fontName="Helvetica", fontSize=9, leading=12, spaceAfter=4, splitLongWords=True)
CELL = ParagraphStyle("cell", BODY, fontSize=7.5, leading=9.5, spaceAfter=0)
HEAD = ParagraphStyle("head", CELL, fontName="Helvetica-Bold")
MONO = ParagraphStyle("mono", BODY, fontName="Courier", fontSize=7.5, leading=10)
H1 = ParagraphStyle("h1", BODY, fontName="Helvetica-Bold", fontSize=16, leading=20, spaceAfter=8)
H2 = ParagraphStyle("h2", BODY, fontName="Helvetica-Bold", fontSize=11, leading=14, spaceBefore=10, spaceAfter=4)
TONES = {"intact": colors.HexColor("#1a7f4b"), "altered": colors.HexColor("#c0262d"),
         "unknown": colors.HexColor("#a15c00")}  # fmt: skip
WORDS = {word: ParagraphStyle(word, HEAD, textColor=tone) for word, tone in TONES.items()}
WIDTH = A4[0] - 40 * mm - 12  # a frame pads 6 points on each side
NARROW = {
    "Verdict": 16, "Chain": 55, "Run": 48, "Kind": 18, "Status": 18, "Month": 18, "How many": 16, "Seen at": 26,
    "When": 26, "From": 28, "To": 28, "Opened": 26, "Requested": 26, "Snapshot": 26, "Policy": 24, "End": 18, "By": 18,
    "Proven": 14, "Late": 12, "Failed": 12, "Missed": 14, "Open": 12,
}  # fmt: skip


def render(signed: Signed) -> bytes:
    """The whole document. No time, no random id: `invariant` leaves them out."""
    buffer = io.BytesIO()
    made = SimpleDocTemplate(
        buffer, pagesize=A4, leftMargin=20 * mm, rightMargin=20 * mm, topMargin=18 * mm, bottomMargin=18 * mm,
        title=latin(title(signed.report)), author="Sampelit Ops", invariant=1,
    )  # fmt: skip
    footer = f"{signed.report.environment} · report SHA-256 {signed.sha256}"
    made.build(_story(signed), onFirstPage=_footer(footer), onLaterPages=_footer(footer))
    return buffer.getvalue()


def _story(signed: Signed) -> list[Any]:
    story: list[Any] = [_text(title(signed.report), H1), _verdict(signed), Spacer(1, 4 * mm)]
    for section in sections(signed.report):
        story += _section(section)
    story += [
        _text("Signature", H2),
        _text("Ed25519 over the canonical JSON of this report. Check it with the JSON of the same report: "
              "manage.py verify_evidence FILE.json", BODY),
        _text(f"SHA-256 {signed.sha256}", MONO), _text(f"key {signed.key}", MONO),
        _text(f"signature {signed.signature}", MONO),
    ]  # fmt: skip
    return story


def _verdict(signed: Signed) -> Table:
    """The first sentence behind a bar in the verdict's colour."""
    table = Table([[_text(signed.report.sentence, ParagraphStyle("v", BODY, fontSize=10.5, leading=14))]], [WIDTH])
    tone = TONES[signed.report.word]
    table.setStyle(TableStyle([("LINEBEFORE", (0, 0), (0, 0), 3, tone), ("LEFTPADDING", (0, 0), (0, 0), 8)]))
    return table


def _section(section: Section) -> list[Any]:
    parts: list[Any] = [_text(section.title, H2), *(_text(text, BODY) for text in section.paragraphs)]
    if section.rows:
        cells = [[_text(name, HEAD) for name in section.head]]
        cells += [[_text(value, WORDS.get(value, CELL)) for value in row] for row in section.rows]
        table = Table(cells, _widths(section.head), repeatRows=1, splitInRow=1)  # a reason may be longer than a page
        line = ("LINEBELOW", (0, 0), (-1, -1), 0.4, colors.HexColor("#dfe2e6"))
        table.setStyle(TableStyle([line, ("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)]))
        parts.append(table)
    return parts


def _widths(head: tuple[str, ...]) -> list[float]:
    """Short columns get what they need, the others share the rest."""
    fixed = [NARROW.get(name, 0) * mm for name in head]
    free = sum(1 for width in fixed if not width)
    if not free:
        return [WIDTH / len(head)] * len(head)
    return [width or (WIDTH - sum(fixed)) / free for width in fixed]


def _text(text: str, style: ParagraphStyle) -> Paragraph:
    return Paragraph(escape(latin(text)), style)


def latin(text: str) -> str:
    """The standard fonts know Latin-1 only; anything else is a question mark here and whole in the JSON."""
    return text.replace("→", "->").replace("–", "-").encode("latin-1", "replace").decode("latin-1")


def _footer(text: str) -> Any:
    def draw(canvas: Canvas, made: SimpleDocTemplate) -> None:
        canvas.setFont("Helvetica", 6.5)
        canvas.drawString(20 * mm, 10 * mm, latin(text))
        canvas.drawRightString(A4[0] - 20 * mm, 10 * mm, f"page {made.page}")

    return draw
