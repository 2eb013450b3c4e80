"""A served process takes and gives attachments in constant memory; measured from outside.

Linux tells the most memory that a process ever held (VmHWM). A small attachment goes
first, so that what is loaded once is not counted.
"""

import asyncio
import hashlib
import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import psycopg
import pytest

from api.crypto.key_file import Cost
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import SARI, synthetic
from tests.postgresql import Database, PostgresServer, libpq_url
from tests.processes import Running, free_port
from tests.world import databases_of

pytestmark = pytest.mark.long

MIB = 1024 * 1024

#: What one transfer may take above what the process holds anyway. Measured: 6 to 17 MiB,
#: on both databases, for 12 MiB and for 100 MiB alike.
MOST = 40 * MIB

#: One piece of a content; no two pieces of a stream of it are alike when sealed.
PIECE = random.Random(5).randbytes(MIB)
HEAD = b"%PDF-1.7\n"


LIST = "query ($id: ID!) { caseFile(id: $id) { attachments { id } } }"


def now() -> datetime:
    return datetime.now(UTC)


def peak(pid: int) -> int:
    """Give the most bytes that a process and its children ever held."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            words = dict(line.split(":", 1) for line in status.read_text().splitlines())
        except OSError:
            continue  # It ended meanwhile.
        if pid in (int(words["Pid"]), int(words["PPid"])):
            total += int(words["VmHWM"].split()[0]) * 1024
    return total


async def content(pieces: int) -> AsyncIterator[bytes]:
    yield HEAD
    for _ in range(pieces):
        yield PIECE


async def through(client: httpx.AsyncClient, case_file: str, pieces: int) -> str:
    """Add *pieces* MiB and read them back; give the id."""
    made = await client.post(
        "/attachments",
        content=content(pieces),
        headers={
            "content-type": "application/octet-stream",
            "perisai-case-file": case_file,
            "perisai-file-name": "UTF-8''besar.pdf",
        },
    )
    assert made.status_code == 201, made.text
    expected, found, size = hashlib.sha256(HEAD + PIECE * pieces), hashlib.sha256(), 0
    attachment: str = made.json()["data"]["attachmentId"]
    asked = {"perisai-attachment": attachment}
    async with client.stream("POST", "/attachments/content", headers=asked) as answer:
        assert answer.status_code == 200
        async for piece in answer.aiter_bytes():
            found.update(piece)
            size += len(piece)
    assert size == len(HEAD) + pieces * MIB
    assert found.digest() == expected.digest()
    return attachment


async def cut_off(client: httpx.AsyncClient, case_file: str) -> None:
    """Begin to send, and go away in the middle."""

    async def breaking() -> AsyncIterator[bytes]:
        yield HEAD + PIECE
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await client.post(
            "/attachments",
            content=breaking(),
            headers={
                "content-type": "application/octet-stream",
                "perisai-case-file": case_file,
                "perisai-file-name": "UTF-8''besar.pdf",
            },
        )


async def half_sent(port: int, token: str, case_file: str, framing: str, body: bytes) -> bytes:
    """Send a beginning and close that half of the line: it looks like an end. Give the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = (
        "POST /attachments HTTP/1.1\r\nhost: perisai\r\nconnection: close\r\n"
        f"authorization: Bearer {token}\r\nperisai-purpose: protection\r\n"
        "content-type: application/octet-stream\r\n"
        f"perisai-case-file: {case_file}\r\nperisai-file-name: UTF-8''besar.pdf\r\n"
        f"{framing}\r\n\r\n"
    )
    writer.write(head.encode() + body)
    await writer.drain()
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    return answer


async def torn(client: httpx.AsyncClient, attachment: str, database: Database) -> None:
    """Read an attachment whose end is taken away meanwhile: the client must notice."""
    got = 0
    with pytest.raises(httpx.RemoteProtocolError):  # noqa: PT012  # how far it came counts
        async with client.stream(
            "POST", "/attachments/content", headers={"perisai-attachment": attachment}
        ) as answer:
            assert answer.status_code == 200
            async for piece in answer.aiter_bytes():
                if not got:
                    with psycopg.connect(libpq_url(database.owner_url)) as connection:
                        connection.execute("delete from attachment_chunk where position >= 80")
                got += len(piece)
    assert 0 < got < 81 * MIB


#: 100 MiB and a little less would be the same; the small one is for the other database.
SIZES = [("sqlite", 12), ("postgresql", 99)]


@pytest.mark.parametrize(("kind", "pieces"), SIZES)
async def test_an_attachment_takes_no_more_memory_than_a_few_chunks(
    kind: str, pieces: int, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    port, folder = free_port(), tmp_path / "perisai"
    server: PostgresServer | None = None
    database: Database | None = None
    databases = Databases.embedded(folder)
    if kind == "postgresql":
        server = request.getfixturevalue("server")
        assert server is not None
        database = server.create_database()
        databases = databases_of(database)
    records = synthetic(7, now().date(), 20)
    config = await install(
        folder,
        databases,
        records,
        clock=now,
        progress=lambda _count: None,
        port=port,
        cost=Cost(8, 1, 1),
    )
    token = issuer_of(folder, now).mint("komnas-ham", SARI)
    mine = str(records.open_to_sari)
    with Running("serve", folder=tmp_path, config=config) as service:
        service.wait_for("Started worker")
        assert service.process is not None
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}",
            headers={"authorization": f"Bearer {token}", "perisai-purpose": "protection"},
            timeout=60,
            trust_env=False,
        ) as client:
            await through(client, mine, 1)
            before = peak(service.process.pid)

            attachment = await through(client, mine, pieces)

            grown = peak(service.process.pid) - before
            await cut_off(client, mine)
            begun = HEAD + PIECE
            for framing, body in (
                (f"content-length: {5 * MIB}", begun),
                ("transfer-encoding: chunked", f"{len(begun):x}\r\n".encode() + begun + b"\r\n"),
            ):
                answer = await half_sent(port, token, mine, framing, body)
                assert b" 201 " not in answer[:20], answer
            shown = await client.post(
                "/graphql/agency", json={"query": LIST, "variables": {"id": mine}}
            )
            assert len(shown.json()["data"]["caseFile"]["attachments"]) == 2
            if database is not None:
                await torn(client, attachment, database)
        service.wait_for('"status": 408')
        assert service.end() == 0, service.text()
    assert 0 <= grown < MOST, f"{grown / MIB:.1f} MiB"
    reported = service.text().count("seal_broken")
    assert reported == (0 if database is None else 1)
    assert "Traceback" not in service.text(), service.text()
    if server is not None and database is not None:
        server.drop_database(database)
