"""The menu: eight entries by what a person comes for, each with the pages below it as tabs; and the user menu's links.

In: `NavLink`s with a URL name, a permission and an optional counter, from AppConfig.ready. Out: `groups(request)`, what
this person may see; an entry leads to the first of its pages.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

# Each entry, and the page of the guide that helps with it.
HELP = {
    "Overview": "viewer",
    "Deployments": "operator",
    "Migrations": "operator",
    "Backups": "operator",
    "Approvals": "approver",
    "Activity": "auditor",
    "Health": "troubleshooting",
    "Settings": "admin",
}
GROUPS = tuple(HELP)


def page_of(row: Model) -> str:
    """The address of a row's page in the admin, without loading every page there is, as `reverse` would."""
    return f"/admin/{row._meta.app_label}/{row._meta.model_name}/{quote(str(row.pk))}/change/"


def page_of_request(kind: str, /, **given: str) -> str:
    """The address of a kind's confirmation page, with these of its fields filled in; `environment` is one of them."""
    base = reverse("admin:operations_request", args=[kind])
    return f"{base}?{urlencode(given)}" if given else base


@dataclass(frozen=True)
class Count:
    """A number beside a link, its tone (warn or bad) and what it counts, for screen readers."""

    value: int
    tone: str = "warn"
    means: str = "need attention"


@dataclass(frozen=True)
class NavLink:
    """`url_name` is reversed at each request; an unknown one hides the link. No `permission`: everybody signed in."""

    group: str
    order: int
    label: str
    url_name: str
    permission: str = ""
    count: Callable[[HttpRequest], Count | None] | None = None


@dataclass(frozen=True)
class Shown:
    label: str
    url: str
    current: bool
    count: int
    tone: str
    count_means: str


@dataclass(frozen=True)
class Group:
    """One entry of the menu and the tabs of its pages."""

    name: str
    links: list[Shown]

    @property
    def url(self) -> str:
        return self.links[0].url

    @property
    def help(self) -> str:
        """The page of the guide that speaks of it."""
        return HELP[self.name]

    @property
    def current(self) -> bool:
        return any(link.current for link in self.links)

    @property
    def counts(self) -> list[Shown]:
        """Only what counts something."""
        return [link for link in self.links if link.count]

    @property
    def count(self) -> int:
        return sum(link.count for link in self.counts)

    @property
    def tone(self) -> str:
        return "bad" if any(link.tone == "bad" for link in self.counts) else "warn"

    @property
    def count_means(self) -> str:
        return ", ".join(link.count_means for link in self.counts)


_links: dict[tuple[str, str], NavLink] = {}
_user_links: dict[str, str] = {}


def register(link: NavLink) -> None:
    """Add a page to an entry, or replace the one with the same group and label."""
    _links[link.group, link.label] = link


def register_user_link(label: str, url_name: str) -> None:
    """Add a link to the menu under the user's name."""
    _user_links[label] = url_name


def groups(request: HttpRequest) -> list[Group]:
    """The menu for this request, empty entries left out."""
    shown = [
        (link, url) for link in sorted(_links.values(), key=lambda link: link.order) if (url := _url(request, link))
    ]
    here = max((url for _, url in shown if _leads_to(url, request.path)), key=len, default="")
    made = [
        Group(name, [_show(request, link, url, here) for link, url in shown if link.group == name]) for name in GROUPS
    ]
    return [group for group in made if group.links]


def user_links() -> list[dict[str, str]]:
    """The links of the user menu whose pages exist."""
    links = [(label, page(name)) for label, name in _user_links.items()]
    return [{"label": label, "url": url} for label, url in links if url]


def _url(request: HttpRequest, link: NavLink) -> str:
    user = request.user
    allowed = not link.permission or user.has_perm(link.permission)
    return page(link.url_name) if allowed else ""


def page(name: str) -> str:
    """The address of a named page; empty when there is none."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _leads_to(url: str, path: str) -> bool:
    return path == url if url == reverse("admin:index") else path.startswith(url)


def _show(request: HttpRequest, link: NavLink, url: str, here: str) -> Shown:
    count = (link.count(request) if link.count else None) or Count(0)
    return Shown(link.label, url, url == here, count.value, count.tone, count.means)
