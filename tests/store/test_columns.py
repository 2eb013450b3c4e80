"""A moment is read from SQLite in the one spelling in which it is written."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import Column, MetaData, Table, create_engine, insert, select, text

from api.store.columns import NO_MOMENT, Instant

MOMENT = datetime(2026, 11, 9, 12, 0, tzinfo=UTC)
TABLE = Table("one", MetaData(), Column("at", Instant))


def read(written: object) -> datetime | None:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        TABLE.create(connection)
        if isinstance(written, datetime):
            connection.execute(insert(TABLE).values(at=written))
        else:
            connection.execute(text("insert into one values (:at)"), {"at": written})
        return connection.execute(select(TABLE.c.at)).scalar_one()


def test_what_is_written_is_read() -> None:
    assert read(MOMENT) == MOMENT
    assert read("2026-11-09 12:00:00.000000") == MOMENT
    assert read(None) is None


@pytest.mark.parametrize(
    "spelled",
    [
        "20261109T120000",
        "2026-W46-1T12:00:00",
        "2026-11-09T12:00:00.000000",
        "2026-11-09 12:00:00",
        "2026-11-09 12:00:00.000000+00:00",
        "2026-11-09 12:00:00.000000\n",
        "2026-02-30 12:00:00.000000",
        "\u0662026-11-09 12:00:00.000000",
        "",
        "never",
        5,
        b"2026-11-09 12:00:00.000000",
    ],
)
def test_another_spelling_is_no_moment(spelled: object) -> None:
    assert read(spelled) == NO_MOMENT
