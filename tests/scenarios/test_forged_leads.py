"""Who writes rows of a change of the lead by hand makes nobody lead, and ends nobody's work.

Everything is ready to be taken over; each test forges one thing, lets both agencies do their
part, and looks: Komnas HAM still leads. What was forged is put back, and in the end it goes over.
"""

from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from api.casework.handing import hand_over, let_go
from api.casework.house import House
from api.casework.leading import take_lead
from api.casework.sharing import settle
from api.demo.synthetic import SARI, WAYAN
from api.errors import PerisaiError, SealBroken
from api.store.tables import RIGHTS
from tests.conftest import NOON
from tests.scenarios import attaching, sharing
from tests.scenarios.asking import as_key
from tests.scenarios.hiding import NOTE
from tests.scenarios.leading import accept, lead_of, led, proposed, read
from tests.scenarios.matching import house_of
from tests.scenarios.referring import HASAN, assign, codes
from tests.world import Clock, Template, World, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")
fresh = sharing.fresh

HOLD = (
    "insert into legal_hold select id, 'case_file', case_file, giver, proposed_by, until,"
    " 'dispute', null, null, null, event, seal from referral"
)


class Stage:
    """A case file whose lead was accepted and handed over, and not taken yet."""

    def __init__(self, world: World, referral: UUID) -> None:
        self.world = world
        self.referral = referral
        self.house: House = house_of(world)

    async def go_on(self) -> None:
        """Let both agencies do their part, as they do in turn."""
        for part in (hand_over, take_lead, let_go):
            with suppress(PerisaiError):
                await part(self.house, self.referral)

    async def stays(self) -> None:
        """Assert that nothing goes over, and that Sari's work goes on."""
        await take_lead_or_not(self)
        assert await lead_of(self.world) == "komnas-ham"
        answer = await read(self.world, SARI)
        assert answer.data["caseFile"]["account"]


async def take_lead_or_not(stage: Stage) -> None:
    for part in (take_lead, let_go):
        with suppress(PerisaiError):
            await part(stage.house, stage.referral)


async def staged(world: World) -> Stage:
    """Propose, accept and hand over; nothing is taken."""
    await attaching.added(world, SARI, world.records.open_to_sari, b"%PDF-1.7 saksi")
    referral = await proposed(world)
    await world.run(HOLD)  # So that nothing is settled with the acceptance.
    assert codes(await accept(world, referral)) == []
    await world.run("delete from legal_hold where reason = 'dispute' and lifted_at is null")
    stage = Stage(world, UUID(referral))
    await hand_over(stage.house, stage.referral)
    assert len(await world.run("select referral from lead_handover")) == 1
    assert await lead_of(world) == "komnas-ham"
    return stage


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stage]:
    folder = tmp_path_factory.mktemp("leads") / "perisai"
    async with opened(template, folder, Clock(NOON)) as world:
        yield await staged(world)


#: Steps and columns that are changed by hand. Each agency reads its own step by its seal, and
#: the other's by its signature.
FORGERIES = [
    (table, column)
    for table, (*names, proof) in {
        "lead_proposal": (*RIGHTS["lead_proposal"], "signature"),
        "lead_acceptance": (*RIGHTS["lead_acceptance"], "seal"),
        "lead_handover": (*RIGHTS["lead_handover"], "signature"),
    }.items()
    for column in (*names, proof)
    if column != "referral"
]


def changed(world: World, column: str, kept: Any) -> tuple[str, list[Any]]:
    """Give SQL for another value of *column*, and its parameters."""
    if column in ("signature", "seal"):
        return "?", [bytes(len(kept))]
    if column == "case_file":
        return "?", [as_key(world, world.records.closed_to_sari)]
    if column == "digest":
        return "?", ["0" * 64]
    if column in ("giver", "recipient"):
        return "'komnas-perempuan'", []
    if column == "accepted_by":
        return "(select proposed_by from referral)", []
    if column == "taken_at":
        return "(select until from referral)", []
    return f"coalesce({column}, 0) + 1", []


@pytest.mark.long
@pytest.mark.parametrize(("table", "column"), FORGERIES, ids=str)
async def test_a_step_that_was_changed_by_hand_makes_nobody_lead(
    stage: Stage, table: str, column: str
) -> None:
    world = stage.world
    [[kept]] = await world.run(f"select {column} from {table}")
    new, given = changed(world, column, kept)
    await world.run(f"update {table} set {column} = {new}", given)

    await stage.stays()

    await world.run(f"update {table} set {column} = ?", [kept])


@pytest.mark.long
@pytest.mark.parametrize("table", ["lead_proposal", "lead_acceptance", "lead_handover"])
async def test_without_one_of_the_steps_nobody_leads(stage: Stage, table: str) -> None:
    world = stage.world
    [row] = await world.run(f"select * from {table}")
    await world.run(f"delete from {table}")

    await stage.stays()

    marks = ", ".join("?" * len(row))
    await world.run(f"insert into {table} values ({marks})", list(row))


@pytest.mark.parametrize(
    ("forgery", "undone"),
    [
        ("update note set event = event + 1", "update note set event = event - 1"),
        (
            "update case_file_defender set position = position + 1",
            "update case_file_defender set position = position - 1",
        ),
        (
            "update attachment set chunks = chunks + 1",
            "update attachment set chunks = chunks - 1",
        ),
        ("update lead_share set version = version + 1", "update lead_share set version = 1"),
        ("update lead_share set sealed = signature", None),
    ],
)
async def test_what_was_changed_after_the_giver_signed_is_not_taken(
    stage: Stage, forgery: str, undone: str | None
) -> None:
    world = stage.world
    kept = await world.run("select record, sealed from lead_share")
    await world.run(forgery)

    await take_lead_or_not(stage)

    assert await lead_of(world) == "komnas-ham"
    assert await world.run("select owner from data_key where owner = 'lpsk' and record in"
        " (select id from attachment)") == []  # fmt: skip
    if undone is not None:
        await world.run(undone)
    for record, sealed in kept:
        await world.run("update lead_share set sealed = ? where record = ?", [sealed, record])


#: What the giver goes by before it signs: its own proposal by the seal, the acceptance by the
#: other agency's signature.
ACCEPTED = [
    (table, column)
    for table, (*names, proof) in {
        "lead_proposal": (*RIGHTS["lead_proposal"], "seal"),
        "lead_acceptance": (*RIGHTS["lead_acceptance"], "signature"),
    }.items()
    for column in (*names, proof)
    if column != "referral"
]


@pytest.mark.long
@pytest.mark.parametrize(("table", "column"), ACCEPTED, ids=str)
async def test_nothing_is_signed_for_an_acceptance_that_was_written_by_hand(
    stage: Stage, table: str, column: str
) -> None:
    world = stage.world
    kept = {
        name: await world.run(f"select * from {name}") for name in ("lead_handover", "lead_share")
    }
    [[value]] = await world.run(f"select {column} from {table}")
    for name in kept:
        await world.run(f"delete from {name}")
    new, given = changed(world, column, value)
    await world.run(f"update {table} set {column} = {new}", given)

    with suppress(PerisaiError):
        await hand_over(stage.house, stage.referral)

    for name, rows in kept.items():
        assert await world.run(f"select referral from {name}") == []
        for row in rows:
            marks = ", ".join("?" * len(row))
            await world.run(f"insert into {name} values ({marks})", list(row))
    await world.run(f"update {table} set {column} = ?", [value])


async def test_a_row_that_was_written_by_hand_is_handed_to_nobody(stage: Stage) -> None:
    world = stage.world
    file = as_key(world, world.records.open_to_sari)
    await world.run("delete from lead_handover")
    await world.run("update note set author = (select proposed_by from referral)"
                    " where case_file = ?", [file])  # fmt: skip
    [[many]] = await world.run("select count(*) from note where case_file = ?", [file])
    assert many > 0
    with pytest.raises(SealBroken):
        await hand_over(stage.house, stage.referral)
    assert await world.run("select referral from lead_handover") == []


# -- worlds of their own ------------------------------------------------------------------


@pytest.mark.long
async def test_what_is_changed_by_its_lead_is_signed_anew_and_goes_over(fresh: World) -> None:
    stage = await staged(fresh)
    file = str(fresh.records.open_to_sari)
    assert codes(await fresh.ask(SARI, NOTE, {"id": file})) == []
    await take_lead_or_not(stage)
    assert await lead_of(fresh) == "komnas-ham", "the giver did not sign that"

    await stage.go_on()

    assert await lead_of(fresh) == "lpsk"
    assert codes(await assign(fresh)) == []
    assert len((await read(fresh, WAYAN)).data["caseFile"]["notes"]) > 0


async def test_a_lead_that_is_written_by_hand_opens_nothing(fresh: World) -> None:
    key = as_key(fresh, fresh.records.open_to_sari)
    await fresh.run("update case_file set lead_agency = 'lpsk' where id = ?", [key])
    for who, purpose in ((HASAN, "supervision"), (WAYAN, "protection"), (SARI, "protection")):
        answer = await read(fresh, who, purpose)
        assert answer.codes == ["NOT_FOUND"] or answer.data["caseFile"]["account"] is None
        for person in fresh.records.defenders:
            assert person.full_name not in answer.text


async def test_who_handed_over_does_not_lead_again_by_hand(fresh: World) -> None:
    key = as_key(fresh, fresh.records.open_to_sari)
    [kept] = await fresh.run("select lead_agency, event, seal from case_file where id = ?", [key])
    await led(fresh)
    for row in (kept, (kept[0], *(await fresh.run(
        "select event, seal from case_file where id = ?", [key]))[0])):  # fmt: skip
        await fresh.run(
            "update case_file set lead_agency = ?, event = ?, seal = ? where id = ?", [*row, key]
        )
        await fresh.run("update assignment set ended_at = null where case_file = ?", [key])
        answer = await read(fresh, SARI)
        assert answer.codes == ["NOT_FOUND"] or answer.data["caseFile"]["account"] is None
        for person in fresh.records.defenders:
            assert person.full_name not in answer.text


@pytest.mark.long
async def test_that_it_was_taken_is_believed_with_a_signature_alone(fresh: World) -> None:
    stage = await staged(fresh)
    await fresh.run("update lead_acceptance set taken_event = event, taken_at ="
                    " (select until from referral)")  # fmt: skip
    await let_go(stage.house, stage.referral)
    await stage.stays()
    assert await fresh.run("select ended_at from referral") == [(None,)]


@pytest.mark.long
async def test_who_leads_loses_no_key_by_the_end_of_the_referral(fresh: World) -> None:
    await led(fresh)
    key = as_key(fresh, fresh.records.open_to_sari)
    wraps = await fresh.run("select * from data_key where record = ?", [key])
    # As if the giver's process had not let go yet; and as if the proof of the taking was away.
    await fresh.run("update referral set ended_at = null, ended_event = null, renewed_event = null")
    await fresh.run("delete from lead_acceptance")
    fresh.clock.move(timedelta(days=31))
    await settle(house_of(fresh))
    assert await fresh.run("select * from data_key where record = ?", [key]) == wraps
