"""Which environment a service belongs to. Pure. In: name, branch, parent, or Render's name of the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass

_STAGING = re.compile(
    r"(?:^|[-_ /.])(staging|stage|stg|dev|develop|development|test|testing|qa|uat)(?:$|[-_ /.])", re.I
)


@dataclass(frozen=True)
class Group:
    slug: str
    name: str
    kind: str


def group_of(name: str, branch: str, parent: str) -> Group:
    """The environment of one service."""
    if parent:
        slug = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:60] or "preview"
        return Group(slug, name[:100], "preview")
    if _STAGING.search(name) or _STAGING.search(branch):
        return Group("staging", "Staging", "staging")
    return Group("production", "Production", "production")
