"""List columns that show one attribute of a row. In: its name and how it is shown. Out: what the admin calls."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

from django.contrib import admin
from django.utils.safestring import SafeString

from operations.web import formatting

Column = Callable[[Any, Any], "SafeString | str"]


def shown(label: str, attribute: str, show: Callable[[Any], SafeString | str], ordering: str | None = None) -> Column:
    """`show` of an attribute (dots lead to a related row's); `ordering` names what the list sorts it by."""
    value = attrgetter(attribute)

    @admin.display(description=label, ordering=ordering)
    def column(_: Any, row: Any) -> SafeString | str:
        return show(value(row))

    return column


def moment(label: str, attribute: str, ordering: str = "") -> Column:
    """A time, sorted by itself."""
    return shown(label, attribute, formatting.when, ordering or attribute)
