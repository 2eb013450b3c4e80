"""Without witnesses the whereabouts open for nobody; with them again, by themselves."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.accesslog.cosignature_store import CosignatureWriter
from api.accesslog.cosigning import Cosigner
from api.accesslog.quorum import QuorumWatch
from api.accesslog.reader import LogReader
from api.accesslog.witness_client import WitnessClient
from api.accesslog.witness_policy import WitnessPolicy
from api.app import create_app, open_house
from api.casework.views import HOW_TO_ASK
from api.database import engine_of
from api.demo.synthetic import RATNA, SARI, WAYAN
from api.errors import RefusesToStart
from api.vocabulary import Action, Compartment, Decision, Reason
from tests.inside import Inside, exchanged
from tests.loopback import Loopback, witnesses
from tests.scenarios import sharing
from tests.scenarios.asking import case_file, fields, first_defender, reasons
from tests.scenarios.attaching import added, codes, download, pdf
from tests.scenarios.test_defender_update import update
from tests.scenarios.test_search import find, found_ids
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

READ = """query ($id: ID!) { defender(id: $id) { fullName presentLocation
  withheld { field compartment reason howToAsk } } }"""
RELEASES = "{ releases(first: 5) { edges { node { id content { summary } } } } }"
#: A case file to which the protection officer is assigned.
TO_WAYAN = "LP-2025-0006"

OVER_THE_LIMIT = timedelta(minutes=10, seconds=1)


@dataclass
class Served:
    """A world that is served with witnesses, and the hands that move them."""

    inside: Inside
    witnesses: list[Loopback]
    cosigner: Cosigner

    @property
    def world(self) -> World:
        return self.inside.world

    async def look(self) -> QuorumWatch:
        """Do once what the service does at intervals."""
        watch = self.inside.house.witnesses
        assert watch is not None
        await self.cosigner.ask_all()
        await watch.look()
        return watch

    async def read(self, subject: str, person: object) -> Answer:
        return await self.world.ask(subject, READ, {"id": str(person)})


def policy_text(world: World, served: Sequence[Loopback], quorum: str) -> str:
    lines = "".join(one.line for one in served)
    return f"log {world.log_key}\n{lines}{quorum}\n"


@asynccontextmanager
async def served(
    world: World, folder: Path, *, quorum: str = "quorum w1", count: int = 1, **settings: Any
) -> AsyncIterator[Served]:
    """Serve *world* again with witnesses that are down."""
    async with witnesses(folder, [world.log_key], world.clock, count) as there:
        for one in there:
            await one.go_down()
        path = folder / "witness-policy"
        path.write_text(policy_text(world, there, quorum), encoding="utf-8")
        asked = world.settings.model_copy(update={"log_witness_policy": path, **settings})
        client = WitnessClient([])
        writing = engine_of(asked.signer().url)
        reading = engine_of(asked.log_reader_url.get_secret_value())
        cosigner = Cosigner(
            LogReader(reading),
            CosignatureWriter(writing),
            WitnessPolicy.load(path),
            client,
            world.clock,
        )
        try:
            async with exchanged(replace(world, settings=asked)) as inside:
                yield Served(inside, there, cosigner)
        finally:
            await client.close()
            await writing.dispose()
            await reading.dispose()


def withheld(answer: Answer) -> dict[str, str]:
    return {one["field"]: one["reason"] for one in answer.data["defender"]["withheld"]}


async def test_the_whereabouts_are_withheld_until_a_quorum_is_back(
    world: World, tmp_path: Path
) -> None:
    file = case_file(world, TO_WAYAN)
    person = first_defender(world, file.id)
    async with served(world, tmp_path) as there:
        [witness] = there.witnesses
        # Nobody has cosigned anything yet.
        before = await world.size()
        answer = await there.read(WAYAN, person.id)
        assert answer.data["defender"] == {
            "fullName": person.full_name,
            "presentLocation": None,
            "withheld": [
                {
                    "field": "presentLocation",
                    "compartment": "WHEREABOUTS",
                    "reason": "LOG_NOT_WITNESSED",
                    "howToAsk": HOW_TO_ASK[Reason.LOG_NOT_WITNESSED],
                }
            ],
        }
        assert Compartment.WHEREABOUTS not in {c for _, c in there.inside.keyring.opened}
        [event] = await world.events(before)
        assert event.action is Action.READ
        assert fields(event, Decision.DISCLOSED) == {"fullName"}
        assert fields(event, Decision.WITHHELD) == {"presentLocation"}
        assert reasons(event) == {"log_not_witnessed"}

        # The witness comes up: it opens, with no restart.
        await witness.come_up()
        assert (await there.look()).witnessed()
        answer = await there.read(WAYAN, person.id)
        assert answer.data["defender"]["presentLocation"] == person.present_location
        assert withheld(answer) == {}

        # It goes down again: the limit is a limit.
        await witness.go_down()
        world.clock.move(OVER_THE_LIMIT - timedelta(seconds=1))
        assert (await there.look()).witnessed()
        assert withheld(await there.read(WAYAN, person.id)) == {}
        world.clock.move(timedelta(seconds=1))
        opened = len(there.inside.keyring.opened)
        assert withheld(await there.read(WAYAN, person.id)) == {
            "presentLocation": "LOG_NOT_WITNESSED"
        }
        assert Compartment.WHEREABOUTS not in {c for _, c in there.inside.keyring.opened[opened:]}

        # And back.
        await witness.come_up()
        assert (await there.look()).witnessed()
        assert withheld(await there.read(WAYAN, person.id)) == {}


async def test_what_the_policy_refuses_keeps_its_reason(world: World, tmp_path: Path) -> None:
    """Who could not open them anyway learns nothing of the witnesses."""
    mine = first_defender(world, world.records.open_to_sari)
    async with served(world, tmp_path) as there:
        assert withheld(await there.read(SARI, mine.id)) == {
            "presentLocation": "COMPARTMENT_NOT_HELD"
        }
        stranger = await there.read(WAYAN, mine.id)
        assert stranger.body["data"] == {"defender": None}


async def test_the_whereabouts_cannot_be_changed_without_witnesses_either(
    world: World, tmp_path: Path
) -> None:
    person = first_defender(world, case_file(world, TO_WAYAN).id)
    async with served(world, tmp_path) as there:
        refused = await update(there.world, WAYAN, person.id, presentLocation="elsewhere")
        assert [e["code"] for e in refused.data["updateDefender"]["errors"]] == ["NOT_ALLOWED"]
        await there.witnesses[0].come_up()
        await there.look()
        answer = await there.read(WAYAN, person.id)
        assert answer.data["defender"]["presentLocation"] == person.present_location


async def test_any_compartment_can_be_stopped_wherever_it_is_opened(
    world: World, tmp_path: Path
) -> None:
    mine = world.records.open_to_sari
    person = first_defender(world, mine)
    attachment = await added(world, SARI, mine, pdf(20))
    stops = (Compartment.DOCUMENTS, Compartment.IDENTITY, Compartment.RELEASE)
    async with served(world, tmp_path, unwitnessed_stops=stops) as there:

        async def what_opens() -> tuple[bool, list[str], int, bool]:
            read = await there.read(SARI, person.id)
            found = await find(there.world, SARI, "NAME", person.full_name)
            sent = await download(there.world, SARI, attachment)
            partner = await there.world.ask(RATNA, RELEASES, face="partner", purpose="referral")
            return (
                read.data["defender"]["fullName"] is not None,
                found_ids(found),
                sent.status_code,
                partner.data["releases"]["edges"] != [],
            )

        assert await what_opens() == (False, [], 403, False)
        assert {c for _, c in there.inside.keyring.opened}.isdisjoint(stops)
        refused = await download(there.world, SARI, attachment)
        assert codes(refused) == ["NOT_ALLOWED"]
        again = await added(world, SARI, mine, pdf(20))  # a process without the setting
        assert again != attachment

        await there.witnesses[0].come_up()
        await there.look()
        assert await what_opens() == (True, [str(person.id)], 200, True)


async def test_nothing_stops_where_nothing_is_to_be_stopped(world: World, tmp_path: Path) -> None:
    person = first_defender(world, case_file(world, TO_WAYAN).id)
    async with served(world, tmp_path, unwitnessed_stops=()) as there:
        assert withheld(await there.read(WAYAN, person.id)) == {}
    async with exchanged(world) as inside:  # no policy at all
        answer = await inside.world.ask(WAYAN, READ, {"id": str(person.id)})
        assert withheld(answer) == {}


async def test_two_of_three_are_enough_and_one_liar_changes_nothing(
    world: World, tmp_path: Path
) -> None:
    person = first_defender(world, case_file(world, TO_WAYAN).id)
    rule = "group three 2 w1 w2 w3\nquorum three"
    async with served(world, tmp_path, quorum=rule, count=3) as there:
        w1, w2, w3 = there.witnesses
        await w1.come_up()
        await w2.come_up()
        w2.answer = w3.honest  # It gives another's word for its own.
        assert not (await there.look()).witnessed()
        assert withheld(await there.read(WAYAN, person.id)) != {}

        await w3.come_up()
        assert (await there.look()).witnessed()
        assert withheld(await there.read(WAYAN, person.id)) == {}


async def test_a_log_without_a_place_for_cosignatures_is_not_served(
    world: World, tmp_path: Path
) -> None:
    """One that the newest migration has not reached yet."""
    await _without_the_table(world)

    with pytest.raises(RefusesToStart, match="perisai migrate"):
        async with served(world, tmp_path):
            pass


async def _without_the_table(world: World) -> None:
    owner = world.settings.log_url.get_secret_value()
    engine = engine_of(owner if world.database is None else world.database.owner_url)
    schema = "" if world.database is None else "accesslog."
    async with engine.begin() as connection:
        await connection.exec_driver_sql(f"drop table {schema}cosignature")
    await engine.dispose()


async def test_readiness_tells_whether_the_log_is_witnessed(world: World, tmp_path: Path) -> None:
    assert (await world.client.get("/readyz")).json() == {"status": "ready"}
    path = tmp_path / "witness-policy"
    async with witnesses(tmp_path, [world.log_key], world.clock, 1) as [one]:
        await one.go_down()
        path.write_text(policy_text(world, [one], "quorum w1"), encoding="utf-8")
        settings = world.settings.model_copy(update={"log_witness_policy": path})
        app = create_app(settings, world.clock, settle_every=None)
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app)
            async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
                ready = await client.get("/readyz")

    # Not witnessed is no reason to be taken out of service: most of it works on.
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "witnessed": False})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("quorum none\n", "no log line with a key of `log_origin`"),
        ("log {log}\nquorum w9\n", "Line 2"),
        ("log {log}\nwitness w1 {witness} http://witness.example\nquorum w1\n", "use https"),
    ],
)
async def test_a_policy_that_cannot_be_used_is_not_served(
    world: World, tmp_path: Path, text: str, why: str
) -> None:
    path = tmp_path / "witness-policy"
    async with witnesses(tmp_path, [world.log_key], world.clock, 1) as [one]:
        path.write_text(text.format(log=world.log_key, witness=one.key), encoding="utf-8")
    before = await world.size()

    with pytest.raises(RefusesToStart, match=why):
        async with open_house(
            world.settings.model_copy(update={"log_witness_policy": path}), world.clock
        ):
            pass

    assert await world.size() == before
