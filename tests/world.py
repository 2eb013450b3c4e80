"""A served installation, and what tests do with it: ask as somebody, look, move the clock."""

import json
import re
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
from starlette.applications import Starlette
from starlette.routing import Route

from api.accesslog.event import Event, decode
from api.accesslog.note import VerifierKey
from api.accesslog.reader import LogReader
from api.app import create_app
from api.database import engine_of
from api.demo.client import DemoClient
from api.demo.install import CONFIG, STRONG_ACR, Databases, client_of, issuer_of
from api.demo.synthetic_records import Synthetic
from api.log_settings import log_keys
from api.schema.http import Face
from api.schema.trusted import PREFIX, NotAdmitted
from api.settings import Settings
from api.vocabulary import Role
from tests.postgresql import Database, PostgresServer

PARTNERS = "/graphql/partner"

#: Where an operation begins that has no name.
_UNNAMED = re.compile(r"\A\s*(query\b\s*)?(?=[({])")

#: A test asks as often as it likes, with few members, and waits for no refusal.
IMPATIENT = {"points_per_hour": 10**9, "requests_at_once": 100, "refusal_seconds": 0.0}


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def move(self, by: timedelta) -> None:
        self.now += by


@dataclass
class Template:
    """What is installed once per session."""

    kind: str
    folder: Path
    records: Synthetic
    server: PostgresServer | None
    database: Database | None

    def copy(self, folder: Path) -> tuple[Path, Database | None]:
        """Copy folder and databases; give the settings file and the new database."""
        shutil.copytree(self.folder, folder)
        text = (folder / CONFIG).read_text(encoding="utf-8")
        text = text.replace(str(self.folder), str(folder))
        database = None
        if self.server is not None and self.database is not None:
            database = self.server.create_database(template=self.database)
            text = text.replace(f"/{self.database.name}", f"/{database.name}")
        (folder / CONFIG).write_text(text, encoding="utf-8")
        return folder / CONFIG, database


def databases_of(database: Database) -> Databases:
    """Give the addresses of one PostgreSQL database, by role; the log has its own schema."""
    return Databases(
        database.owner_url,
        database.owner_url,
        database.service_url,
        database.service_url,
        database.log_reader_url,
        database.log_signer_url,
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        """The answer without its receipt, which is another one each time."""
        body: dict[str, Any] = json.loads(self.text)
        body.pop("extensions", None)
        return body

    @property
    def receipt(self) -> str | None:
        """The receipt; None: there is none."""
        token: str | None = json.loads(self.text).get("extensions", {}).get("accessLog")
        return token

    @property
    def data(self) -> dict[str, Any]:
        """The data of an answer without errors."""
        assert "errors" not in self.body, self.body["errors"]
        data: dict[str, Any] = self.body["data"]
        return data

    @property
    def codes(self) -> list[str]:
        return [error["extensions"]["code"] for error in self.body.get("errors", [])]


@dataclass
class World:
    """One installation, served by `client` in this process.

    Attributes:
        settings: may be changed in a test that opens the service again.
    """

    kind: str
    folder: Path
    records: Synthetic
    settings: Settings
    clock: Clock
    app: Starlette
    client: httpx.AsyncClient
    server: PostgresServer | None
    database: Database | None
    _engines: list[Any] = field(default_factory=list)

    def token(self, subject: str, **options: Any) -> str:
        """Mint a token for one of the synthetic members; a partner's is bound to a key."""
        member = self.records.member(subject)
        if member.role is Role.PARTNER:
            options.setdefault("key_thumbprint", self.application.thumbprint)
        return issuer_of(self.folder, self.clock).mint(member.organisation, subject, **options)

    def strong_token(self, subject: str, *, ago: timedelta = timedelta(0)) -> str:
        """Mint one of somebody who signed in with a security key, so long *ago*."""
        return self.token(subject, acr=STRONG_ACR, auth_time=self.clock() - ago)

    @property
    def application(self) -> DemoClient:
        """What partners send their requests with."""
        return client_of(self.folder, self.clock)

    def signed_in(self, subject: str, path: str, token: str | None = None) -> dict[str, str]:
        """Give the headers with which *subject* asks at *path*; a partner proves its key."""
        token = token or self.token(subject)
        if self.records.member(subject).role is Role.PARTNER:
            return self.application.headers(token, self.settings.reached_at + path)
        return {"authorization": f"Bearer {token}"}

    async def ask(
        self,
        subject: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        face: str = "agency",
        purpose: str | None = "protection",
        basis: str | None = None,
        token: str | None = None,
        key: str | None = None,
    ) -> Answer:
        """Post one GraphQL request as *subject*; to partners' face what can be, as admitted.

        Args:
            key: by which a change is named, so that it is made once.
        """
        headers = self.signed_in(subject, f"/graphql/{face}", token)
        if purpose is not None:
            headers["perisai-purpose"] = purpose
        if basis is not None:
            headers["perisai-legal-basis"] = basis
        if key is not None:
            headers["idempotency-key"] = f'"{key}"'
        asked = self.admitted(query) if face == "partner" else {"query": query}
        return await self.post(
            face, headers, json.dumps({**asked, "variables": dict(variables or {})})
        )

    def admitted(self, query: str) -> dict[str, str]:
        """Admit *query* at the partners' face, as if it had lain in its folder at the start.

        A query without a name gets one. Gives the member of a request that asks for it: the
        text itself, if it cannot be admitted.
        """
        [route] = [one for one in self.app.routes if getattr(one, "path", "") == PARTNERS]
        door = cast("Route", route).endpoint
        face = cast("Face", getattr(door, "face", door))
        named = _UNNAMED.sub("query Asked", query)
        try:
            return {"documentId": PREFIX + face.trusted.admit(named.encode()).hash}
        except NotAdmitted:
            return {"query": query}

    async def post(self, face: str, headers: Mapping[str, str], body: str | bytes) -> Answer:
        """Post anything to a face."""
        answer = await self.client.post(
            f"/graphql/{face}",
            content=body,
            headers={
                "content-type": "application/json",
                "accept": "application/graphql-response+json",
                **headers,
            },
        )
        return Answer(answer.status_code, answer.headers, answer.text)

    def reader(self) -> LogReader:
        """Give a reader of the log with its own engine."""
        engine = engine_of(self.settings.log_reader_url.get_secret_value())
        self._engines.append(engine)
        return LogReader(engine)

    @property
    def log_key(self) -> VerifierKey:
        """The key that verifies the log's checkpoints."""
        return log_keys(self.settings)[0]

    async def size(self) -> int:
        """Count the events in the log."""
        async with self._reading() as reader:
            return (await reader.head()).size

    async def events(self, since: int = 0) -> list[Event]:
        """Read the events from index *since* on, from their leaf bytes."""
        async with self._reading() as reader:
            entries = await reader.entries(since, (await reader.head()).size)
        return [decode(entry.body) for entry in entries]

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[LogReader]:
        """Read the log and let its connection go: a test may look a hundred times."""
        engine = engine_of(self.settings.log_reader_url.get_secret_value())
        try:
            yield LogReader(engine)
        finally:
            await engine.dispose()

    async def run(self, statement: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL on the records as their owner would by hand; `?` marks a parameter."""
        url = (
            self.settings.records_url.get_secret_value()
            if self.database is None
            else self.database.owner_url
        )
        engine = engine_of(url)
        try:
            async with engine.begin() as connection:
                if self.kind == "postgresql":
                    for place in range(len(arguments)):
                        statement = statement.replace("?", f"${place + 1}", 1)
                result = await connection.exec_driver_sql(statement, tuple(arguments))
                return [tuple(row) for row in result] if result.returns_rows else []
        finally:
            await engine.dispose()

    async def close(self) -> None:
        for engine in self._engines:
            await engine.dispose()


@asynccontextmanager
async def opened(
    template: Template, folder: Path, clock: Clock, *, drop: bool = True, more: str = ""
) -> AsyncIterator[World]:
    """Copy *template* into *folder*, serve the copy, and take its database away again.

    Args:
        more: lines for the settings file, at its beginning.
    """
    config, database = template.copy(folder)
    config.write_text(more + config.read_text(encoding="utf-8"), encoding="utf-8")
    settings = Settings.at(config)
    for name, value in IMPATIENT.items():
        if name not in settings.model_fields_set:
            settings = settings.model_copy(update={name: value})
    # Nothing happens by itself: a test counts statements and events.
    app = create_app(settings, clock, settle_every=None)
    try:
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://perisai") as client:
                world = World(
                    template.kind,
                    folder,
                    template.records,
                    settings,
                    clock,
                    app,
                    client,
                    template.server,
                    database,
                )
                try:
                    yield world
                finally:
                    await world.close()
    finally:
        if drop and template.server is not None and database is not None:
            template.server.drop_database(database)
