"""The sidebar and the links of the user menu. Apps may register more links in AppConfig.ready.

In: `NavLink`s with a URL name, a permission and an optional counter. Out: `groups(request)`, what this person may see.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

GROUPS = ("", "Operate", "Watch", "Admin")


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
    name: str
    links: list[Shown]


_links: dict[tuple[str, str], NavLink] = {}
_user_links: dict[str, str] = {}


def register(link: NavLink) -> None:
    """Add a sidebar link, or replace the one with the same group and label."""
    _links[link.group, link.label] = link


def register_user_link(label: str, url_name: str) -> None:
    """Add a link to the menu under the user's name."""
    _user_links[label] = url_name


def groups(request: HttpRequest) -> list[Group]:
    """The sidebar for this request, empty groups left out."""
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
