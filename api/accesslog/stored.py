"""Rows of the log as they are stored, for whoever trusts neither their order nor their type.

A walk over millions of rows speaks to the driver itself: SQLAlchemy would make an object
of each row, convert each value and, on SQLite, change threads eight times for one query.
"""

import sqlite3
from collections.abc import Sequence
from typing import Any, TypeAlias

import asyncpg
from sqlalchemy import Column, ColumnClause, Select, Table, bindparam, column, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

from api.accesslog.search import copies_between, words_between
from api.accesslog.tables import Tables
from api.errors import LogUnavailable

StoredRow: TypeAlias = tuple[Any, ...]


class StoredRows:
    """The rows of one snapshot."""

    def __init__(self, connection: AsyncConnection, tables: Tables) -> None:
        """Read through *connection*, which is in a snapshot."""
        self._connection = connection
        self._driver: Any = None
        self._between: dict[str, str] = {}
        self._words: SQLCompiler | None = None
        self._copies: SQLCompiler | None = None
        self.tables = tables

    async def between(
        self, table: Table, place: Column[int], start: int, stop: int
    ) -> list[StoredRow]:
        """Read whole rows from *start* to before *stop*, in the order of the log.

        Raises:
            LogUnavailable: the database does not answer.
        """
        query = self._between.get(table.name)
        if query is None:
            query = self._between[table.name] = self._compiled(table, place)
        return await self._fetched(query, [start, stop], place)

    async def _fetched(
        self, query: str, args: Sequence[object], place: Column[int]
    ) -> list[StoredRow]:
        if self._driver is None:
            await self.newest(place)  # The snapshot begins with SQLAlchemy's first statement.
            self._driver = (await self._connection.get_raw_connection()).driver_connection
        try:
            if self._connection.dialect.name == "postgresql":
                return list(map(tuple, await self._driver.fetch(query, *args)))
            rows: list[StoredRow] = await self._driver.execute_fetchall(query, args)
        except (asyncpg.PostgresError, asyncpg.InterfaceError, sqlite3.Error, OSError):
            raise LogUnavailable from None
        return rows

    async def words(self, start: int, stop: int) -> list[StoredRow]:
        """Read what `words_between` gives, from *start* to before *stop*."""
        dialect = self._connection.dialect
        if self._words is None:
            self._words = words_between(self.tables, dialect.name).compile(dialect=dialect)
        return await self._said(self._words, start, stop, self.tables.event_word.c.idx)

    async def copies(self, start: int, stop: int) -> list[StoredRow]:
        """Read what `copies_between` gives, from *start* to before *stop*."""
        if self._copies is None:
            self._copies = copies_between(self.tables).compile(dialect=self._connection.dialect)
        return await self._said(self._copies, start, stop, self.tables.event_agency.c.idx)

    async def _said(
        self, query: SQLCompiler, start: int, stop: int, place: Column[int]
    ) -> list[StoredRow]:
        given = {**query.params, "start": start, "stop": stop}
        args = [given[name] for name in query.positiontup or ()]
        return await self._fetched(str(query), args, place)

    async def newest(self, place: Column[int]) -> int | None:
        """Give the largest place in a table."""
        newest: int | None = await self._connection.scalar(select(func.max(place)))
        return newest

    async def next(self, place: Column[int], start: int) -> int | None:
        """Give the first place from *start* on."""
        following: int | None = await self._connection.scalar(
            select(func.min(place)).where(place >= start)
        )
        return following

    async def outside(self, place: Column[int], first: int, beyond: int) -> int | None:
        """Give the first place before *first*, or else from *beyond* on."""
        stray: int | None = await self._connection.scalar(
            select(place).where(or_(place < first, place >= beyond)).order_by(place).limit(1)
        )
        return stray

    def _compiled(self, table: Table, place: Column[int]) -> str:
        # Without the types of the columns: a value of another type is a finding.
        columns: list[ColumnClause[Any]] = [column(one.name) for one in table.columns]
        query: Select[*tuple[Any, ...]] = (
            select(*columns)
            .select_from(table)
            .where(place >= bindparam("start"), place < bindparam("stop"))
            .order_by(place)
        )
        return str(query.compile(dialect=self._connection.dialect))
