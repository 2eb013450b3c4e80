"""Whoever edits the rows of an attachment by hand gets nobody a byte of it.

Each test changes what a download rests on, as the database's owner could, and asks as
somebody who may read it: the answer is an error without a byte of the content, before
the first byte is sent.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy.ext.asyncio import AsyncEngine
from starlette.types import Message

from api.casework.attachment_resealing import replace, reseal
from api.casework.spool import Spool
from api.crypto.data_keys import DataKey
from api.database import engine_of
from api.demo.synthetic import SARI
from api.errors import SealBroken, StaleRevision
from api.schema.attachments import READ
from api.store import attachments, key_wraps
from api.vocabulary import Action, Compartment, Decision
from tests.inside import FailingLedger, Inside, exchanged
from tests.postgresql import libpq_url
from tests.scenarios import sharing
from tests.scenarios.asking import as_key, counted, reasons
from tests.scenarios.attaching import (
    NAME,
    added,
    asked_raw,
    codes,
    download,
    headers,
    listed,
    pdf,
    upload,
    zipped,
)
from tests.scenarios.leaks import database_files, every_cell, found_in
from tests.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]
world = sharing.fresh

#: Three chunks of a stream, the last of them short.
CONTENT = pdf(2_150_000, 1)
OTHER = pdf(2_150_000, 2)
ROWS = ("attachment", "attachment_chunk", "data_key")

#: Table -> its column that names the attachment; a chunk needs its attachment.
OWN = {"attachment": "id", "attachment_chunk": "attachment", "data_key": "record"}

CHUNK = "select data from attachment_chunk where attachment = ? and position = ?"
PUT = "update attachment_chunk set data = ? where attachment = ? and position = ?"


class Attached:
    """Two attachments of one case file, and hands that reach into their rows."""

    def __init__(self, world: World, engine: AsyncEngine, mine: UUID, other: UUID) -> None:
        self.world = world
        self._engine = engine
        self.mine = mine
        self.other = other

    async def sql(self, statement: str, arguments: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run SQL as the records' owner; `?` marks a parameter."""
        if self.world.kind == "postgresql":
            for place in range(len(arguments)):
                statement = statement.replace("?", f"${place + 1}", 1)
        async with self._engine.begin() as connection:
            result = await connection.exec_driver_sql(statement, tuple(arguments))
            return [tuple(row) for row in result] if result.returns_rows else []

    def _key(self, other: bool) -> Any:
        return as_key(self.world, self.other if other else self.mine)

    async def chunk(self, position: int, *, other: bool = False) -> bytes:
        [(data,)] = await self.sql(CHUNK, [self._key(other), position])
        return bytes(data)

    async def put(self, position: int, data: object) -> None:
        await self.sql(PUT, [data, self._key(False), position])

    @asynccontextmanager
    async def restored(self) -> AsyncIterator[None]:
        """Let a block do anything to the rows of the first one; then put them back."""
        held = {
            table: await self.sql(f"select * from {table} where {column} = ?", [key])
            for table, column in OWN.items()
            for key in [self._key(False)]
        }
        yield
        for table, column in reversed(OWN.items()):
            await self.sql(f"delete from {table} where {column} = ?", [self._key(False)])
        for table, rows in held.items():
            for row in rows:
                places = ", ".join("?" * len(row))
                await self.sql(f"insert into {table} values ({places})", row)

    async def run(self, statement: str) -> None:
        """Run SQL; `MINE` and `OTHER` stand for the two ids."""
        for word, other in (("MINE", False), ("OTHER", True)):
            statement = statement.replace(word, f"'{self._key(other)}'")
        await self.sql(statement)


@pytest_asyncio.fixture(loop_scope="module")
async def attached(world: World) -> AsyncIterator[Attached]:
    mine = world.records.open_to_sari
    url = world.settings.records_url.get_secret_value()
    engine = engine_of(url if world.database is None else world.database.owner_url)
    yield Attached(
        world,
        engine,
        await added(world, SARI, mine, CONTENT),
        await added(world, SARI, mine, OTHER),
    )
    await engine.dispose()


async def shows_nothing(attached: Attached, why: str, reason: str | None = None) -> None:
    """Assert that a download is an error without a byte, and that the log holds an event."""
    before = await attached.world.size()

    answer = await download(attached.world, SARI, attached.mine)

    assert (answer.status_code, codes(answer)) == (500, ["SEAL_BROKEN"]), why
    # The whole of the answer is this, so no byte of the content is in it.
    [error] = answer.json()["errors"]
    assert len(error["extensions"].pop("requestId")) == 32
    assert answer.json().keys() == {"errors"}
    assert error == {"message": SealBroken.message, "extensions": {"code": "SEAL_BROKEN"}}
    assert "content-disposition" not in answer.headers
    [event] = await attached.world.events(before)
    assert event.action is Action.READ
    if reason is not None:
        assert (event.decision, event.code) == (Decision.WITHHELD, "SEAL_BROKEN")
        assert reasons(event) == {reason}


async def test_a_flipped_bit_in_any_chunk_shows_nothing(attached: Attached) -> None:
    for position, place in ((0, 0), (0, 30), (1, 7), (2, -1)):
        whole = await attached.chunk(position)
        data = bytearray(whole)
        data[place] ^= 1
        await attached.put(position, bytes(data))
        await shows_nothing(attached, f"chunk {position}, byte {place}")
        await attached.put(position, whole)

    assert (await download(attached.world, SARI, attached.mine)).content == CONTENT


async def test_chunks_that_were_moved_or_copied_show_nothing(attached: Attached) -> None:
    first, second, last = [await attached.chunk(i) for i in range(3)]
    theirs = await attached.chunk(1, other=True)
    for why, position, data in (
        ("the first twice", 1, first),
        ("of another attachment", 1, theirs),
        ("cut", 2, last[:-1]),
        ("longer", 2, last + b"\x00"),
        ("empty", 2, b""),
        ("two in one", 1, second + last),
    ):
        whole = (first, second, last)[position]
        await attached.put(position, data)
        await shows_nothing(attached, why)
        await attached.put(position, whole)
    await attached.put(0, second)
    await attached.put(1, first)
    await shows_nothing(attached, "swapped")


WRECKS = [
    # A chunk missing, one too many, all of another attachment.
    "delete from attachment_chunk where attachment = MINE and position = 2",
    "delete from attachment_chunk where attachment = MINE and position = 0",
    "delete from attachment_chunk where attachment = MINE",
    "insert into attachment_chunk select attachment, 3, data from attachment_chunk"
    " where attachment = MINE and position = 2",
    "update attachment_chunk set data = (select o.data from attachment_chunk o where"
    " o.attachment = OTHER and o.position = attachment_chunk.position) where attachment = MINE",
    # What is beside the bytes.
    "update attachment set name = media_type where id = MINE",
    "update attachment set size = (select size from attachment where id = OTHER) where id = MINE",
    # The key: another's, another version's, changed, gone.
    "update data_key set wrapped = (select wrapped from data_key where record = OTHER),"
    " commitment = (select commitment from data_key where record = OTHER) where record = MINE",
    "update data_key set version = 2 where record = MINE",
    "update data_key set wrapped = commitment where record = MINE",
    "delete from data_key where record = MINE",
]


async def test_rows_that_were_edited_show_nothing(attached: Attached) -> None:
    for wreck in WRECKS:
        async with attached.restored():
            await attached.run(wreck)

            await shows_nothing(attached, wreck)

    assert (await download(attached.world, SARI, attached.mine)).content == CONTENT


FORGED = [
    "update attachment set chunks = 2 where id = MINE",
    "update attachment set chunks = 4 where id = MINE",
    "update attachment set author = (select id from member where subject = 'rizal')"
    " where id = MINE",
    "update attachment set event = event + 1 where id = MINE",
    "update attachment set seal = (select seal from attachment where id = OTHER) where id = MINE",
]


async def test_a_row_that_its_agency_did_not_seal_is_no_attachment(attached: Attached) -> None:
    for forgery in FORGED:
        async with attached.restored():
            await attached.run(forgery)

            await shows_nothing(attached, forgery, "seal_broken")
            shown = await listed(attached.world, SARI, attached.world.records.open_to_sari)
            assert [a["id"] for a in shown["attachments"]] == [str(attached.other)]
            assert {w["reason"] for w in shown["withheld"]} == {"SEAL_BROKEN"}


async def test_an_attachment_moved_to_another_case_file_opens_for_nobody(
    attached: Attached,
) -> None:
    """Else whoever is assigned to one case file would read the documents of all."""
    records = attached.world.records
    await attached.world.run(
        "update attachment set case_file = ?", [as_key(attached.world, records.closed_to_sari)]
    )
    assert (await download(attached.world, SARI, attached.mine)).status_code == 500

    await attached.world.run(
        "update attachment set case_file = ? ", [as_key(attached.world, records.open_to_sari)]
    )
    assert (await download(attached.world, SARI, attached.mine)).content == CONTENT


@pytest_asyncio.fixture(loop_scope="module")
async def inside(attached: Attached) -> AsyncIterator[Inside]:
    async with exchanged(attached.world) as inside:
        yield inside


async def test_a_log_that_fails_lets_no_byte_out_and_no_attachment_in(attached: Attached) -> None:
    there = await counted(attached.world, *ROWS)
    for after in (0, 1):
        async with exchanged(
            attached.world, lambda house, n=after: {"ledger": FailingLedger(house.ledger, n)}
        ) as inside:
            mine = attached.world.records.open_to_sari
            if after == 0:
                read = await download(inside.world, SARI, attached.mine)
                assert (read.status_code, codes(read)) == (503, ["LOG_UNAVAILABLE"])
                assert inside.keyring.opened == []
            answer = await upload(inside.world, SARI, mine, CONTENT)
            # With its intent in the log the change is made, and said to be uncertain.
            expected = "CHANGE_UNCONFIRMED" if after else "LOG_UNAVAILABLE"
            assert (answer.status_code, codes(answer)) == (503, [expected])
            if after == 0:
                assert await counted(attached.world, *ROWS) == there


async def test_a_refused_download_opens_no_key(inside: Inside, attached: Attached) -> None:
    await download(inside.world, "maria", attached.mine)
    await download(inside.world, SARI, UUID(int=7))
    assert inside.keyring.opened == []

    await download(inside.world, SARI, attached.mine)
    assert inside.keyring.opened == [(attached.mine, Compartment.DOCUMENTS)]


async def test_what_changes_while_it_is_sent_ends_the_answer_too_soon(
    inside: Inside, attached: Attached
) -> None:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 2:  # The head of the answer is out, and a first piece.
            await attached.put(1, await attached.chunk(1, other=True))

    world = inside.world
    await asked_raw(
        inside, READ, headers(world, SARI) | {"perisai-attachment": str(attached.mine)}, send=send
    )

    start, *pieces = sent
    assert start["status"] == 200
    assert (b"content-length", b"2150000") in start["headers"]
    given = b"".join(piece["body"] for piece in pieces)
    assert 0 < len(given) < len(CONTENT)
    assert CONTENT.startswith(given)
    # A server ends the connection of an answer that was not finished.
    assert all(piece["more_body"] for piece in pieces)


async def test_name_kind_and_content_stand_nowhere_in_clear(attached: Attached) -> None:
    world = attached.world
    await download(world, SARI, attached.mine)
    await listed(world, SARI, world.records.open_to_sari)

    entries = await world.reader().entries(0, await world.size())
    heaps = (database_files(world), every_cell(world), b"\x00".join(e.body for e in entries))
    for heap in heaps:
        assert found_in(heap, [NAME, NAME[:-4], "application/pdf", "2150000"]) == set()
        assert CONTENT[:16] not in heap
        assert CONTENT[1_000_000:1_000_016] not in heap


async def test_what_is_sealed_of_an_attachment_tells_no_kind_by_its_length(world: World) -> None:
    mine = world.records.open_to_sari
    docx = zipped("[Content_Types].xml", "ppt/presentation.xml")
    for content, name in ((docx, "a"), (b"Halo.", "b" * 50), (pdf(60_000), "c.pdf")):
        await added(world, SARI, mine, content, name=name)

    for told in ("length(name)", "length(media_type)", "length(size)", "chunks"):
        assert len(await world.run(f"select distinct {told} from attachment")) == 1, told
    assert len(await world.run("select distinct length(data) from attachment_chunk")) == 1


async def test_an_attachment_is_sealed_anew_under_another_key_and_reads_the_same(
    inside: Inside, attached: Attached
) -> None:
    house, world = inside.house, attached.world
    async with house.records.snapshot() as snapshot:
        row = await attachments.by_id(snapshot, attached.mine)
        [stored] = await key_wraps.of_records(
            snapshot, "komnas-ham", [attached.mine], [Compartment.DOCUMENTS]
        )
    assert row is not None
    [old] = await house.keyring.open_keys("komnas-ham", [stored.wrap])
    place = (attached.mine, Compartment.DOCUMENTS)
    [(new, wrap)] = await house.keyring.new_keys("komnas-ham", [place], 2)
    before = await attached.chunk(1)
    with Spool() as spool:
        values = await reseal(house, row, old, new, spool)
        assert spool.chunks == row.chunks
        await attached.run("delete from data_key where record = MINE")
        async with house.records.change() as transaction:
            await key_wraps.insert_wraps(transaction, [wrap])
            await replace(transaction, row, values, spool)
        with pytest.raises(StaleRevision):
            async with house.records.change() as transaction:
                await replace(transaction, row, values, spool)

    assert await attached.chunk(1) != before
    assert (await download(world, SARI, attached.mine)).content == CONTENT
    shown = await listed(world, SARI, world.records.open_to_sari)
    assert shown["withheld"] == []
    with pytest.raises(SealBroken), Spool() as spool:
        await reseal(house, row, DataKey(*place, 1, b"x" * 32), new, spool)


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    "statement",
    [
        "update attachment set case_file = case_file",
        "update attachment set author = author",
        "update attachment_chunk set position = 9",
        "truncate attachment_chunk",
    ],
)
async def test_the_services_role_moves_no_attachment(world: World, statement: str) -> None:
    assert world.database is not None
    connection = await asyncpg.connect(libpq_url(world.database.service_url))
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await connection.execute(statement)
    await connection.close()


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
async def test_the_services_role_changes_what_is_sealed_of_an_attachment_and_its_seal_alone(
    world: World,
) -> None:
    """A rotation seals anew, and so does the next lead agency; neither can move it (FORGED)."""
    found = await world.run(
        "select table_name, column_name from information_schema.column_privileges"
        " where grantee = 'perisai_service' and privilege_type = 'UPDATE'"
        " and table_name in ('attachment', 'attachment_chunk')"
    )
    assert {tuple(row) for row in found} == {
        ("attachment", "media_type"),
        ("attachment", "name"),
        ("attachment", "seal"),
        ("attachment", "size"),
        ("attachment_chunk", "data"),
    }
