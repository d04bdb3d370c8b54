"""What whoever votes on a migration sees before the button: what is lost, what comes back, who waits, the SQL."""

from __future__ import annotations

from django.utils.http import urlencode

from migrations_registry.models import MigrationFile
from migrations_registry.services.annotated_lines import Line, lines_of
from migrations_registry.services.planning import Review
from migrations_registry.services.undo_forecast import undo_forecast
from migrations_registry.undo.forecast import DATA_ONLY, FULLY, NO
from operations.engine.specs import Block, Fact
from operations.models import Environment
from operations.navigation import page_of

TEMPLATE = "admin/migrations_registry/migrationfile/sql.html"
TONES = {FULLY: "ok", DATA_ONLY: "warn", NO: "bad"}
LONGEST = 70  # of a loss that is told in full


def file_named(environment: Environment, sha256: str) -> tuple[str, str]:
    """A file by its digest: its name, and its review on this environment."""
    row = MigrationFile.objects.defer("content").filter(sha256=sha256).first()
    if row is None:
        return "", ""
    page = page_of(row)
    return f"{row.name}, revision {row.revision}", f"{page}?{urlencode({'environment': environment.slug})}"


def shown(review: Review) -> list[Fact | Block]:
    """The answers, then the text."""
    lines = lines_of(review.file.data.decode("utf-8", "replace"), review.analysis)
    block = Block("SQL with its findings", TEMPLATE, {"lines": lines}, tuple(_as_text(lines)))
    return [*_losses(review), _waiting(review), block]


def _losses(review: Review) -> list[Fact]:
    losses = [loss.what for loss in review.plan.losses] + list(review.file.measured_losses)
    if not losses:
        return [Fact("Will be lost", "nothing", tone="ok")]
    first = losses[0].partition(", which")[0]  # what brings it back is the next answer
    one = first if len(losses) == 1 and len(first) <= LONGEST else _counted(len(losses))
    facts = [Fact("Will be lost", one, tone="bad"), _comes_back(review)]
    said = undo_forecast(review)
    return [*facts, Fact("Can be undone", str(said), tone=TONES[said.answer])] if said else facts


def _counted(count: int) -> str:
    return "what one statement destroys" if count == 1 else f"what {count} statements destroy"


def _comes_back(review: Review) -> Fact:
    if not review.plan.restore_point:
        return Fact("Comes back", "no: nothing is kept first", tone="bad")
    if review.unkept:
        return Fact("Comes back", f"not what is in {len(review.unkept)} tables that are not kept", tone="bad")
    return Fact("Comes back", "yes, from a copy that is made and proven first", tone="ok")


def _waiting(review: Review) -> Fact:
    """How long others wait, by the forecast of the steps."""
    seconds = [step.blocks_seconds for step in review.plan.steps]
    if review.plan.maintenance:
        return Fact("Others wait", "maintenance mode while it runs", tone="warn")
    if any(one is None for one in seconds):
        return Fact("Others wait", "nobody can tell how long", tone="warn")
    total = sum(one or 0 for one in seconds)
    return Fact("Others wait", f"about {total:g} s" if total else "not at all", tone="" if total else "ok")


def _as_text(lines: list[Line]) -> list[str]:
    """As the shell prints it: a mark, the number, the text; findings below their statement."""
    texts = []
    for line in lines:
        texts.append(f"{MARKS.get(line.tone, ' ')} {line.number:>4}  {line.text}")
        texts += [f"        {found.title}: {found.message}" for found in line.findings]
    return texts


MARKS = {"bad": "!", "warn": "~"}
