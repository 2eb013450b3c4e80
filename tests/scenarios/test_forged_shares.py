"""Who writes rows of referrals, keys on their way or public keys by hand gets nobody a key.

Each test forges one thing in the database, lets both agencies do their part, and looks:
no wrap was made, nothing opens, and the keys come again once the row is as it was.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from uuid_utils.compat import uuid7

from api.casework.giving import give_keys
from api.casework.referred import sealed_given, signed_given
from api.casework.sharing import settle
from api.casework.taking import take_keys
from api.casework.trust import fingerprint_of, trust
from api.crypto.data_keys import DataKey
from api.crypto.owner_secrets import SHARING, SIGNING
from api.crypto.sharing import give
from api.crypto.signatures import SigningKey
from api.demo.synthetic import BUDI
from api.errors import PeerNotTrusted
from api.store import referrals
from api.vocabulary import Compartment
from tests.conftest import NOON
from tests.inside import Inside, exchanged
from tests.scenarios.asking import as_key, counted, first_defender, led_by
from tests.scenarios.referring import ACCEPT, HASAN, LIST, accepted, codes, read, referred, say
from tests.world import Clock, Template, opened

pytestmark = pytest.mark.asyncio(loop_scope="module")

STRANGER = SigningKey.from_seed(b"s" * 32)
#: Tables that a forgery may touch, with the column by which their rows are told.
TABLES = ("referral", "referral_basis", "referral_right", "trusted_key", "public_key")


class Place:
    """One accepted referral, whose keys are not on their way yet."""

    def __init__(self, inside: Inside, referral: UUID) -> None:
        self.inside = inside
        self.referral = referral
        self.world = inside.world
        self.person = first_defender(self.world, self.world.records.open_to_sari).id

    def key(self, record: UUID) -> Any:
        return as_key(self.world, record)

    async def wraps(self) -> list[tuple[Any, ...]]:
        return await self.world.run(
            "select record, compartment from data_key where owner = 'lpsk' and record in (?, ?)",
            [self.key(self.person), self.key(self.world.records.open_to_sari)],
        )

    async def again(self) -> None:
        """Take the recipient's wraps and what is on its way away, as if nothing was given."""
        await self.world.run("delete from key_share")
        await self.world.run(
            "delete from data_key where owner = 'lpsk' and record = ?", [self.key(self.person)]
        )

    async def rows(self) -> dict[str, list[tuple[Any, ...]]]:
        return {table: await self.world.run(f"select * from {table}") for table in TABLES}

    async def put_back(self, kept: Mapping[str, list[tuple[Any, ...]]]) -> None:
        """Write the rows of TABLES as they were, where they are not."""
        now = await self.rows()
        changed = {table for table in TABLES if sorted(map(repr, now[table])) != sorted(
            map(repr, kept[table]))}  # fmt: skip
        if changed & {"referral", "referral_right"}:  # The basis points to the first.
            changed |= {"referral", "referral_basis", "referral_right"}
            await self.world.run("delete from key_share")
        for table in reversed(TABLES):
            if table in changed:
                await self.world.run(f"delete from {table}")
        for table in TABLES:
            for row in kept[table] if table in changed else ():
                marks = ", ".join("?" * len(row))
                await self.world.run(f"insert into {table} values ({marks})", list(row))

    async def give(self) -> None:
        await give_keys(self.inside.house, self.referral)

    async def take(self) -> None:
        await take_keys(self.inside.house, self.referral)

    async def reads(self) -> bool:
        answer = await read(self.world)
        if answer.codes:
            assert answer.codes == ["NOT_FOUND"]
            return False
        return answer.data["caseFile"]["defenders"][0]["fullName"] is not None


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(
    template: Template, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Place]:
    folder = tmp_path_factory.mktemp("forged") / "perisai"
    async with opened(template, folder, Clock(NOON)) as world, exchanged(world) as inside:
        yield Place(inside, UUID(await accepted(world)))


@pytest_asyncio.fixture(loop_scope="module")
async def place(shared: Place) -> AsyncIterator[Place]:
    """Give the referral as it is before its keys are given; put all rows back after."""
    await shared.again()
    kept = await shared.rows()
    yield shared
    await shared.put_back(kept)


@pytest.mark.parametrize(
    "forgery",
    [
        "update key_share set record = :file",
        "update key_share set record = :other",
        "update key_share set compartment = 'whereabouts' where compartment = 'identity'",
        "update key_share set compartment = 'identity' where compartment = 'contact'",
        "update key_share set compartment = 'nonsense' where compartment = 'contact'",
        "update key_share set version = version + 1",
        "update key_share set version = 0",
        "update key_share set commitment = :bytes",
        "update key_share set sealed = :bytes",
        "update key_share set signature = :bytes",
        "update referral_right set proposal = proposal + 1",
        "update referral_right set compartments = 'contact,identity,whereabouts'",
        "update referral_right set giver = 'komnas-perempuan'",
        "update referral_right set sensitivity = 1, seal = :bytes",
        "update referral_right set until = '2126-01-01 00:00:00+00:00'",
        "update trusted_key set key = :stranger where owner = 'lpsk' and kind = 'signing'",
        "update trusted_key set owner = 'lpsk', peer = 'komnas-ham'"
        " where owner = 'komnas-perempuan' and peer = 'lpsk'",
        "delete from trusted_key where owner = 'lpsk' and peer = 'komnas-ham'",
    ],
)
async def test_a_key_on_its_way_that_was_moved_or_changed_is_not_taken(
    place: Place, forgery: str
) -> None:
    await place.give()
    # Of both keys on their way one is left, where only one of them is forged.
    for compartment in ("contact", "identity"):
        if f"where compartment = '{compartment}'" in forgery:
            await place.world.run("delete from key_share where compartment <> ?", [compartment])
    if forgery.startswith("update key_share set record"):
        await place.world.run("delete from key_share where compartment = 'contact'")
    if forgery.startswith("update trusted_key set owner"):
        await place.world.run("delete from trusted_key where peer = 'komnas-ham'")
    await run(place, forgery)

    await nothing_is_taken(place)


async def nothing_is_taken(place: Place) -> None:
    """Claim that the recipient takes nothing of what is there now, and that nothing opens."""
    before = await place.world.size()
    with suppress(PeerNotTrusted):
        await place.take()
    assert await place.wraps() == []
    assert not await place.reads()
    assert await place.world.size() == before + 1  # The reading.


async def run(place: Place, statement: str) -> None:
    """Run *statement*, whose names stand for values of this place."""
    other = next(f for f in led_by(place.world, "lpsk"))
    values: Mapping[str, Any] = {
        ":file": place.key(place.world.records.open_to_sari),
        ":other": place.key(other.id),
        ":bytes": b"\x01" * 64,
        ":stranger": STRANGER.public.hex(),
    }
    given = [value for name, value in values.items() if name in statement]
    for name in values:
        statement = statement.replace(name, "?")
    await place.world.run(statement, given)


async def test_who_seals_a_key_that_it_knows_needs_the_givers_signature(place: Place) -> None:
    """Anybody can seal to a public key; even with a public key of one's own in the database."""
    house = place.inside.house
    async with house.records.snapshot() as snapshot:
        sides = await referrals.one(snapshot, place.referral)
    assert sides is not None
    share = give(
        DataKey(place.person, Compartment.IDENTITY, 1, b"k" * 32),
        "komnas-ham",
        "lpsk",
        (place.referral, sides.given["event"]),
        signed_given(sides.given),
        STRANGER,
        house.keyring.public_keys("lpsk")[SHARING],
    )
    await run(place, "update public_key set key = :stranger where kind = 'signing'")
    async with house.records.change() as change:
        await referrals.insert_shares(change, [share])

    await nothing_is_taken(place)


@pytest.mark.parametrize(
    "forgery",
    [
        "update trusted_key set key = :stranger where owner = 'komnas-ham' and kind = 'sharing'",
        "update trusted_key set key = :stranger where owner = 'komnas-ham' and kind = 'signing'",
        "update referral set event = event + 1",
        "update referral set recipient = 'komnas-perempuan'",
        "update referral set compartments = 'contact,identity,narrative,whereabouts'",
        "update referral set until = '2126-01-01 00:00:00+00:00'",
        "update referral set defenders = case_file",
        "update referral_right set signature = :bytes",
        "update referral_right set answered_by = case_file",
        "update referral_right set answer = 'declined'",
    ],
)
async def test_the_giver_gives_nothing_by_rows_that_were_changed(
    place: Place, forgery: str
) -> None:
    if "defenders = case_file" in forgery and place.world.kind == "postgresql":
        forgery = "update referral set defenders = replace(case_file::text, '-', '')"
    await run(place, forgery)
    before = await place.world.size()

    with suppress(PeerNotTrusted):
        await place.give()

    assert await place.world.run("select * from key_share") == []
    assert await place.world.size() == before


async def test_a_public_key_that_was_exchanged_in_the_database_is_not_sealed_to(
    place: Place,
) -> None:
    await run(place, "update public_key set key = :stranger")

    await place.give()
    await place.take()

    assert len(await place.wraps()) == 2  # The pinned one was used: the true recipient opens.


async def test_nobody_accepts_a_referral_that_its_agency_did_not_sign(place: Place) -> None:
    """A row that an administrator writes, in the name of Komnas Perempuan, to LPSK."""
    world, house = place.world, place.inside.house
    file = led_by(world, "komnas-perempuan")[0]
    for signing in (STRANGER, house.keyring.signing_key("komnas-ham")):
        row = await proposal(place, file, signing, giver="komnas-perempuan")
        before = await world.size()
        assert codes(await say(world, ACCEPT, str(row))) == ["NOT_FOUND"]
        assert await world.size() == before + 1
        listed = await world.ask(HASAN, LIST, purpose="referral")
        assert str(row) not in {shown["id"] for shown in listed.data["referrals"]}
    assert (await counted(world, "referral_right"))["referral_right"] == 1


async def test_an_agency_takes_no_right_and_no_key_of_what_it_leads_itself(place: Place) -> None:
    """Else a giver could make it seal under a key that the giver knows."""
    world, house = place.world, place.inside.house
    own = led_by(world, "lpsk")[0]
    signing = house.keyring.signing_key("komnas-ham")
    made = await proposal(place, own, signing, giver="komnas-ham")

    assert codes(await say(world, ACCEPT, str(made))) == ["REFERRAL_NOT_OPEN"]

    assert (await counted(world, "referral_right"))["referral_right"] == 1


async def proposal(place: Place, file: Any, signing: SigningKey, *, giver: str) -> UUID:
    """Write a proposal of *file* to LPSK by hand, signed by *signing*."""
    made = uuid7()
    row: dict[str, Any] = {
        "id": made,
        "case_file": file.id,
        "giver": giver,
        "recipient": "lpsk",
        "purpose": "protection",
        "compartments": "identity",
        "defenders": ",".join(sorted(d.hex for d in file.defenders)),
        "sensitivity": 1,
        "until": NOON.replace(year=2027),
        "proposed_by": place.world.records.member(BUDI).id,
        "event": 1,
        "ended_at": None,
        "ended_event": None,
        "renewed_event": None,
    }
    row["signature"] = signing.sign(signed_given(row))
    async with place.inside.house.records.change() as change:
        await referrals.insert_referral(change, sealed_given(place.inside.house, row))
    return made


async def test_an_answer_that_the_recipient_did_not_sign_gets_no_key(place: Place) -> None:
    """An administrator accepts in the recipient's name: the giver asks for its signature."""
    world = place.world
    made = await referred(world, to="komnas-perempuan")
    names = (
        "case_file, giver, purpose, compartments, defenders, sensitivity, until, answer,"
        " answered_by, event, ended_at, ended_event, closed_at, signature, seal"
    )
    await world.run(
        f"insert into referral_right (referral, recipient, proposal, {names})"
        f" select ?, 'komnas-perempuan', (select event from referral where id = ?), {names}"
        " from referral_right",
        [place.key(UUID(made)), place.key(UUID(made))],
    )

    await settle(place.inside.house)

    rows = await world.run("select * from key_share where referral = ?", [place.key(UUID(made))])
    assert rows == []
    await world.run("delete from referral_right where recipient = 'komnas-perempuan'")
    assert codes(await say(world, ACCEPT, made, by=HASAN)) == ["NOT_FOUND"]


async def test_pinning_asks_for_the_very_fingerprint(place: Place) -> None:
    house = place.inside.house
    async with house.records.look() as connection:
        told = await fingerprint_of(house, connection, "lpsk")
    assert told is not None
    start = await place.world.size()
    last = "0" if told[-1] != "0" else "1"
    for wrong in ("", told[:-1], told[:-1] + last):
        assert not await trust(house, "komnas-ham", "lpsk", wrong)
    assert not await trust(house, "lpsk", "lpsk", told)
    assert await place.world.size() == start
    # What the database publishes was exchanged: the fingerprint that was told does not fit.
    await run(place, f"update public_key set key = :stranger where kind = '{SIGNING}'")
    assert not await trust(house, "komnas-ham", "lpsk", told)


async def test_once_the_rows_are_as_they_were_the_keys_come_again(place: Place) -> None:
    """What was refused before was refused for its forgery, and nothing else."""
    await settle(place.inside.house)

    assert len(await place.wraps()) == 2
    assert await place.reads()
