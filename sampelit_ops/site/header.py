"""What frames every page: the environment ribbon, the line under the name, the search.

In: the request (answers are kept on it, so a page asks once). Out: small dataclasses for `admin/base_site.html`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from django.http import HttpRequest

from operations import navigation
from operations.web.formatting import relative
from sampelit_ops.search.actions import Action, actions
from sampelit_ops.search.rows import Found, find
from sampelit_ops.site import page_counts


@dataclass(frozen=True)
class RibbonLink:
    label: str
    slug: str
    kind: str
    url: str


@dataclass(frozen=True)
class Ribbon:
    """Where one can go; a page tells by its own environment which of them it is (`{% here %}`)."""

    links: list[RibbonLink]


@dataclass(frozen=True)
class Note:
    text: str
    tone: str = ""


@dataclass(frozen=True)
class SearchResult:
    query: str
    exact: str = ""
    pages: list[navigation.Shown] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    records: dict[str, list[Found]] = field(default_factory=dict)


def ribbon(request: HttpRequest) -> Ribbon:
    """Production first, then staging by name, previews as a number; each leads to its operations."""
    base = navigation.page("admin:operations_operation_changelist")
    known = page_counts.of(request).environments
    links = [_link(e, base) for kind in ("production", "staging") for e in known if e.kind == kind]
    previews = sum(e.kind == "preview" for e in known)
    if previews:
        word = "preview" if previews == 1 else "previews"
        page = navigation.page("admin:operations_environment_changelist")
        links.append(RibbonLink(f"{previews} {word}", "", "preview", page))
    return Ribbon(links)


def _link(environment: page_counts.Surrounding, base: str) -> RibbonLink:
    slug = environment.slug
    return RibbonLink(slug, slug, environment.kind, f"{base}?environment__id__exact={environment.pk}")


def note(request: HttpRequest) -> Note:
    """When the ledger was last verified, and whether it held."""
    known = page_counts.of(request)
    if known.ledger_at is None:
        return Note("ledger not verified yet")
    return Note(f"ledger verified {relative(known.ledger_at)}") if known.ledger_valid else Note("ledger ALTERED", "bad")


def search(request: HttpRequest, asked: str) -> SearchResult:
    """Pages by their name, what can be done in these words, rows of every app; one row that bears this id is exact."""
    query = asked.strip()[:100]
    if not query:
        return SearchResult("")
    links = [
        link for group in navigation.groups(request) for link in group.links if query.lower() in link.label.lower()
    ]
    found = find(request.user, query)
    exact = found[0].url if len(found) == 1 and found[0].key == query.upper() else ""
    sections: dict[str, list[Found]] = {}
    for each in found:
        sections.setdefault(each.heading, []).append(each)
    return SearchResult(query, exact, links, actions(request.user, query), sections)
