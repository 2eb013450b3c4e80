"""A small schema behind a face, with a caller to choose, for tests of what is around it."""

import asyncio
from dataclasses import replace
from datetime import date
from enum import Enum
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import httpx
import strawberry

from api.schema.allowances import Allowances
from api.schema.http import Face, Terms
from api.schema.requested import requested
from api.vocabulary import Caseworker, Role

SARI = Caseworker(UUID(int=7), "komnas-ham", Role.CASE_OFFICER, None, None, "r1")
SECRET = "Siti Rahayu 3171234567890001"


@strawberry.type
class Person:
    name: str

    @strawberry.field
    async def friend(self, info: strawberry.Info) -> "Person | None":
        return await raised(info)


async def raised(info: strawberry.Info) -> Any:
    await asyncio.sleep(0)
    error = info.context.error
    if error is not None:
        raise error
    return None


@strawberry.enum
class Colour(Enum):
    RED = "red"


@strawberry.input
class Find:
    nik: str
    born: date | None = None


@strawberry.type
class Query:
    @strawberry.field
    async def person(self, info: strawberry.Info) -> Person:
        info.context.asked.append(requested(info).names)
        return Person(name=SECRET)

    @strawberry.field
    async def fails(self, info: strawberry.Info) -> str | None:
        return await raised(info)

    @strawberry.field
    async def must_not_fail(self, info: strawberry.Info) -> str:
        return await raised(info)

    @strawberry.field
    def find(self, info: strawberry.Info, find: Find) -> str:
        info.context.asked.append(find.nik)
        return "found"

    @strawberry.field
    def colour(self) -> Colour | None:
        return SECRET  # type: ignore[return-value]

    @strawberry.field
    def number(self) -> float:
        return 0.5

    @strawberry.field
    async def waits(self, info: strawberry.Info) -> str:
        info.context.here.release()
        await info.context.gate.wait()
        info.context.asked.append("waited")
        return "ok"

    @strawberry.field
    def page(self, first: int) -> str:
        return "ok"


@strawberry.type
class Mutation:
    @strawberry.mutation
    def write(self, info: strawberry.Info) -> str:
        info.context.asked.append("written")
        return "ok"

    @strawberry.mutation
    async def write_or_fail(self, info: strawberry.Info) -> str:
        await raised(info)
        return "ok"

    @strawberry.mutation
    async def write_late(self, info: strawberry.Info) -> str:
        await info.context.gate.wait()
        info.context.asked.append("written late")
        info.context.here.release()
        return "ok"


@strawberry.type
class Subscription:
    @strawberry.field
    async def ticks(self, info: strawberry.Info) -> int | None:
        await raised(info)
        if not info.context.news:
            info.context.stream.silent = True
            return None
        info.context.asked.append(info.context.stream)
        return len(info.context.asked)


SCHEMA = strawberry.Schema(Query, Mutation, Subscription)


class House:
    """A face with a caller to choose, and what happened behind it.

    Attributes:
        gate: what `waits` and `writeLate` wait for.
        news: a subscription has something to tell.
        left: seconds for which the caller is signed in.
        here: released by `waits` when it begins, and by `writeLate` when it has written.

    Args:
        adhoc: roles that may send a text of their own; most tests do.
        documents: folder of the trusted ones.
    """

    def __init__(
        self,
        terms: Terms | None = None,
        *,
        adhoc: frozenset[Role] = frozenset(Role),
        documents: Path | None = None,
    ) -> None:
        terms = terms or Terms(Allowances(at_once=30), frozenset(Role), pause=0)
        self.nobody: Exception | None = None
        self.error: Exception | None = None
        self.asked: list[Any] = []
        self.contexts = 0
        self.news = True
        self.left = 3600.0
        self.receipt: str | None = None
        self.gate = asyncio.Event()
        self.here = asyncio.Semaphore(0)
        self.face = Face(
            SCHEMA,
            authenticate=self.authenticate,
            begin=self.begin,
            terms=replace(terms, adhoc=adhoc),
            documents=documents,
            request_id=lambda: "r1",
        )
        transport = httpx.ASGITransport(app=self.face)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://perisai.test")

    async def authenticate(self, headers, request):
        if self.nobody is not None:
            raise self.nobody
        return SARI

    def begin(self, caller, request):
        assert (caller, request) == (SARI, "r1")
        return SimpleNamespace(
            context=self.context,
            headers={},
            receipt=lambda: self.receipt,
            left=lambda: self.left,
        )

    def context(self, stream=None):
        self.contexts += 1
        return SimpleNamespace(
            error=self.error,
            asked=self.asked,
            gate=self.gate,
            here=self.here,
            news=self.news,
            stream=stream,
        )

    async def ask(self, query: Any, **more: Any) -> httpx.Response:
        accept = {"accept": "application/graphql-response+json"}
        return await self.http.post("/", json={"query": query, **more}, headers=accept)

    def nothing_happened(self) -> bool:
        return self.contexts == 0 and self.asked == []
