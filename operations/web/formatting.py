"""Small pieces of markup that every page shares: status badges, times, sizes, durations.

In: plain values. Out: SafeString. No inline style or script (strict CSP); never colour alone.
"""

from __future__ import annotations

from datetime import UTC, datetime

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

GLYPHS = {"ok": "✓", "warn": "!", "bad": "✕", "run": "↻", "idle": "–"}
TONES = {
    "ok": "proven succeeded live healthy approved verified delivered sent valid on passed done active "
    "clean applied present",
    "warn": "awaiting_approval late suspect waiting sensitive degraded missed expiring unverified drifted overdue "
    "blocking open partial proven_in_part",
    "bad": "failed rejected altered destructive unhealthy broken down missing invalid build_failed update_failed "
    "opaque dead",
    "run": "running requested queued started building deploying proving copying cancelling pending in_progress created "
    "update_in_progress build_in_progress rolled_back",
    "idle": "cancelled canceled expired skipped deactivated unknown off none retired superseded idle revoked routine "
    "stored refused",
}
_TONE_OF = {word: tone for tone, words in TONES.items() for word in words.split()}


def tone_of(status: str) -> str:
    """The tone of a status word; words nobody told us about are idle."""
    return _TONE_OF.get(str(status).lower().replace(" ", "_"), "idle")


def badge(status: str, tone: str | None = None) -> SafeString:
    """A status as glyph, word and colour: the same word as in the CLI, `_` shown as a space."""
    tone = tone if tone in GLYPHS else tone_of(status)
    word = str(status).replace("_", " ")
    return format_html(
        '<span class="badge {}"><span aria-hidden="true">{} </span>{}</span>',
        tone,
        GLYPHS[tone],
        word[:1].upper() + word[1:],
    )


def when(moment: datetime | None) -> SafeString:
    """A `<time>`: relative text, absolute UTC on hover and for machines."""
    if moment is None:
        return SafeString('<span class="faint">–</span>')
    utc = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        utc.isoformat(timespec="seconds"),
        f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        relative(moment),
    )


def exactly(moment: datetime | None) -> SafeString:
    """A `<time>` with the absolute UTC time as its text, for audit pages."""
    if moment is None:
        return SafeString('<span class="faint">–</span>')
    utc = moment.astimezone(UTC)
    return format_html('<time datetime="{}">{}</time>', utc.isoformat(timespec="seconds"), f"{utc:%Y-%m-%d %H:%M:%S}")


def relative(moment: datetime, now: datetime | None = None) -> str:
    """`2 h ago`, `in 31 h`, `yesterday`; older than a fortnight the date itself."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if abs(seconds) >= 14 * 86_400:
        return f"{moment.astimezone(UTC):%-d %b %Y}"
    if 86_400 <= seconds < 2 * 86_400:
        return "yesterday"
    # What is to come is rounded, not cut: three days less a second are not two.
    text = duration(abs(seconds) + (0 if seconds > 0 else _half_a_unit(-seconds)), coarse=True)
    return f"in {text}" if seconds < 0 else ("just now" if seconds < 5 else f"{text} ago")


def _half_a_unit(seconds: float) -> float:
    """Of the unit that `duration` shows coarsely."""
    return 43_200 if seconds >= 172_800 - 43_200 else 1800 if seconds >= 3600 else 30 if seconds >= 60 else 0


def size(count: int | float | None) -> str:
    """Bytes as a person reads them, decimal units: `61 MB`."""
    if count is None:
        return "–"
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if abs(value) < 1000:
            return f"{value:.0f} {unit}" if unit == "B" or abs(value) >= 10 else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def duration(seconds: float | None, *, coarse: bool = False) -> str:
    """`0.4 s`, `11.8 s`, `3 m 41 s`, `2 h 5 m`, `3 d`; `coarse` keeps only the largest unit."""
    if seconds is None:
        return "–"
    if seconds < 60:
        return f"{seconds:.0f} s" if coarse or seconds >= 30 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} min" if coarse else f"{minutes} m {rest} s"
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" if coarse or not minutes else f"{hours} h {minutes} m"
    return f"{hours // 24} d"


def number(value: int | None) -> str:
    """An integer with thousands separators, or a dash."""
    return "–" if value is None else f"{value:,}"
