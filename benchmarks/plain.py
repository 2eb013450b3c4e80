"""The measure: the same GraphQL shape from plain columns, and none of what Perisai does.

strawberry's own ASGI application over SQLAlchemy ORM entities, with the same
engine settings and in the same database as the service that it is measured against.
"""

import os
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

import strawberry
from sqlalchemy import JSON, Date, ForeignKey, String, Uuid, insert, select
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship, selectinload
from strawberry.asgi import GraphQL
from strawberry.types import Info

from api.database import engine_of
from api.demo.synthetic_records import Synthetic

#: The variable with the address of the database for `create_app`.
DATABASE = "PERISAI_BENCHMARK_PLAIN"


class Base(DeclarativeBase):
    """The plain tables."""


class PlainCaseFile(Base):
    """A case file without seals."""

    __tablename__ = "plain_case_file"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    reference: Mapped[str] = mapped_column(String(30))
    lead_agency: Mapped[str] = mapped_column(String(40), index=True)
    status: Mapped[str] = mapped_column(String(12))
    urgency: Mapped[str] = mapped_column(String(12))
    province: Mapped[str] = mapped_column(String(2))
    opened_on: Mapped[date] = mapped_column(Date, index=True)
    defenders: Mapped[list["PlainDefender"]] = relationship(order_by="PlainDefender.id")


class PlainDefender(Base):
    """A defender without seals."""

    __tablename__ = "plain_defender"

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    case_file_id: Mapped[UUID] = mapped_column(ForeignKey("plain_case_file.id"), index=True)
    full_name: Mapped[str | None] = mapped_column(String(300))
    nik: Mapped[str | None] = mapped_column(String(16))
    date_of_birth: Mapped[date | None] = mapped_column(Date)
    gender: Mapped[str | None] = mapped_column(String(20))
    phones: Mapped[list[str]] = mapped_column(JSON)
    home_address: Mapped[str | None] = mapped_column(String(300))


@strawberry.enum
class Status(Enum):
    """As in the service."""

    INTAKE = "intake"
    TRIAGE = "triage"
    ACTIVE = "active"
    MONITORING = "monitoring"
    CLOSED = "closed"


@strawberry.enum
class Urgency(Enum):
    """As in the service."""

    IMMEDIATE = "immediate"
    URGENT = "urgent"
    SOON = "soon"
    ROUTINE = "routine"


@strawberry.type
class Defender:
    """As in the service."""

    full_name: str | None
    nik: str | None
    date_of_birth: date | None
    gender: str | None
    phones: list[str] | None
    home_address: str | None


@strawberry.type
class CaseFile:
    """As in the service."""

    id: strawberry.ID
    reference: str | None
    status: Status | None
    urgency: Urgency | None
    province: str | None
    opened_on: date | None
    defenders: list[Defender]


@strawberry.type
class Edge:
    """As in the service."""

    node: CaseFile


@strawberry.type
class PageInfo:
    """As in the service."""

    has_next_page: bool


@strawberry.type
class Connection:
    """As in the service."""

    edges: list[Edge]
    page_info: PageInfo


@strawberry.type
class Query:
    """As in the service."""

    @strawberry.field
    async def case_files(self, info: Info[Any, None], first: int) -> Connection:
        """List entities, as strawberry's documentation does."""
        async with info.context["sessions"]() as session:
            found = await session.scalars(
                select(PlainCaseFile)
                .where(PlainCaseFile.lead_agency == "komnas-ham")
                .order_by(PlainCaseFile.opened_on.desc(), PlainCaseFile.id.desc())
                .limit(first + 1)
                .options(selectinload(PlainCaseFile.defenders))
            )
            entities = found.all()
        return Connection(
            edges=[Edge(node=entity) for entity in entities[:first]],  # type: ignore[arg-type]
            page_info=PageInfo(has_next_page=len(entities) > first),
        )


class Plain(GraphQL[Any, None]):
    """The application."""

    def __init__(self, engine: AsyncEngine) -> None:
        super().__init__(strawberry.Schema(Query))
        self._sessions = async_sessionmaker(engine, class_=AsyncSession, expire_on_commit=False)

    async def get_context(self, request: Any, response: Any) -> Any:
        return {"sessions": self._sessions}


async def fill(url: str, records: Synthetic, grant: Callable[[str], str] | None) -> None:
    """Make the plain tables with the owner's role and write *records* into them."""
    engine = engine_of(url)
    people = {d.id: d for d in records.defenders}
    async with engine.begin() as connection:
        await connection.run_sync(Base.metadata.create_all)
        await connection.execute(
            insert(PlainCaseFile),
            [
                {
                    "id": f.id,
                    "reference": f.reference,
                    "lead_agency": f.lead_agency,
                    "status": f.status.value,
                    "urgency": f.urgency.value,
                    "province": f.province,
                    "opened_on": f.opened_on,
                }
                for f in records.case_files
            ],
        )
        await connection.execute(
            insert(PlainDefender),
            [
                {
                    "id": d,
                    "case_file_id": f.id,
                    "full_name": people[d].full_name,
                    "nik": people[d].nik,
                    "date_of_birth": people[d].date_of_birth,
                    "gender": people[d].gender,
                    "phones": list(people[d].phones),
                    "home_address": people[d].home_address,
                }
                for f in records.case_files
                for d in f.defenders
            ],
        )
        if grant is not None:
            for table in ("plain_case_file", "plain_defender"):
                await connection.exec_driver_sql(grant(table))
            await connection.exec_driver_sql("analyze")
    await engine.dispose()


def create_app() -> Plain:
    """Make the application for a server; the database is the one that the environment names."""
    return Plain(engine_of(os.environ[DATABASE]))
