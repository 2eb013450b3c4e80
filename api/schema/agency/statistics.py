"""Numbers over all case files of the mechanism, rounded, without the small ones."""

from typing import Annotated

import strawberry

from api.casework import publishing, statistics
from api.casework.publishing import Column
from api.casework.statistics import Period, Table
from api.schema import words
from api.schema.agency.explaining import Sentence
from api.schema.context import PerisaiInfo
from api.vocabulary import Statistic

words.define()


@strawberry.type(description="One number, or that it is left out.")
class StatisticsCell:
    """See `casework.publishing`."""

    month: int | None = strawberry.field(description="1 to 12; null: the whole year.")
    count: int | None = strawberry.field(
        description="Case files, to the nearest 5; null where it is suppressed."
    )
    suppressed: bool = strawberry.field(
        description="It is under 5, perhaps 0, or would let another that is be computed."
    )


@strawberry.type(description="The numbers of one code.")
class StatisticsRow:
    """See `casework.statistics.Table`."""

    code: str = strawberry.field(
        description="The code, or the slug of the agency; of a table of responses with how it went "
        "behind it, as in `urgent:late`: met, late or open."
    )
    label: Sentence = strawberry.field(description="What a person reads.")
    cells: list[StatisticsCell] = strawberry.field(
        description="One for each month that is over; last the year, once all of it is over."
    )


@strawberry.type(description="Case files of all agencies, by the month in which they were opened.")
class Statistics:
    """See `casework.statistics`."""

    rows: list[StatisticsRow] = strawberry.field(
        description="One for each code, whether or not anything was counted. Of a table by what a "
        "case file has several of, it counts in several rows."
    )
    totals: list[StatisticsCell] = strawberry.field(
        description="The sums of what is published in each column, and of nothing else."
    )


@strawberry.type(description="Numbers.")
class StatisticsQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description=(
            "How many case files all agencies opened, in calendar months that are over (UTC): for "
            "supervisors and agency leads. Numbers under 5 are left out and all others rounded. "
            "Erased case files do not count. Case files that were opened in one month about a "
            "person whom two agencies confirmed to each other, or of whom an agency merged two "
            "records, count once; by LEAD_AGENCY once for each agency, and in the tables of "
            "responses each by itself, since each has a clock of its own. Is in the access log."
        )
    )
    async def statistics(
        self,
        info: PerisaiInfo,
        by: Annotated[Statistic, strawberry.argument(description="Which table.")],
        year: Annotated[int, strawberry.argument(description="The year.")],
        month: Annotated[
            int | None,
            strawberry.argument(description="1 to 12: that month alone; it must be over."),
        ] = None,
    ) -> Statistics | None:
        """Read a table of numbers."""
        context = info.context
        period = Period(year, month)
        table = await statistics.read_statistics(context.house, context.caller, by, period)
        return _statistics(table)


def _statistics(table: Table) -> Statistics:
    columns: list[tuple[int | None, Column]] = [
        *zip(table.months, table.published.months, strict=True)
    ]
    if table.published.year is not None:
        columns.append((None, table.published.year))
    return Statistics(
        rows=[
            StatisticsRow(
                code=code,
                label=Sentence(indonesian=labels.id, english=labels.en),
                cells=[_cell(month, column[code]) for month, column in columns],
            )
            for code, labels in table.labels.items()
        ],
        totals=[_cell(month, publishing.total(column)) for month, column in columns],
    )


def _cell(month: int | None, count: int | None) -> StatisticsCell:
    return StatisticsCell(month=month, count=count, suppressed=count is None)
