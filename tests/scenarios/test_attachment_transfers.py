"""Lines that break, stall or are too many: nothing half-kept, nothing half-sent unsaid."""

import asyncio
import json
import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from starlette.types import Message

from api.app import served
from api.demo.synthetic import BUDI, SARI
from api.schema.attachments import ADD, READ, Attachments, Limits
from api.vocabulary import Action, Outcome, Phase
from tests.inside import Inside, exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import assert_change, counted
from tests.scenarios.attaching import added, asked_raw, codes, headers, pdf, upload
from tests.world import World

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.long]
world = sharing.fresh

ROWS = ("attachment", "attachment_chunk", "data_key")

UNASSIGN = """mutation ($id: ID!, $who: ID!) { unassignCaseworker(
  input: {caseFileId: $id, memberId: $who}) { errors { code } } }"""

#: So short that whatever waits is refused at once; nothing here takes as long as the other.
AT_ONCE = Limits(idle=0.001)


@pytest_asyncio.fixture(loop_scope="module")
async def inside(world: World) -> AsyncIterator[Inside]:
    async with exchanged(world) as inside:
        yield inside


def to_add(inside: Inside) -> dict[str, str]:
    return headers(inside.world, SARI) | {
        "content-type": "application/octet-stream",
        "perisai-case-file": str(inside.world.records.open_to_sari),
        "perisai-file-name": "UTF-8''a.pdf",
    }


class Line:
    """A client's line that gives *messages* and then nothing more; it keeps what it is sent."""

    def __init__(self, *messages: Message) -> None:
        self._left = list(messages)
        self.sent: list[Message] = []
        self.waiting = asyncio.Event()
        self.open = asyncio.Event()

    async def receive(self) -> Message:
        if not self._left:
            self.waiting.set()
            await self.open.wait()
            return {"type": "http.disconnect"}
        return self._left.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        status: int = self.sent[0]["status"]
        return status

    @property
    def codes(self) -> list[str]:
        body: dict[str, Any] = json.loads(self.sent[1]["body"])
        return [error["extensions"]["code"] for error in body["errors"]]


def piece(content: bytes, *, more: bool = True) -> Message:
    return {"type": "http.request", "body": content, "more_body": more}


def unnamed(folder: Path) -> list[bytes]:
    """Read the files without a name that this process has open in *folder*."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        link = f"/proc/self/fd/{number}"
        try:
            target = os.readlink(link)
        except OSError:
            continue  # The one with which the list was read.
        if target.startswith(str(folder)) and target.endswith(" (deleted)"):
            with open(link, "rb") as file:
                found.append(file.read())
    return found


@pytest.mark.parametrize("before", [[], [piece(pdf(500))], [piece(pdf(3_000_000))] * 2])
async def test_a_client_that_goes_away_leaves_no_row_no_file_and_a_word_in_the_log(
    inside: Inside, before: list[Message], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    size, there = await inside.world.size(), await counted(inside.world, *ROWS)
    line = Line(*before, {"type": "http.disconnect"})

    await asked_raw(inside, ADD, to_add(inside), receive=line.receive, send=line.send)

    assert (line.status, line.codes) == (408, ["UPLOAD_CUT_OFF"])
    events = await inside.world.events(size)
    assert len(events) == 2
    assert_change(events, Action.ADD_ATTACHMENT, Outcome.NOTHING)
    assert await counted(inside.world, *ROWS) == there
    assert os.listdir(spools) == []
    assert unnamed(spools) == []


async def test_what_waits_for_its_transaction_is_sealed_and_has_no_name(
    inside: Inside, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spools = tmp_path / "spools"
    spools.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spools))
    content = pdf(1_500_000)
    line = Line(piece(content), piece(content))
    stalled = asyncio.create_task(
        asked_raw(inside, ADD, to_add(inside), receive=line.receive, send=line.send)
    )
    await line.waiting.wait()

    assert os.listdir(spools) == []
    [waiting] = unnamed(spools)

    assert len(waiting) > 1_000_000
    assert content[:16] not in waiting
    assert not any(content[i : i + 8] in waiting for i in range(0, len(content), 50_000))
    line.open.set()
    await stalled
    assert unnamed(spools) == []


async def test_a_client_that_stalls_is_cut_off_and_others_write_meanwhile(inside: Inside) -> None:
    size, there = await inside.world.size(), await counted(inside.world, *ROWS)
    line = Line(piece(pdf(100_000)))
    stalled = asyncio.create_task(
        asked_raw(inside, ADD, to_add(inside), receive=line.receive, send=line.send)
    )
    await line.waiting.wait()

    # It holds no lock and no transaction: another upload passes it by.
    other = await added(inside.world, SARI, inside.world.records.open_to_sari, pdf(200))

    assert not stalled.done()
    line.open.set()
    await stalled
    assert (line.status, line.codes) == (408, ["UPLOAD_CUT_OFF"])
    made = await counted(inside.world, *ROWS)
    assert made == {table: rows + 1 for table, rows in there.items()}
    assert len(await inside.world.events(size)) == 4
    assert other


@pytest.mark.parametrize("limits", [AT_ONCE, Limits(whole=0.0)])
async def test_a_client_that_is_too_slow_is_cut_off(inside: Inside, limits: Limits) -> None:
    there = await counted(inside.world, *ROWS)
    line = Line(piece(pdf(100_000)))

    await asked_raw(
        inside, ADD, to_add(inside), receive=line.receive, send=line.send, limits=limits
    )

    assert (line.status, line.codes) == (408, ["UPLOAD_CUT_OFF"])
    assert await counted(inside.world, *ROWS) == there


@pytest.mark.parametrize("length", ["99999", "100001"])
async def test_fewer_or_more_bytes_than_were_announced_are_not_kept(
    inside: Inside, length: str
) -> None:
    """A server may take a line that closed for the end of a body."""
    there = await counted(inside.world, *ROWS)
    line = Line(piece(pdf(100_000), more=False))

    await asked_raw(
        inside,
        ADD,
        to_add(inside) | {"content-length": length},
        receive=line.receive,
        send=line.send,
    )

    assert (line.status, line.codes) == (408, ["UPLOAD_CUT_OFF"])
    assert await counted(inside.world, *ROWS) == there


async def test_who_loses_the_ground_while_sending_keeps_nothing(inside: Inside) -> None:
    """The second decision is made when the bytes are there, on what holds then."""
    world = inside.world
    mine, sari = world.records.open_to_sari, world.records.member(SARI)
    there = await counted(world, *ROWS)
    size = await world.size()

    async def content() -> AsyncIterator[bytes]:
        yield pdf(100_000)
        ended = await world.ask(BUDI, UNASSIGN, {"id": str(mine), "who": str(sari.id)})
        assert ended.data["unassignCaseworker"]["errors"] == []
        yield pdf(100_000)

    answer = await upload(world, SARI, mine, content())

    assert (answer.status_code, codes(answer)) == (403, ["NOT_ALLOWED"])
    assert await counted(world, *ROWS) == there
    intent, *_, ended = await world.events(size)
    assert (intent.action, intent.phase) == (Action.ADD_ATTACHMENT, Phase.INTENT)
    assert (ended.action, ended.outcome) == (Action.ADD_ATTACHMENT, Outcome.NOTHING)


async def test_a_reader_that_takes_nothing_is_left(inside: Inside) -> None:
    attachment = await added(inside.world, SARI, inside.world.records.open_to_sari, pdf(3_000_000))
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)
        if len(sent) == 3:
            await asyncio.Event().wait()

    asking = headers(inside.world, SARI) | {"perisai-attachment": str(attachment)}
    await asked_raw(inside, READ, asking, send=send, limits=AT_ONCE)

    assert [m["type"] for m in sent] == ["http.response.start"] + ["http.response.body"] * 2
    assert sum(len(m["body"]) for m in sent[1:]) < 3_000_000


@pytest.mark.parametrize(("limits", "most"), [(Limits(member=2), 2), (Limits(process=1), 1)])
async def test_more_transfers_at_once_than_may_be_are_refused(
    inside: Inside, limits: Limits, most: int
) -> None:
    made = served(inside.house, inside.world.settings, inside.world.clock)[ADD]
    assert isinstance(made, Attachments)
    app = Attachments(inside.house, made.authenticate, limits)
    scope = {
        "type": "http",
        "method": "POST",
        "path": ADD,
        "headers": [(n.encode(), v.encode()) for n, v in to_add(inside).items()],
    }
    lines = [Line(piece(pdf(100_000))) for _ in range(most)]
    tasks = [asyncio.create_task(app(scope, line.receive, line.send)) for line in lines]
    for line in lines:
        await line.waiting.wait()
    size = await inside.world.size()

    over = Line(piece(pdf(100), more=False))
    await app(scope, over.receive, over.send)

    assert (over.status, over.codes) == (429, ["TRANSFERS_BUSY"])
    assert await inside.world.size() == size
    for line in lines:
        line.open.set()
    await asyncio.gather(*tasks)
    again = Line(piece(pdf(100), more=False))
    await app(scope, again.receive, again.send)
    assert again.status == 201
