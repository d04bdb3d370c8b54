"""A file's plan for an environment: analysed with live facts where they can be had, waivers and policy applied."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from functools import lru_cache

from migrations_registry.analysis import analyse
from migrations_registry.analysis.cost import comparison
from migrations_registry.analysis.data_loss import Destroyed, destroyed
from migrations_registry.analysis.facts import CatalogFacts
from migrations_registry.analysis.model import CONVENTION, DESTRUCTIVE, Analysis, Statement
from migrations_registry.analysis.parsing.parser import parse
from migrations_registry.analysis.plan import Plan as PurePlan
from migrations_registry.analysis.plan import plan
from migrations_registry.analysis.risk import DEFAULT_POLICY, Policy, risk_of, severity_of, statement_risk
from migrations_registry.effects import declared
from migrations_registry.effects.listing import taken_along
from migrations_registry.effects.live import Live
from migrations_registry.effects.row_counts import RowCount
from migrations_registry.effects.unseen import refusals
from migrations_registry.models import MigrationFile, RulePolicy, Waiver
from migrations_registry.services.live_facts import live_behaviour, live_facts, live_reach
from migrations_registry.services.row_counts import counts_of
from migrations_registry.undo.keep_choice import NOTHING, given_up
from operations.models import Environment
from providers.errors import ProviderError, Refused
from providers.postgres.migrate.cascade_reach import ReachedTable


@dataclass(frozen=True)
class Review:
    """What a person needs to decide about one file on one environment."""

    file: MigrationFile
    environment: Environment
    analysis: Analysis
    plan: PurePlan
    policy: RulePolicy | None
    facts: CatalogFacts | None
    no_facts_because: str
    reached: tuple[ReachedTable, ...] = ()
    row_counts: tuple[RowCount, ...] = ()
    keep: str = ""

    @property
    def kept(self) -> tuple[ReachedTable, ...]:
        """What the restore point holds of what is reached."""
        without = given_up(self.keep)
        return tuple(t for t in self.reached if t.qualified not in without) if self.keep != NOTHING else ()

    @property
    def unkept(self) -> tuple[ReachedTable, ...]:
        return tuple(table for table in self.reached if table not in self.kept)

    @property
    def content(self) -> bytes:
        """What approvals bind: bytes (still the newest), plan, target, rules, policy and waivers; never estimates."""
        waivers = [[waiver.rule, waiver.line] for waiver in approved_waivers(self.file)]
        version = self.policy.version if self.policy else 0
        newest = (
            MigrationFile.objects.filter(path=self.file.path).order_by("-revision").values_list("sha256", flat=True)
        )
        facts = {
            "sha256": self.file.sha256,
            "path": self.file.path,
            "newest": newest.first(),
            "target": self.environment.slug,
            "policy": version,
            "waivers": waivers,
        }
        return json.dumps(facts, sort_keys=True).encode() + b"\n" + self.plan.content()


@dataclass(frozen=True)
class _Question:
    """Everything on which an analysis depends."""

    data: bytes
    facts: CatalogFacts | None
    policy: Policy
    waived: frozenset[tuple[str, int]]


_newest: tuple[_Question, Analysis] | None = None


def policy_in_force() -> RulePolicy | None:
    """The newest policy; None means the catalogue's own defaults."""
    return RulePolicy.objects.order_by("-version").first()


def approved_waivers(file: MigrationFile) -> list[Waiver]:
    """The waivers of this content that a second person approved."""
    approved = [waiver for waiver in file.waivers.all() if waiver.approved_by]
    return sorted(approved, key=lambda waiver: (waiver.line, waiver.rule))


def review(file: MigrationFile, environment: Environment, *, live: bool = True, keep: str = "") -> Review:
    """Analyse and plan. Without reachable facts the judgement is the cautious one, and says so. `keep`: the choice."""
    facts, why = _facts(environment) if live else (None, "live facts were not asked for")
    row = policy_in_force()
    policy = row.spec() if row else DEFAULT_POLICY
    analysis = judged(file, facts, policy)
    draft = _as_measured(plan(analysis, facts, policy), file)
    reached = _reached(file, environment, analysis, draft) if facts and draft.restore_point else ()
    counts = counts_of(file, environment, facts, analysis)
    found = Review(file, environment, analysis, draft, row, facts, why, reached, counts, keep)
    final = replace(
        draft,
        maintenance=draft.maintenance or comparison(sum(table.size_bytes for table in found.kept), policy),
        restore_point="" if keep == NOTHING else draft.restore_point,
        refusals=(*draft.refusals, *refusals(file.data)),
    )
    return replace(found, plan=final)


def _as_measured(draft: PurePlan, file: MigrationFile) -> PurePlan:
    """What was measured outweighs what the analysis says; where no rule places a loss, everything is kept first."""
    if not file.measured_losses:
        return draft
    measured = f"it was measured to do more than its text says: {file.measured_losses[0]}" if file.takes_values else ""
    return replace(draft, risk=DESTRUCTIVE, restore_point=draft.restore_point or measured)


def _reached(
    file: MigrationFile, environment: Environment, analysis: Analysis, draft: PurePlan
) -> tuple[ReachedTable, ...]:
    """The tables with rows that its restore point holds, with what they cascade to and what acts because of them."""
    named = destroyed(analysis, parse(file.data), range(len(analysis.statements)))
    along = _along(file.data, live_behaviour(environment), draft.risk) if draft.risk == DESTRUCTIVE else ()
    tables = tuple(sorted({*named.tables, *along}))
    what = replace(named, tables=tables, everything=named.everything or file.takes_values)
    found = tuple(table for table in live_reach(environment, what) if table.holds_rows) if what else ()
    return found or tuple(table for table in live_reach(environment, _touched(draft)) if table.holds_rows)


def _touched(draft: PurePlan) -> Destroyed:
    """What the restore point holds where a loss stands under a name that is given in the file, or is only seen live."""
    existing = {".".join(each.name) for step in draft.steps for each in step.objects if not each.is_new}
    return Destroyed(tables=tuple(sorted(existing)))


@lru_cache(maxsize=4)  # one request asks several times
def _along(data: bytes, live: Live, risk: str) -> tuple[str, ...]:
    return taken_along(declared(data, live=live, voted=risk))


def judged(file: MigrationFile, facts: CatalogFacts | None, policy: Policy) -> Analysis:
    """A file's analysis. It is pure: who asks the same again (clean, content, assess, preflight) gets it again."""
    global _newest
    question = _Question(file.data, facts, policy, frozenset((row.rule, row.line) for row in approved_waivers(file)))
    known = _newest  # another thread may put its own there meanwhile
    if known is None or known[0] != question:
        _newest = known = question, _judged(question)
    return known[1]


def _judged(question: _Question) -> Analysis:
    """The policy's severities stand in the place of the catalogue's; waived findings are lowered to convention."""
    facts, policy = question.facts, question.policy
    analysis = analyse(question.data, as_runner=True, facts=facts, policy=policy)
    statements = tuple(_explained(_ruled(statement, policy), question) for statement in analysis.statements)
    return replace(analysis, statements=statements, risk=risk_of(statements, facts, replace(policy, severities={})))


def _ruled(statement: Statement, policy: Policy) -> Statement:
    findings = (finding._replace(severity=severity_of(finding, policy)) for finding in statement.findings)
    return statement._replace(findings=tuple(findings))


def _explained(statement: Statement, question: _Question) -> Statement:
    """A waiver explains: it lowers no finding of a statement that two people must vote on."""
    if statement_risk(statement, question.facts, replace(question.policy, severities={})) == DESTRUCTIVE:
        return statement
    findings = (
        finding._replace(severity=CONVENTION) if (finding.rule, statement.line) in question.waived else finding
        for finding in statement.findings
    )
    return statement._replace(findings=tuple(findings))


def _facts(environment: Environment) -> tuple[CatalogFacts | None, str]:
    try:
        return live_facts(environment), ""
    except (Refused, ProviderError) as error:
        return None, str(error)
