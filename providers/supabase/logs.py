"""A project's logs since September 2026: one table `logs` of every source, asked in ClickHouse's SQL
(supabase.com/changelog/48235); `logs.all` and its tables are gone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from providers.errors import Refused
from providers.http.errors import Misshapen
from providers.http.part import Part
from providers.http.shapes import Json, moment, rows, text, thing

SOURCES = {
    "postgres_logs": "Database",
    "function_logs": "Edge functions",
    "function_edge_logs": "Calls of edge functions",
    "edge_logs": "REST and GraphQL",
    "auth_logs": "Sign-in",
}
MOST = 100


@dataclass(frozen=True)
class LogLine:
    at: datetime | None
    source: str
    message: str

    @classmethod
    def parse(cls, data: Json) -> Self:
        return cls(
            moment(_seconds(data.get("timestamp"))), text(data.get("source_name")), text(data.get("event_message"))
        )


class Logs(Part):
    def tail(
        self, ref: str, sources: Sequence[str], start: datetime, end: datetime, *, deadline: float | None = None
    ) -> Sequence[LogLine]:
        """The newest lines of these sources in that time (a day at most), oldest first. Raises Misshapen."""
        if not sources or not set(sources) <= set(SOURCES):
            raise Refused(f"Logs are of {', '.join(SOURCES)}. Nothing was asked.")
        listed = ", ".join(f"'{source}'" for source in sources)
        sql = (
            f"SELECT timestamp, source_name, event_message FROM logs WHERE source_name IN ({listed}) "  # noqa: S608
            f"ORDER BY timestamp DESC LIMIT {MOST}"
        )
        asked = {"sql": sql, "iso_timestamp_start": start.isoformat(), "iso_timestamp_end": end.isoformat()}
        answer = thing(self._http.get(f"/v1/projects/{ref}/analytics/endpoints/logs", asked, deadline=deadline))
        if answer.get("error"):
            raise Misshapen(f"Supabase could not read its logs: {text(answer['error'])[:300]}.")
        return [LogLine.parse(row) for row in rows(answer.get("result") or [])][::-1]


def _seconds(stamp: object) -> object:
    """Its times come as text or as microseconds since 1970."""
    return stamp / 1e6 if isinstance(stamp, int | float) and stamp > 1e14 else stamp
