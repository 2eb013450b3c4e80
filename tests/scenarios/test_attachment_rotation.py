"""Attachments get new data keys while people read and add them; what does not hold is left."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from api.casework.attachment_rotation import exchange_attachment
from api.casework.data_rotation import rotate_data
from api.casework.key_exchange import Exchanged
from api.crypto.keyring import Keyring
from api.demo.synthetic import SARI
from api.store import key_wraps
from api.store.attachments import CHUNK_MOST
from api.vocabulary import Action, Compartment, Phase, Reason, RecordKind
from tests.scenarios.asking import as_key, records
from tests.scenarios.attaching import added, download, listed, pdf
from tests.scenarios.rotating import ONE_DATABASE, OWNER, PACE, Quiet, quietly, unseen
from tests.world import Template

#: Three chunks, so that their order and number matter.
LARGE = pdf(2 * CHUNK_MOST + 1000)
SMALL = pdf(500, seed=2)


@pytest.fixture
async def quiet(template: Template, tmp_path: Path) -> AsyncIterator[Quiet]:
    async with quietly(template, tmp_path / "perisai") as quiet:
        yield quiet


async def attach(quiet: Quiet, content: bytes) -> UUID:
    return await added(quiet.world, SARI, quiet.world.records.open_to_sari, content)


async def content(quiet: Quiet, attachment: UUID) -> bytes:
    answer = await download(quiet.world, SARI, attachment)
    assert answer.status_code == 200
    return answer.content


async def chunks(quiet: Quiet, attachment: UUID) -> list[tuple[Any, ...]]:
    return await quiet.world.run(
        "select position, data from attachment_chunk where attachment = ? order by position",
        [as_key(quiet.world, attachment)],
    )


async def key_versions(quiet: Quiet, attachment: UUID) -> list[tuple[Any, ...]]:
    return await quiet.world.run(
        "select owner, version from data_key where record = ? order by owner",
        [as_key(quiet.world, attachment)],
    )


async def test_every_attachment_is_sealed_anew_and_reads_as_before(quiet: Quiet) -> None:
    large, small = await attach(quiet, LARGE), await attach(quiet, SMALL)
    shown = await listed(quiet.world, SARI, quiet.world.records.open_to_sari)
    old = [await chunks(quiet, attachment) for attachment in (large, small)]
    size = await quiet.world.size()

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    new = [await chunks(quiet, attachment) for attachment in (large, small)]
    assert [len(c) for c in new] == [len(c) for c in old] == [3, 1]
    assert not {data for c in old for _, data in c} & {data for c in new for _, data in c}
    for attachment, bytes_of in ((large, LARGE), (small, SMALL)):
        assert await key_versions(quiet, attachment) == [(OWNER, 2)]
        assert await content(quiet, attachment) == bytes_of
    assert await listed(quiet.world, SARI, quiet.world.records.open_to_sari) == shown
    intents = [
        e
        for e in await quiet.world.events(size)
        if e.phase is Phase.INTENT and records(e, RecordKind.ATTACHMENT)
    ]
    assert [records(e, RecordKind.ATTACHMENT) for e in intents] == [{large}, {small}]
    assert {e.action for e in intents} == {Action.ROTATE_DATA_KEYS}
    assert {name for e in intents for t in e.touched for name in t.fields} == {
        "content",
        "mediaType",
        "name",
        "size",
    }


async def test_an_attachment_is_not_exchanged_twice_by_one_rotation(quiet: Quiet) -> None:
    attachment = await attach(quiet, SMALL)

    first, second = await asyncio.gather(
        *(exchange_attachment(quiet.house, OWNER, attachment, 1) for _ in range(2))
    )

    assert sorted([first.done, second.done], key=len) == [set(), {attachment}]
    assert await key_versions(quiet, attachment) == [(OWNER, 2)]
    assert await content(quiet, attachment) == SMALL


BREAK = [
    "update attachment_chunk set position = 7 where attachment = ? and position = 1",
    "update attachment_chunk set data = (select data from attachment_chunk c where c.attachment"
    " = attachment_chunk.attachment and c.position = 1) where attachment = ? and position = 0",
    "update attachment set chunks = 1 where id = ?",
    "update attachment set name = size where id = ?",
    "update data_key set commitment = wrapped where record = ?",
]


@ONE_DATABASE
async def test_an_attachment_that_does_not_hold_is_left_and_named(quiet: Quiet) -> None:
    sound = await attach(quiet, SMALL)
    broken = [await attach(quiet, pdf(2 * CHUNK_MOST, seed=place)) for place in range(len(BREAK))]
    for statement, attachment in zip(BREAK, broken, strict=True):
        await quiet.world.run(statement, [as_key(quiet.world, attachment)])
    before = [await chunks(quiet, attachment) for attachment in broken]
    size = await quiet.world.size()

    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert set(rotated.broken) == set(broken)
    assert [await chunks(quiet, attachment) for attachment in broken] == before
    assert [await key_versions(quiet, attachment) for attachment in broken] == [[(OWNER, 1)]] * 5
    left = [e for e in await quiet.world.events(size) if e.phase is Phase.WHOLE]
    assert {i for e in left for i in records(e, RecordKind.ATTACHMENT)} == set(broken)
    assert {t.reason for e in left for t in e.touched} == {Reason.SEAL_BROKEN}
    assert await content(quiet, sound) == SMALL


@ONE_DATABASE
async def test_who_shares_an_attachment_shares_its_next_key(quiet: Quiet) -> None:
    attachment = await attach(quiet, SMALL)
    async with quiet.house.records.change() as change:
        stored = await key_wraps.of_records(change, OWNER, [attachment], [Compartment.DOCUMENTS])
        [key] = await quiet.house.keyring.open_keys(OWNER, [wrap for wrap, _ in stored])
        await key_wraps.insert_wraps(change, [await quiet.house.keyring.wrap_for("lpsk", key)])
    rotated = await rotate_data(quiet.house, OWNER, PACE, unseen)

    assert rotated.whole
    assert await key_versions(quiet, attachment) == [(OWNER, 2), ("lpsk", 2)]
    opened = []
    for owner in (OWNER, "lpsk"):
        async with quiet.house.records.snapshot() as snapshot:
            stored = await key_wraps.of_records(
                snapshot, owner, [attachment], [Compartment.DOCUMENTS]
            )
        opened += await quiet.house.keyring.open_keys(owner, [wrap for wrap, _ in stored])
    assert opened[0].secret == opened[1].secret != key.secret

    async with quiet.house.records.snapshot() as snapshot:
        secrets = await key_wraps.secrets_of(snapshot, [OWNER])
    alone = await Keyring.start(quiet.house.keyring._service, secrets)
    house = dataclasses.replace(quiet.house, keyring=alone)

    # Who is not served here is given the next one as before.
    again = await exchange_attachment(house, OWNER, attachment, 2)
    assert again == Exchanged(done={attachment}, given_again={attachment})
    assert await key_versions(quiet, attachment) == [(OWNER, 3)]
