"""A served installation, and what tests do with it: ask as somebody, look, move the clock."""

import json
import shutil
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette

from api.accesslog.event import Event, decode
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.reader import LogReader
from api.app import create_app
from api.crypto.signatures import SigningKey
from api.database import engine_of
from api.demo.install import CONFIG, Databases, issuer_of
from api.demo.synthetic_records import Synthetic
from api.settings import Settings
from tests.postgresql import Database, PostgresServer


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
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer."""

    status: int
    headers: Mapping[str, str]
    text: str

    @property
    def body(self) -> dict[str, Any]:
        body: dict[str, Any] = json.loads(self.text)
        return body

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
        """Mint a token for one of the synthetic members."""
        member = self.records.member(subject)
        return issuer_of(self.folder, self.clock).mint(member.organisation, subject, **options)

    async def ask(
        self,
        subject: str,
        query: str,
        variables: Mapping[str, Any] | None = None,
        *,
        face: str = "agency",
        purpose: str | None = "protection",
        token: str | None = None,
    ) -> Answer:
        """Post one GraphQL request as *subject*."""
        headers = {"authorization": f"Bearer {token or self.token(subject)}"}
        if purpose is not None:
            headers["perisai-purpose"] = purpose
        return await self.post(
            face, headers, json.dumps({"query": query, "variables": dict(variables or {})})
        )

    async def post(self, face: str, headers: Mapping[str, str], body: str | bytes) -> Answer:
        """Post anything to a face."""
        answer = await self.client.post(
            f"/graphql/{face}",
            content=body,
            headers={"content-type": "application/json", **headers},
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
        return VerifierKey(
            self.settings.log_origin,
            ED25519,
            SigningKey.load(self.settings.log_signing_key).public,
        )

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
    template: Template, folder: Path, clock: Clock, *, drop: bool = True
) -> AsyncIterator[World]:
    """Copy *template* into *folder*, serve the copy, and take its database away again."""
    config, database = template.copy(folder)
    settings = Settings.at(config)
    app = create_app(settings, clock)
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
