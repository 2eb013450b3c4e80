"""What was decided is asked again under a new policy, on the facts of today; nothing is shown."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.casework.policy_recorded import Lost, Recorded, compare_recorded
from api.cli.main import app
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.policies import comparing
from api.policies.engine import Policy
from api.vocabulary import Action, Role
from tests.inside import Inside, exchanged
from tests.scenarios.adopting import CONTACT, less
from tests.scenarios.looking import agreed, look, shown
from tests.scenarios.referring import READ
from tests.scenarios.test_forged_rows import RELEASES, key
from tests.world import World

pytestmark = pytest.mark.long

NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
EVENTS = "{ accessEvents(first: 5) { edges { node { index } } } }"
#: A line of base, and the same for every duty: then nobody may add a note.
SUPERVISING = 'reads("supervisor", "contact", "supervising");\n'


@pytest.fixture
async def inside(world: World) -> AsyncIterator[Inside]:
    async with exchanged(world) as inside:
        yield inside


async def asked(inside: Inside, *without: str, days: int = 30) -> Recorded:
    house = inside.house
    new = Policy.load(less(*without))
    since = house.now() - timedelta(days=days)
    return await compare_recorded(house, None, new, since, lambda _done, _total: None)


def lines(found: Recorded) -> list[tuple[str, str, str, str, str, tuple[str, ...], int]]:
    return [(*c.kind, c.agencies, c.decisions) for c in found.changes]


async def work(world: World) -> None:
    """Let two people of one agency, one of another, a partner and an officer do something."""
    mine = {"id": str(world.records.open_to_sari)}
    for who, purpose in ((SARI, "protection"), (SARI, "protection"), (BUDI, "supervision")):
        assert (await world.ask(who, READ, mine, purpose=purpose)).data["caseFile"]
    assert (await world.ask(WAYAN, READ, mine)).codes == ["NOT_FOUND"]
    assert (await world.ask(SARI, NOTE, mine)).data["addNote"]["errors"] == []
    await world.ask(RATNA, RELEASES, face="partner", purpose="referral")
    await world.ask(TUTI, EVENTS, face="oversight", purpose="quality_review")


async def test_what_would_be_decided_otherwise_is_counted_by_kind(inside: Inside) -> None:
    await work(inside.world)

    found = await asked(inside, CONTACT)

    own = "a case file of the own agency"
    assert lines(found) == [
        ("case officer", "open contact", own, "allowed: assigned", "refused", ("komnas-ham",), 2)
    ]
    assert found.changes[0].purposes == ("protection",)
    assert found.otherwise == 0
    both = await asked(inside, CONTACT, SUPERVISING)
    assert [(c.kind.role, c.decisions) for c in both.changes] == [
        ("case officer", 2),
        ("supervisor", 1),
    ]
    assert lines(await asked(inside)) == []


async def test_what_opens_newly_is_told_with_the_record_that_was_refused(inside: Inside) -> None:
    await work(inside.world)
    texts = less()
    texts["base"] = (
        texts["base"].replace('?= not reads("case_officer", "whereabouts", _);\n', "")
        + 'reads("case_officer", "whereabouts", "assigned");\n'
    )
    since = inside.house.now() - timedelta(days=1)

    found = await compare_recorded(
        inside.house, None, Policy.load(texts), since, lambda _done, _total: None
    )

    assert [(c.kind.what, c.kind.before, c.kind.after, c.decisions) for c in found.changes] == [
        ("open whereabouts", "refused", "allowed: assigned", 2)
    ]


async def test_what_two_persons_saw_is_asked_again_as_of_two(inside: Inside) -> None:
    assert shown(await look(inside.world, await agreed(inside.world)))
    looks = 'looks("case_officer");\n'

    found = await asked(inside, looks)

    assert ("open whereabouts", "allowed: assigned", "refused") in {
        (change.kind.what, change.kind.before, change.kind.after) for change in found.changes
    }
    assert found.otherwise == 0


async def test_the_look_is_an_event_and_opens_nothing(inside: Inside) -> None:
    await work(inside.world)
    inside.keyring.opened.clear()
    size = await inside.world.size()

    found = await asked(inside, CONTACT)

    [event] = await inside.world.events(size)
    assert (event.action, event.role, event.actor) == (Action.READ_LOG, Role.OPERATOR, None)
    assert event.count == found.events
    assert inside.keyring.opened == []


async def test_what_cannot_be_asked_again_is_counted_by_why(inside: Inside) -> None:
    world = inside.world
    await work(world)
    whole = await asked(inside, CONTACT)
    # What the partner, the officer and the operator did.
    assert whole.lost == {Lost.OTHER: 2}
    defender = "(select defender from case_file_defender where case_file = ? and position = 0)"
    mine = key(world, world.records.open_to_sari)
    await world.run(
        f"update defender set erased_at = '2026-11-01 00:00:00' where id = {defender}", [mine]
    )
    erased = await asked(inside, CONTACT)
    assert erased.changes == []
    assert erased.lost[Lost.ERASED] > 0
    await world.run(
        "update member set clearance = 4 where id = ?", [key(world, world.records.member(SARI).id)]
    )

    found = await asked(inside, CONTACT)

    assert found.lost[Lost.MEMBER] > 0
    assert found.decisions < erased.decisions < whole.decisions
    totals = {
        one.decisions + one.lost.total() - one.lost[Lost.OTHER] for one in (whole, erased, found)
    }
    assert len(totals) == 1


async def test_facts_are_those_of_today(inside: Inside) -> None:
    """Who is assigned no more would be refused today, whatever the policy; it is said."""
    world = inside.world
    await work(world)
    end = """mutation ($id: ID!, $who: ID!) { unassignCaseworker(
      input: {caseFileId: $id, memberId: $who}) { errors { code } } }"""
    mine, sari = world.records.open_to_sari, world.records.member(SARI).id
    answer = await world.ask(BUDI, end, {"id": str(mine), "who": str(sari)}, purpose="supervision")
    assert answer.data["unassignCaseworker"]["errors"] == []

    found = await asked(inside, CONTACT)

    assert found.changes == []
    assert found.otherwise > 0


async def test_only_what_is_young_enough_is_asked(inside: Inside) -> None:
    await work(inside.world)
    inside.world.clock.move(timedelta(days=3))

    assert (await asked(inside, CONTACT, days=2)).decisions == 0
    assert (await asked(inside, CONTACT, days=4)).decisions > 0


@pytest.mark.long
async def test_the_command_prints_both_and_says_whose_facts_they_are(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await work(world)
    thinned = comparing.thinned
    monkeypatch.setattr(comparing, "thinned", lambda *a: (thinned(*a)[0][::40], 40))
    folder = tmp_path / "new"
    folder.mkdir()
    for name, text in less(CONTACT).items():
        (folder / f"{name}.polar").write_text(text, encoding="utf-8")

    def invoke(*more: str) -> str:
        result = CliRunner().invoke(
            app,
            ["policy", "diff", str(folder), *more],
            env={"PERISAI_CONFIG": str(world.folder / "perisai.toml")},
        )
        assert result.exit_code == 0, result.output
        return result.output

    said = await asyncio.to_thread(invoke, "--recorded", "3650")

    assert "Compared " in said
    assert "with the facts of today: asked again" in said
    assert "Not asked again, no decision on a case file or defender" in said
    assert (
        "  case officer of komnas-ham: open contact, a case file of the own agency, "
        "as assigned, for protection (2 decisions)" in said
    )
    assert "facts of today: asked again" not in await asyncio.to_thread(invoke)
