"""The log's tables, for reading and for filling the search tables; migrations make them."""

from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import BigInteger, Column, LargeBinary, MetaData, Table, Text


@dataclass(frozen=True, slots=True)
class Tables:
    """The tables in one schema: `accesslog` on PostgreSQL, none on SQLite.

    `entry`, `head`, `checkpoint` and `cosignature` are evidence. The others are a
    projection of the entries for searching and prove nothing.
    """

    entry: Table
    head: Table
    checkpoint: Table
    cosignature: Table
    event: Table
    event_record: Table
    event_agency: Table
    event_word: Table


@lru_cache(maxsize=2)
def tables(dialect: str) -> Tables:
    """Give the tables as they stand on a database of *dialect*."""
    metadata = MetaData(schema="accesslog" if dialect == "postgresql" else None)
    return Tables(
        entry=Table(
            "entry",
            metadata,
            Column("idx", BigInteger, primary_key=True),
            Column("body", LargeBinary, nullable=False),
            Column("hashes", LargeBinary, nullable=False),
        ),
        head=Table(
            "head",
            metadata,
            Column("size", BigInteger, primary_key=True),
            Column("start", BigInteger, nullable=False),
            Column("root", LargeBinary, nullable=False),
        ),
        checkpoint=Table(
            "checkpoint",
            metadata,
            Column("size", BigInteger, primary_key=True),
            Column("note", Text, nullable=False),
            Column("number", BigInteger),
        ),
        cosignature=Table(
            "cosignature",
            metadata,
            Column("size", BigInteger, primary_key=True),
            Column("witness", Text, primary_key=True),
            Column("at", BigInteger, primary_key=True),
            Column("line", Text, nullable=False),
        ),
        event=Table(
            "event",
            metadata,
            Column("idx", BigInteger, primary_key=True),
            Column("at", BigInteger, nullable=False),
            Column("actor", Text),
            Column("organisation", Text),
            Column("role", Text),
            Column("action", Text, nullable=False),
            Column("purpose", Text),
            Column("decision", Text, nullable=False),
            Column("phase", Text),
            Column("intent", BigInteger),
        ),
        event_record=Table(
            "event_record",
            metadata,
            Column("record", Text, primary_key=True),
            Column("idx", BigInteger, primary_key=True),
            Column("kind", Text, primary_key=True),
            Column("decision", Text, primary_key=True),
        ),
        event_agency=Table(
            "event_agency",
            metadata,
            Column("agency", Text, primary_key=True),
            Column("idx", BigInteger, primary_key=True),
            Column("at", BigInteger, nullable=False),
            Column("actor", Text),
            Column("organisation", Text),
            Column("role", Text),
            Column("action", Text, nullable=False),
            Column("purpose", Text),
            Column("decision", Text, nullable=False),
        ),
        event_word=Table(
            "event_word",
            metadata,
            Column("agency", Text, primary_key=True),
            Column("word", Text, primary_key=True),
            Column("idx", BigInteger, primary_key=True),
            Column("at", BigInteger, nullable=False),
        ),
    )
