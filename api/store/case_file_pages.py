"""One page of a list: the first rows of each way in which a row may be in scope, then of all.

An OR of "own" and "referred" has no index that gives its rows in their order; each of the
two has one, and stops at the limit.
"""

from typing import Any

from sqlalchemy import Select, and_, literal_column, not_, select, union_all
from sqlalchemy.sql import ColumnElement
from sqlalchemy.sql.elements import BooleanClauseList, Grouping
from sqlalchemy.sql.operators import and_ as and_operator
from sqlalchemy.sql.operators import or_
from sqlalchemy.sql.selectable import Subquery


def page_of(
    files: Select[Any],
    key: ColumnElement[Any],
    row_id: ColumnElement[Any],
    scope: ColumnElement[bool],
    limit: int | None,
    descending: bool,
) -> Subquery:
    """Take the page out of *files*, whose columns `sort_key` and `id` are *key* and *row_id*.

    Args:
        limit: in the text, since the planner must know it to walk the index and stop.
    """
    most: Any = None if limit is None else literal_column(str(int(limit)))

    def first(rows: Select[Any], by: ColumnElement[Any], last: ColumnElement[Any]) -> Select[Any]:
        return rows.order_by(*ordered(by, last, descending)).limit(most)

    ways, always = _alternatives(scope)
    # No row twice: what an earlier alternative gives is not of a later one.
    apart = [and_(way, *(not_(other) for other in ways[:n])) for n, way in enumerate(ways)]
    parts = [first(files.where(way, *always), key, row_id) for way in apart]
    if len(parts) == 1:
        return parts[0].subquery("page")
    together = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return first(select(together), together.c.sort_key, together.c.id).subquery("page")


def _alternatives(
    scope: ColumnElement[bool],
) -> tuple[list[ColumnElement[bool]], list[ColumnElement[bool]]]:
    """Give the ways in which a row may be in scope, and what each asks besides."""
    if isinstance(scope, BooleanClauseList) and scope.operator is or_:
        return list(scope.clauses), []
    if isinstance(scope, BooleanClauseList) and scope.operator is and_operator:
        [grouped, *always] = scope.clauses
        ways = grouped.element if isinstance(grouped, Grouping) else grouped
        if isinstance(ways, BooleanClauseList) and ways.operator is or_:
            return list(ways.clauses), always
    return [scope], []


def ordered(
    key: ColumnElement[Any], row_id: ColumnElement[Any], descending: bool
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    """Give an order that is total: by *key*, and by *row_id* where keys are equal."""
    return (key.desc(), row_id.desc()) if descending else (key.asc(), row_id.asc())
