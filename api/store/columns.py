"""Column types: sealed bytes that refuse plain text, ranked words, instants in UTC."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from sqlalchemy import DateTime, Dialect, LargeBinary, SmallInteger
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator, TypeEngine

from api.crypto.sealed import Sealed


class SealedColumn(TypeDecorator[Sealed]):
    """Holds what is sealed already; whoever passes a plain value gets a TypeError."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: Sealed | None, dialect: Dialect) -> bytes | None:
        """Unwrap on the way in, and refuse everything else."""
        if value is None:
            return None
        if type(value) is not Sealed:
            raise TypeError("a sealed column takes only sealed values")
        return value.data

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[bytes | None], Sealed | None]:
        """Wrap on the way out; both drivers give bytes."""
        return _sealed


def _sealed(value: bytes | None) -> Sealed | None:
    if type(value) is bytes:
        return Sealed(value)
    # SQLite keeps what is no bytes too, if somebody writes it; nothing opens it.
    return None if value is None else Sealed(b"")


class Ranked(TypeDecorator[Any]):
    """An enumeration stored as its position, so that the database can order by it."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, words: type[Enum]) -> None:
        """*words* are ranked in the order of their definition, from 1."""
        super().__init__()
        self.words = words
        self._rank = {word: rank for rank, word in enumerate(words, start=1)}
        self._word = dict(enumerate(words, start=1))

    def process_bind_param(self, value: Any, dialect: Dialect) -> int | None:
        """Give the position."""
        return None if value is None else self._rank[value]

    def process_result_value(self, value: int | None, dialect: Dialect) -> Any:
        """Give the word; None for a position that no word has."""
        return None if value is None else self._word.get(value)


#: What is read where SQLite holds a text that we never write. No seal covers it, and it is
#: not None, which says of some columns that nothing ended.
NO_MOMENT: Final = datetime.min.replace(tzinfo=UTC)

#: As SQLAlchemy writes a moment, which sorts as text as it does in time.
_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}", re.ASCII)


class _Written(sqlite.DATETIME):
    """A moment in the one spelling: others of the same moment compare as another one in SQL."""

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        parsed: Any = super().result_processor(dialect, coltype)

        def process(value: object) -> datetime | None:
            if value is None:
                return None
            if not isinstance(value, str) or _WRITTEN.fullmatch(value) is None:
                return NO_MOMENT
            try:
                moment: datetime = parsed(value)
            except ValueError:  # A 30th of February.
                return NO_MOMENT
            return moment

        return process


class Instant(TypeDecorator[datetime]):
    """A moment in UTC; SQLite keeps no zone, so naive moments are refused on the way in."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Take the one spelling on SQLite."""
        if dialect.name != "sqlite":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(_Written())  # type: ignore[no-untyped-call]  # its base has no types

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Refuse a moment without a zone; give it in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise TypeError("an instant has a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def result_processor(
        self, dialect: Dialect, coltype: object
    ) -> Callable[[Any], datetime | None]:
        """Give it in UTC, as PostgreSQL's driver does already."""
        if dialect.name != "sqlite":
            return _in_utc
        read: Any = self.load_dialect_impl(dialect).result_processor(dialect, coltype)

        def process(value: object) -> datetime | None:
            moment: datetime | None = read(value)
            return None if moment is None else moment.replace(tzinfo=UTC)

        return process


def _in_utc(value: datetime | None) -> datetime | None:
    if value is None or value.tzinfo is UTC:
        return value
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
