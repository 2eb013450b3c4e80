"""Which counts leave casework: rounded, and the small ones not at all.

A count of few people can name one of them to whoever knows the place. So a cell under
SMALLEST is suppressed, a zero too, so that nobody learns whether there is anybody. All others
are rounded to ROUNDED_TO. Three things keep a suppressed cell from being computed:

- a total is the sum of what is published, and so says nothing more;
- where one cell of a column would be the only one that is suppressed, the next smallest goes,
  too: somebody may know the true total from elsewhere;
- the count of a year is kept within bounds that depend on the published months of its row
  alone, so that a year less its months says of a small month only that it is small. Rounding
  by itself would not do: twelve counts that were all rounded up leave little for the rest.

A column of a month is made of that month alone, so that it stays as it is when later months
come. Nothing here reads a record.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

#: Cells below it are suppressed: with fewer people somebody may be recognised.
SMALLEST: Final = 5

#: What is published is a multiple of it. An odd number, so that no count lies in the middle.
ROUNDED_TO: Final = 5

#: By how much a published cell may differ from the count.
_OFF: Final = ROUNDED_TO // 2

#: The most that a cell can be that is suppressed because it is small.
_SMALL_MOST: Final = SMALLEST - 1

#: Code -> count, or what is published of it; None: it is suppressed.
Column = Mapping[str, int | None]


@dataclass(frozen=True, slots=True)
class Published:
    """What may be published of one table.

    Attributes:
        months: a column for each month.
        year: None: it is not asked for, or not over.
    """

    months: Sequence[Column]
    year: Column | None


def publish(months: Sequence[Mapping[str, int]], whole_year: bool) -> Published:
    """Say what may be published of counts by code, month by month.

    Args:
        months: every one has the same codes, with a zero where there is nothing.
        whole_year: these are all months of a year, whose counts are published besides.
    """
    columns = [_without_one_alone({c: _rounded(n) for c, n in m.items()}, m) for m in months]
    if not whole_year:
        return Published(columns, None)
    sums = {code: sum(month[code] for month in months) for code in months[0]}
    year = {
        code: _of_year([(m[code], c[code]) for m, c in zip(months, columns, strict=True)])
        for code in sums
    }
    return Published(columns, _without_one_alone(year, sums))


def publish_groups(
    months: Sequence[Mapping[str, int]], groups: Sequence[Sequence[str]], whole_year: bool
) -> Published:
    """Say the same where each of *groups* of codes adds up to a number that is published, too.

    Each is a table of its own then: in none is one cell suppressed alone.
    """
    parts = [publish([{c: m[c] for c in group} for m in months], whole_year) for group in groups]
    columns = [
        {code: cell for column in each for code, cell in column.items()}
        for each in zip(*(part.months for part in parts), strict=True)
    ]
    years = [part.year for part in parts if part.year is not None]
    year = {code: cell for column in years for code, cell in column.items()}
    return Published(columns, year if years else None)


def total(column: Column) -> int | None:
    """Give the sum of what is published; None: nothing is."""
    shown = [cell for cell in column.values() if cell is not None]
    return sum(shown) if shown else None


def _without_one_alone(column: Column, counts: Mapping[str, int]) -> Column:
    """Suppress the cell of the next smallest count, too, where one is suppressed alone."""
    shown = [code for code, cell in column.items() if cell is not None]
    if len(column) - len(shown) != 1 or not shown:
        return column
    return {**column, min(shown, key=counts.__getitem__): None}


def _rounded(count: int) -> int | None:
    return None if count < SMALLEST else (count + _OFF) // ROUNDED_TO * ROUNDED_TO


def _of_year(row: Sequence[tuple[int, int | None]]) -> int | None:
    """Give what is published of a year, by each month's count and what is published of that.

    Where a month is small, the number may differ from the count by 6 instead of 2.
    """
    cell = _rounded(sum(count for count, _ in row))
    small = sum(count < SMALLEST for count, _ in row)
    if cell is None or small == 0:
        return cell
    shown = [one for _, one in row if one is not None]
    large = sum(count >= SMALLEST for count, one in row if one is None)
    # What all but the small months come to, at the least and at the most.
    least = sum(max(one - _OFF, SMALLEST) for one in shown) + large * SMALLEST
    most = sum(one + _OFF for one in shown)
    # The lowest number that leaves room for a small month at its most; what would be lower is
    # published as that. A small month may be the only one that is not zero.
    lowest = max(_up(least + _SMALL_MOST - _OFF), ROUNDED_TO)
    if large:  # They may be whatever is left.
        return max(cell, lowest)
    # The highest number that the others can come to while one small month is zero.
    highest = (most + _SMALL_MOST * (small - 1) + _OFF) // ROUNDED_TO * ROUNDED_TO
    if highest == ROUNDED_TO and most + _SMALL_MOST * (small - 1) < SMALLEST:
        highest = 0  # It stands for 5 to 7: what is under 5 is not published.
    return None if highest < lowest else min(max(cell, lowest), highest)


def _up(count: int) -> int:
    """Give the next multiple, unless *count* is one."""
    return -(-count // ROUNDED_TO) * ROUNDED_TO
