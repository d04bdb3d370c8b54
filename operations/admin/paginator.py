"""Pages of a long list without counting it. In: a queryset. Out: pages up to a limit, and whether there is more."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.db.models import QuerySet
from django.utils.functional import cached_property

COUNT_LIMIT = 1000


class CheapPaginator(Paginator):
    """Counts at most `limit` rows; a longer list says "more than" and is reached by filters, never by page 2,000."""

    limit = COUNT_LIMIT

    @cached_property
    def counted(self) -> int:
        """The number of rows up to `limit` + 1."""
        rows = self.object_list
        if not isinstance(rows, QuerySet):
            return len(rows)
        return rows.order_by().values("pk")[: self.limit + 1].count()

    @cached_property
    def count(self) -> int:
        """The number of rows that pages lead to."""
        return min(self.counted, self.limit)

    @property
    def is_floor(self) -> bool:
        """Whether there are more rows than pages lead to."""
        return self.counted > self.limit
