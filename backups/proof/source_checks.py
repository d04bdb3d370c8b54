"""What makes a faithful copy suspect: broken chains, chains that were cut, tables that are empty or shrank.

In: a loader after its comparison with the snapshot, the Comparison with the last good run. Out: sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backups.archive.loader import Loader
from backups.archive.manifest import Table
from backups.proof import anomalies
from backups.proof.beside import Beside, Chains
from backups.proof.comparison import Comparison
from backups.proof.findings import Examined, Finding, chain_broken
from providers import postgres
from providers.counting import first_of
from providers.postgres.audit_trail.chains import describe

MOST_TOLD = 50
CUTS = ("row_edited", "rows_removed", "tail_cut", "chain_removed")


@dataclass
class Doubts:
    """`texts` make the run suspect, `findings` become incidents; `chains` is how many were recomputed.

    `not_kept` are doubts too, unless the comparison row by row explains every one of them.
    """

    texts: list[str] = field(default_factory=list)
    not_kept: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    chains: int = 0


def doubts_about(loader: Loader, comparison: Comparison, beside: Beside) -> Doubts:
    """Everything that one drill can doubt. What the last good run showed as well was explained by a person."""
    unusual = anomalies.empty(loader.manifest)
    unusual += anomalies.shrunk(comparison.manifest, loader.manifest) if comparison.manifest else []
    doubts = Doubts(findings=[anomaly.finding() for anomaly in unusual])
    doubts.texts = [anomaly.text for anomaly in unusual if anomaly.finding().fingerprint not in comparison.accepted]
    for table in loader.manifest.audit_tables:
        _chains(loader, table, beside.answer(beside.chains[table.qualified], loader.watch), comparison.accepted, doubts)
        doubts.not_kept += _not_kept(loader, table, comparison.table(table.qualified))
        doubts.chains += len(table.chains or ())
    return doubts


def _chains(loader: Loader, table: Table, found: Chains, accepted: frozenset[str], doubts: Doubts) -> None:
    """Heads must be the snapshot's (else the copy is wrong); every hash is recomputed (else the source is)."""
    heads = {(h.chain, h.rows, h.first, h.last, h.head) for h in found.heads}
    wanted = {(h.chain, h.rows, h.first, h.last, h.head) for h in table.chains or ()}
    loader.problems += [f"Chain {head[0]} differs from the snapshot's head." for head in sorted(wanted ^ heads)[:10]]
    damage = found.damage
    loader.watch.log(f"{table.qualified}: {len(wanted)} hash chains recomputed.")
    if damage.total:
        finding = chain_broken(table.qualified, damage)
        doubts.findings.append(finding)
        doubts.texts += [] if finding.fingerprint in accepted else describe(damage.problems[:MOST_TOLD])


def _not_kept(loader: Loader, table: Table, earlier: Table | None) -> list[str]:
    """Every chain of the last good run must be the beginning of today's: rows are only ever added."""
    if earlier is None or not earlier.chains:
        return []
    heads = [postgres.ChainHead(h.chain, h.rows, h.first, h.last, h.head) for h in earlier.chains]
    return first_of(postgres.chains_not_kept(loader.connection, (table.schema, table.name), heads), MOST_TOLD)


def unexplained(doubts: Doubts, examined: Examined, accepted: frozenset[str]) -> list[str]:
    """The texts that remain once rows were compared: chains that were cut are no doubt where a person explained it."""
    cuts = [finding for finding in examined.findings if finding.code in CUTS]
    known = cuts and not examined.not_compared and all(cut.fingerprint in accepted for cut in cuts)
    return doubts.texts if known else doubts.texts + doubts.not_kept
