"""What makes a faithful copy suspect: broken chains, chains that were cut, tables that are empty or shrank.

In: a loader after its comparison, the last good run's manifest, findings that a person accepted. Out: sentences.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from backups.archive.loader import Loader
from backups.archive.manifest import Manifest, Table
from backups.proof import anomalies, comparison
from backups.proof.findings import KEPT_ROWS, Examined, Finding
from providers import postgres
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


def doubts_about(loader: Loader, previous: Manifest | None, accepted: frozenset[str]) -> Doubts:
    """Everything that one drill can doubt. What the last good run showed as well was explained by a person."""
    unusual = anomalies.empty(loader.manifest)
    unusual += anomalies.shrunk(previous, loader.manifest) if previous else []
    found = Doubts(findings=[one.finding() for one in unusual])
    found.texts = [one.text for one in unusual if one.finding().fingerprint not in accepted]
    for table in loader.manifest.tables:
        if table.chains is not None:
            _chains(loader, table, accepted, found)
            found.not_kept += _not_kept(loader, table, previous)
            found.chains += len(table.chains)
    return found


def _chains(loader: Loader, table: Table, accepted: frozenset[str], found: Doubts) -> None:
    """Heads must be the snapshot's (else the copy is wrong); every hash is recomputed (else the source is)."""
    key = (table.schema, table.name)
    heads = {(h.chain, h.rows, h.first, h.last, h.head) for h in postgres.chain_heads(loader.connection, key)}
    wanted = {(h.chain, h.rows, h.first, h.last, h.head) for h in table.chains or ()}
    loader.problems += [f"Chain {head[0]} differs from the snapshot's head." for head in sorted(wanted ^ heads)[:10]]
    damage = postgres.chain_damage(loader.connection, key, KEPT_ROWS)
    loader.watch.log(f"{table.qualified}: {len(wanted)} hash chains recomputed.")
    if damage.total:
        finding = comparison.broken(table.qualified, damage)
        found.findings.append(finding)
        found.texts += [] if finding.fingerprint in accepted else describe(damage.problems[:MOST_TOLD])


def _not_kept(loader: Loader, table: Table, previous: Manifest | None) -> list[str]:
    """Every chain of the last good run must be the beginning of today's: rows are only ever added."""
    earlier = next((t for t in previous.tables if t.qualified == table.qualified), None) if previous else None
    if earlier is None or not earlier.chains:
        return []
    heads = [postgres.ChainHead(h.chain, h.rows, h.first, h.last, h.head) for h in earlier.chains]
    return postgres.chains_not_kept(loader.connection, (table.schema, table.name), heads)[:MOST_TOLD]


def explained(found: Doubts, examined: Examined, accepted: frozenset[str]) -> list[str]:
    """The texts that remain once rows were compared: chains that were cut are no doubt where a person explained it."""
    cut = [one for one in examined.findings if one.code in CUTS]
    known = cut and not examined.not_compared and all(one.fingerprint in accepted for one in cut)
    return found.texts if known else found.texts + found.not_kept
