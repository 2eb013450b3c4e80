"""Two agencies find that they know the same person, and nobody learns it who was not told."""

import asyncio
import re
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from structlog.testing import capture_logs

from api.accesslog.event import Event
from api.casework.match_limits import MatchLimits
from api.casework.match_settling import settle_matches
from api.casework.matched import found_in, open_sent
from api.demo.synthetic import BUDI, TUTI, WAYAN
from api.errors import KeysUnavailable, SealBroken
from api.store import matching
from api.store.tables import RIGHTS, SIGNED_MATCH_REQUEST
from api.vocabulary import Action, Compartment, Decision, Outcome, RecordKind
from tests.inside import exchanged
from tests.scenarios import erasing, leaks, sharing
from tests.scenarios.asking import NOBODY, as_key, assert_change, counted, led_by, records
from tests.scenarios.breaking_glass import codes
from tests.scenarios.consenting import recorded
from tests.scenarios.delegating import delegated
from tests.scenarios.hiding import EVENTS
from tests.scenarios.matching import (
    LINKED,
    TABLES,
    answer,
    house_of,
    known,
    lengths,
    mine,
    person_of,
    request,
    requested,
    settled,
    waiting,
)
from tests.scenarios.referring import HASAN, INDAH, refer
from tests.scenarios.test_statements import counted as statements
from tests.scenarios.tying import declared, id_of
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world, still = sharing.fresh, sharing.still

MOMENT = timedelta(seconds=1)
OPEN_FOR = timedelta(hours=72)
OF_THE_LOG = re.compile(r"\b(entry|head|tile|checkpoint|cosignature|event_\w+|access_log\.\w+)\b")


async def only(world: World, since: int, action: Action) -> list[Event]:
    return [e for e in await world.events(since) if e.action is action]


async def matched(world: World, **options: Any) -> tuple[str, str, str]:
    """Have LPSK find the person for whom Sari asks; give ids of match, file and defender."""
    file, theirs = await known(world, nik=person_of(world).nik)
    made = await requested(world, **options)
    await settled(world)
    return made, file, theirs


async def state(world: World) -> str:
    [one] = await mine(world)
    assert (one["linkedAt"] is None) == (one["state"] == "SENT")
    return str(one["state"])


# -- the story ---------------------------------------------------------------------------


async def test_two_agencies_find_that_they_know_the_same_person(world: World) -> None:
    file, theirs = await known(world, nik=person_of(world).nik, phones=["081200009999"])
    made = await requested(world)
    assert await waiting(world) == [], "nobody looked yet"
    await settled(world)

    [match] = await waiting(world)

    assert (match["id"], match["asker"]) == (made, "komnas-ham")
    assert (match["reason"], match["urgent"]) == ("JOINT_PROTECTION", False)
    assert (match["defenderId"], match["caseFileIds"]) == (theirs, [file])
    assert match["fields"] == ["nik"]
    assert await state(world) == "SENT"

    got = await answer(world, made, "CONFIRM")

    assert codes(got) == []
    payload = got.data["answerMatch"]
    assert (payload["matchId"], payload["caseFileId"], payload["asker"]) == (
        made,
        file,
        "komnas-ham",
    )
    await settled(world)
    assert await waiting(world) == []
    assert await state(world) == "LINKED"
    links = await world.run("select agency, peer, defender from linked_record order by agency")
    assert links == [
        ("komnas-ham", "lpsk", as_key(world, person_of(world).id)),
        ("lpsk", "komnas-ham", as_key(world, UUID(theirs))),
    ]
    assert codes(await answer(world, made, "DISMISS")) == ["MATCH_NOT_OPEN"]


async def test_a_link_is_read_later_on_both_sides_by_who_may_open_the_identity(
    world: World,
) -> None:
    made, _, theirs = await matched(world)
    assert codes(await answer(world, made, "CONFIRM")) == []
    await settled(world)
    world.clock.move(timedelta(days=6))
    await settled(world)
    assert await counted(world, "match_request", "match_hit") == {
        "match_request": 0,
        "match_hit": 0,
    }

    async def linked(who: str, person: object, purpose: str = "protection") -> Any:
        answered = await world.ask(who, LINKED, {"id": str(person)}, purpose=purpose)
        if answered.codes:
            return answered.codes
        return [(one["matchId"], one["agency"]) for one in answered.data["linkedRecords"]]

    size = await world.size()
    assert await linked(BUDI, person_of(world).id, "referral") == [(made, "lpsk")]
    read, told = await world.events(size)
    assert (read.action, told.action) == (Action.READ, Action.LIST)
    assert records(told, RecordKind.MATCH) == {UUID(made)}
    assert await linked(WAYAN, theirs) == [(made, "komnas-ham")]
    assert await linked("rizal", person_of(world).id) == [], "not assigned"
    assert await linked(WAYAN, person_of(world).id) == ["NOT_FOUND"]
    await world.run("update linked_record set confirmation = confirmation + 1")
    assert await linked(WAYAN, theirs) == [], "nothing of it is proven"


DEFENDERS = "query ($id: ID!) { caseFile(id: $id) { defenders { id } } }"


async def test_to_refer_leads_to_a_referral_by_the_liaison(world: World) -> None:
    made, _, _ = await matched(world)
    got = await answer(world, made, "REFER")
    assert codes(got) == []
    payload = got.data["answerMatch"]
    asked = await world.ask(HASAN, DEFENDERS, {"id": payload["caseFileId"]}, purpose="supervision")
    [person] = asked.data["caseFile"]["defenders"]
    await recorded(
        world,
        by=WAYAN,
        file=payload["caseFileId"],
        defender=person["id"],
        to=payload["asker"],
        compartments=["CONTACT"],
    )

    answered = await refer(
        world, by=HASAN, file=payload["caseFileId"], to=payload["asker"], compartments=["CONTACT"]
    )

    # Who took the person in is assigned, so the supervisor may hand it on.
    assert codes(answered) == []


async def test_who_asked_in_an_emergency_is_urgent_and_no_line_of_the_process_says_so(
    world: World,
) -> None:
    with capture_logs() as lines:
        made, _, _ = await matched(world, purpose="emergency")
    assert made not in str(lines)
    [match] = await waiting(world)
    assert match["urgent"]


async def test_of_several_the_one_with_the_same_nik_is_shown(world: World) -> None:
    person = person_of(world)
    _, same = await known(world, nik=person.nik)
    await known(world, phones=person.phones, emails=person.emails)
    await requested(world)
    await settled(world)
    assert [match["defenderId"] for match in await waiting(world)] == [same]


# -- nothing tells whether the person is known ----------------------------------------------


async def traced(world: World, **options: Any) -> tuple[object, ...]:
    """Ask and let both processes look; give all that could differ where the person is known."""
    size = await world.size()
    for table in TABLES:
        await world.run(f"delete from {table}")
    with statements() as seen:
        sent = await request(world, **options)
        asked = len(seen)
        on_the_way = await lengths(world)
        await settled(world)
        [listed] = await mine(world)
    [event] = await only(world, size, Action.LIST)
    made = sent.data["requestMatch"]["requestId"]
    told = [
        (
            *(e.action, e.phase, e.outcome, e.decision, e.agencies, e.actor, e.organisation),
            *((t.compartments, t.fields, t.ground, len(t.records)) for t in e.touched),
        )
        for e in await world.events(size)
    ]
    found = [e for e in await world.events(size) if e.action is Action.LOOK_UP_MATCH]
    assert {len(e.touched) for e in found} == {1}
    assert all(records(e, RecordKind.DEFENDER) == {person_of(world).id} for e in found)
    assert len(records(event, RecordKind.MATCH)) == 1
    return (
        sent.text.replace(made, "").split('"extensions"')[0],
        {name: value for name, value in listed.items() if name != "id"},
        asked,
        # How much of the log is read follows its length.
        [one for one in seen if not OF_THE_LOG.search(one)],
        on_the_way,
        await lengths(world),
        told,
        await counted(world, *TABLES),
    )


async def test_a_person_who_is_known_leaves_as_much_as_one_who_is_not(world: World) -> None:
    unknown = await traced(world)
    await known(world, nik=person_of(world).nik)

    hit = await traced(world)

    for mine_, theirs in zip(unknown, hit, strict=True):
        assert mine_ == theirs
    assert len(await waiting(world)) == 1, "the second one was a hit"


async def test_how_much_is_known_of_a_person_shows_in_no_length(world: World) -> None:
    few = await known(world, by=WAYAN, phones=["081233334444"])
    many = await known(
        world,
        by=WAYAN,
        phones=[f"0812555566{n:02}" for n in range(20)],
        emails=[f"{'x' * 60}{n}@{'y' * 60}.{'z' * 60}.{'w' * 60}.example" for n in range(20)],
    )
    for _, person in (few, many):
        await requested(world, by=WAYAN, person=person, to="komnas-ham")
    sizes = await lengths(world)
    assert sizes[0] == sizes[1]
    await settled(world)
    first, second, *hits = await lengths(world)
    assert first == second
    assert first[0] == 0, "what was sent is taken away when it was looked up"
    assert len(set(hits)) == 1


async def test_to_dismiss_to_refer_and_to_say_nothing_are_one_to_the_asker(world: World) -> None:
    made, _, _ = await matched(world)
    before = await mine(world)
    for said in ("DISMISS", "REFER"):
        other, _, _ = await matched(world)
        assert codes(await answer(world, other, said)) == []
    await settled(world)
    after = await mine(world)
    alike = [{k: v for k, v in one.items() if k != "id"} for one in after]
    assert alike == [{k: v for k, v in before[0].items() if k != "id"}] * 3
    assert (await counted(world, "linked_record")) == {"linked_record": 0}
    # All as long as the one that nobody answered.
    assert len({size for size in await lengths(world) if len(size) == 2}) == 1
    assert [one["id"] for one in await waiting(world)] == [made]


async def test_the_log_tells_the_asker_that_it_was_looked_up_and_nothing_of_the_answer(
    world: World,
) -> None:
    size = await world.size()
    made, file, theirs = await matched(world, reasonText="Mungkin orang yang sama.")
    assert codes(await answer(world, made, "CONFIRM")) == []
    await settled(world)

    asked = await only(world, size, Action.REQUEST_MATCH)
    assert_change(asked, Action.REQUEST_MATCH, Outcome.DONE)
    assert asked[0].commitment is not None
    assert asked[0].touched[0].fields == ("emails", "nik", "phones")
    assert asked[0].touched[0].compartments == (Compartment.CONTACT, Compartment.IDENTITY)
    assert asked[0].agencies == ("komnas-ham",)
    looked = await only(world, size, Action.LOOK_UP_MATCH)
    assert_change(looked, Action.LOOK_UP_MATCH, Outcome.DONE)
    assert (looked[0].actor, looked[0].organisation) == (None, "lpsk")
    assert looked[0].agencies == ("komnas-ham", "lpsk")
    assert records(looked[0], RecordKind.DEFENDER) == {person_of(world).id}
    answered = await only(world, size, Action.ANSWER_MATCH)
    assert_change(answered, Action.ANSWER_MATCH, Outcome.DONE)
    assert answered[0].agencies == ("lpsk",)
    assert answered[0].touched[0].fields == ("answer:confirm",)
    assert records(answered[0], RecordKind.DEFENDER) == {UUID(theirs)}
    assert records(answered[0], RecordKind.CASE_FILE) == {UUID(file)}
    linked = await only(world, size, Action.LINK_RECORD)
    assert_change(linked, Action.LINK_RECORD, Outcome.DONE)
    assert records(linked[0], RecordKind.DEFENDER) == {person_of(world).id}
    for event in (*asked, *looked, *answered, *linked):
        assert records(event, RecordKind.MATCH) == {UUID(made)}

    async def seen_by(officer: str) -> int:
        got = await world.ask(
            officer, EVENTS % "record", {"id": made}, face="oversight", purpose="quality_review"
        )
        return len(got.data["accessEvents"]["edges"])

    # The asker's officer: two of each of three, of which `EVENTS` shows five at a time, and the
    # list; the other's sees no request, which is the asker's work.
    assert await seen_by(TUTI) == 5
    assert await seen_by("ketut") == 5


# -- what a thief finds -------------------------------------------------------------------------


async def test_a_stolen_database_opens_no_identifier_and_has_no_tag_in_common(
    world: World,
) -> None:
    person = person_of(world)
    made, _, _ = await matched(world, reasonText="Orang yang sama menurut pendamping.")
    # Before the recipient looks it is sealed to it.
    await requested(world)

    cells = leaks.every_cell(world)

    texts = [person.nik, *person.phones, *person.emails, "Orang yang sama menurut pendamping."]
    assert leaks.found_in(cells, [text for text in texts if text]) == set()
    tags: dict[str, set[bytes]] = {}
    for agency, tag in await world.run("select agency, tag from defender_tag"):
        tags.setdefault(agency, set()).add(bytes(tag))
    assert tags["komnas-ham"].isdisjoint(tags["lpsk"])
    house = house_of(world)
    normal = str(person.nik)
    mine_ = set(await house.keyring.tags_to_find("komnas-ham", "nik", normal))
    theirs = set(await house.keyring.tags_to_find("lpsk", "nik", normal))
    assert mine_ <= tags["komnas-ham"]
    assert theirs <= tags["lpsk"]
    [sent] = [row for row in await stored(world, "match_request") if row["sealed"]]
    [hit] = await stored(world, "match_hit")
    for tag in mine_ | theirs:
        assert tag not in bytes(sent["sealed"])
        assert tag.hex() not in hit["result"]
    # Only the agency for which each was sealed opens it.
    assert ("nik", normal) in open_sent(house, sent)
    found = found_in(house, hit)
    assert found is not None
    assert found.fields == ("nik",)
    with pytest.raises(SealBroken):
        open_sent(house, {**sent, "recipient": "komnas-ham"})
    with pytest.raises(SealBroken):
        open_sent(house, {**sent, "id": UUID(made)})
    assert found_in(house, {**hit, "agency": "komnas-ham"}) is None
    with pytest.raises(KeysUnavailable):
        house.keyring.sharing_key("another-agency")


async def stored(world: World, table: str) -> list[dict[str, Any]]:
    """Give the rows of *table* as casework reads them."""
    key = "id" if table == "match_request" else "request"
    found = []
    async with house_of(world).records.snapshot() as snapshot:
        for (cell,) in await world.run(f"select {key} from {table}"):
            record = cell if isinstance(cell, UUID) else UUID(cell)
            row = (
                await matching.request(snapshot, record)
                if table == "match_request"
                else await matching.hit_of(snapshot, record, "lpsk")
            )
            assert row is not None
            found.append(row)
    return found


# -- rows that were written by hand ---------------------------------------------------------


async def test_a_request_that_its_agency_did_not_sign_finds_nobody(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    made = await requested(world)
    names = ("sealed", "signature", *SIGNED_MATCH_REQUEST)
    columns = ", ".join(names)
    [before] = await world.run(f"select {columns} from match_request")
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2030-01-01 00:00:00.000000'"
    other = next(f for f in led_by(world, "komnas-ham") if f.id != world.records.open_to_sari)
    forged: dict[str, tuple[str, list[Any]]] = {
        "id": ("?", [as_key(world, uuid4())]),
        "asker": ("'komnas-perempuan'", []),
        "recipient": ("'komnas-perempuan'", []),
        "case_file": ("?", [as_key(world, other.id)]),
        "defender": ("?", [as_key(world, other.defenders[0])]),
        "asked_at": (moment, []),
        "purpose": ("'emergency'", []),
        "reason": ("'life_in_danger'", []),
        "until": (moment, []),
        "event": ("event + 1", []),
        "sealed": ("?", [bytes(6_192)]),
        "signature": ("?", [bytes(64)]),
    }
    assert forged.keys() == set(names)
    back = ", ".join(f"{name} = ?" for name in names)
    size = await world.size()
    for column, (said, values) in forged.items():
        await world.run(f"update match_request set {column} = {said}", values)
        with capture_logs() as lines:
            await settled(world)
        told = [line["table"] for line in lines if line["event"] == "seal_broken"]
        assert told == ["match_request"], column
        await world.run(f"update match_request set {back}", list(before))
    assert await only(world, size, Action.LOOK_UP_MATCH) == []
    assert await counted(world, "match_hit") == {"match_hit": 0}

    await settled(world)

    assert [one["id"] for one in await waiting(world)] == [made], "put back, it is what was signed"


async def test_what_was_looked_up_is_not_looked_up_again_when_its_bytes_are_put_back(
    world: World,
) -> None:
    await requested(world)
    [(sealed,)] = await world.run("select sealed from match_request")
    await settled(world)
    await known(world, nik=person_of(world).nik)
    await world.run("update match_request set sealed = ?", [sealed])
    size = await world.size()
    await settled(world)
    assert await only(world, size, Action.LOOK_UP_MATCH) == []
    world.clock.move(OPEN_FOR)
    await settled(world)
    await settled(world)
    assert await only(world, size, Action.LOOK_UP_MATCH) == []


async def test_what_was_found_counts_as_its_agency_sealed_it_and_no_other_way(
    world: World,
) -> None:
    made, _, _ = await matched(world)
    other = await requested(world)
    await settled(world)
    kind = "timestamptz " if world.kind == "postgresql" else ""
    moment = f"{kind}'2030-01-01 00:00:00.000000'"
    key = as_key(world, UUID(made))
    names = (*RIGHTS["match_hit"], "seal")
    [before] = await world.run(f"select {', '.join(names)} from match_hit where request = ?", [key])
    [[theirs]] = await world.run(
        "select result from match_hit where request = ?", [as_key(world, UUID(other))]
    )
    forged: dict[str, tuple[str, list[Any]]] = {
        "request": ("?", [as_key(world, uuid4())]),
        "agency": ("'komnas-perempuan'", []),
        "asker": ("'komnas-perempuan'", []),
        "purpose": ("'emergency'", []),
        "reason": ("'life_in_danger'", []),
        "looked_at": (moment, []),
        "until": (moment, []),
        "result": ("?", [theirs]),
        "event": ("event + 1", []),
        "seal": ("?", [bytes(32)]),
    }
    assert forged.keys() == set(names)
    await world.run("delete from match_hit where request != ?", [key])
    for column, (said, values) in forged.items():
        await world.run(f"update match_hit set {column} = {said}", values)
        assert await waiting(world) == [], column
        assert codes(await answer(world, made, "CONFIRM")) == ["NOT_FOUND"], column
        back = ", ".join(f"{name} = ?" for name in names)
        await world.run(f"update match_hit set {back}", list(before))
    assert await counted(world, "linked_record") == {"linked_record": 0}
    assert codes(await answer(world, made, "CONFIRM")) == []
    await world.run(
        f"update match_hit set {', '.join(f'{name} = ?' for name in names)}", list(before)
    )
    # An answer that was put back is one that was not given, and links nobody anew.
    assert codes(await answer(world, made, "CONFIRM")) == ["MATCH_NOT_OPEN"]
    assert await counted(world, "linked_record") == {"linked_record": 1}


async def test_a_link_that_nobody_confirmed_is_none(world: World) -> None:
    made, _, theirs = await matched(world)
    given = [as_key(world, UUID(made)), "lpsk", "komnas-ham", as_key(world, UUID(theirs))]
    into = (
        "insert into linked_record (request, agency, peer, defender, confirmed_at, confirmation,"
        " event, signature, seal) select ?, ?, ?, ?, looked_at, 1, 1, ?, ? from match_hit"
    )
    await world.run(into, [*given, bytes(64), bytes(32)])
    with capture_logs() as lines:
        await settled(world)
    assert [x["table"] for x in lines if x["event"] == "seal_broken"] == ["linked_record"]
    assert await state(world) == "SENT"
    # Nor one that is written as the asker's own.
    person = as_key(world, person_of(world).id)
    await world.run(into, [given[0], "komnas-ham", "lpsk", person, bytes(64), bytes(32)])
    assert await state(world) == "SENT"


async def test_a_confirmation_that_was_moved_to_another_request_is_none(world: World) -> None:
    made, _, _ = await matched(world)
    other = await requested(world)
    assert codes(await answer(world, made, "CONFIRM")) == []
    await world.run("update linked_record set request = ?", [as_key(world, UUID(other))])
    await settled(world)
    assert {one["state"] for one in await mine(world)} == {"SENT"}


# -- who may ---------------------------------------------------------------------------------


async def test_who_may_not_ask_leaves_one_event_and_no_row(still: World) -> None:
    person = person_of(still)
    for options, code in (
        ({"by": "rizal"}, "NOT_ALLOWED"),
        ({"by": BUDI, "purpose": "supervision"}, "NOT_ALLOWED"),
        ({"purpose": "assessment"}, "NOT_ALLOWED"),
        ({"by": WAYAN}, "NOT_FOUND"),
        ({"by": HASAN, "purpose": "referral"}, "NOT_FOUND"),
        ({"person": NOBODY}, "NOT_FOUND"),
    ):
        size = await still.size()
        assert codes(await request(still, **{"person": person.id, **options})) == [code], options
        [event] = await still.events(size)
        assert (event.action, event.decision) == (Action.REQUEST_MATCH, Decision.REFUSED)
    assert await counted(still, *TABLES) == dict.fromkeys(TABLES, 0)


async def test_what_a_colleague_handed_over_is_not_sent(world: World) -> None:
    await delegated(world, to="rizal", compartments=["IDENTITY", "CONTACT"])
    assert codes(await request(world, by="rizal")) == ["NOT_ALLOWED"]


async def test_nobody_is_asked_but_another_agency_and_for_something(world: World) -> None:
    size = await world.size()
    for to in ("komnas-ham", "lbh-nusantara", "nobody"):
        assert codes(await request(world, to=to)) == ["MATCH_INVALID"], to
    _, nameless = await known(world, by=WAYAN, aliases=["Si Tak Dikenal"])
    answered = await request(world, by=WAYAN, person=nameless, to="komnas-ham")
    assert codes(answered) == ["MATCH_INVALID"]
    events = await only(world, size, Action.REQUEST_MATCH)
    assert [e.outcome for e in events if e.outcome] == [Outcome.NOTHING] * 4
    assert codes(await request(world, reasonText=" ")) == ["VALUE_INVALID"]
    assert await counted(world, *TABLES) == dict.fromkeys(TABLES, 0)


async def test_a_member_and_an_agency_ask_so_often_in_a_day_and_no_more(world: World) -> None:
    async with exchanged(world, lambda _house: {"matches": MatchLimits(2, 3)}) as inside:
        here = inside.world
        for _ in range(2):
            await requested(here)
        assert codes(await request(here)) == ["MATCHES_EXHAUSTED"]
        await requested(here, by=BUDI, purpose="referral")
        assert codes(await request(here, by=BUDI, purpose="referral")) == ["MATCHES_EXHAUSTED"]
        assert await counted(here, "match_request") == {"match_request": 3}
        here.clock.move(timedelta(days=1) - MOMENT)
        assert codes(await request(here)) == ["MATCHES_EXHAUSTED"]
        here.clock.move(MOMENT)
        await requested(here)


async def test_two_at_once_ask_no_more_often_than_one_after_the_other(world: World) -> None:
    async with exchanged(world, lambda _house: {"matches": MatchLimits(1, 50)}) as inside:
        got = await asyncio.gather(*(request(inside.world) for _ in range(3)))
        made = [one for one in got if codes(one) == []]
        assert len(made) <= 1
        assert await counted(world, "match_request") == {"match_request": len(made)}


async def test_an_agency_looks_up_no_more_than_it_would_let_be_asked(world: World) -> None:
    for _ in range(2):
        await requested(world)
    async with exchanged(world, lambda _house: {"matches": MatchLimits(10, 1)}) as inside:
        with capture_logs() as lines:
            await settle_matches(inside.house)
        assert [x["asker"] for x in lines if x["event"] == "matches_over_limit"] == ["komnas-ham"]
        assert await counted(world, "match_hit") == {"match_hit": 1}
        world.clock.move(timedelta(days=1))
        await settle_matches(inside.house)
        assert await counted(world, "match_hit") == {"match_hit": 2}


async def test_who_answers_is_a_liaison_who_may_see_the_case_file(world: World) -> None:
    made, file, _ = await matched(world)
    refused: tuple[tuple[str, str], ...] = (
        (WAYAN, "referral"),
        ("andi", "protection"),
        (HASAN, "supervision"),
    )
    for who, purpose in refused:
        size = await world.size()
        assert codes(await answer(world, made, "CONFIRM", by=who, purpose=purpose)) == [
            "NOT_ALLOWED"
        ], who
        [event] = await world.events(size)
        assert (event.action, event.decision) == (Action.ANSWER_MATCH, Decision.REFUSED)
    for who in (BUDI, "hartono", "endang"):
        assert codes(await answer(world, made, "CONFIRM", by=who)) == ["NOT_FOUND"], who
        assert await waiting(world, by=who) == []
    await declared(world, INDAH, purpose="referral", caseFileId=file, memberId=id_of(world, HASAN))
    assert await waiting(world) == []
    assert codes(await answer(world, made, "CONFIRM")) == ["NOT_FOUND"]
    assert len(await waiting(world, by=INDAH)) == 1
    assert codes(await answer(world, made, "CONFIRM", by=INDAH)) == []


async def test_what_is_not_found_is_not_there_for_the_liaison_either(world: World) -> None:
    unknown = await requested(world)
    await settled(world)
    assert await waiting(world) == []
    for match in (unknown, NOBODY):
        assert codes(await answer(world, match, "CONFIRM")) == ["NOT_FOUND"]


async def test_of_several_answers_at_once_one_counts(world: World) -> None:
    made, _, _ = await matched(world)
    got = await asyncio.gather(*(answer(world, made, "CONFIRM") for _ in range(4)))
    assert sum(codes(one) == [] for one in got) == 1
    assert await counted(world, "linked_record") == {"linked_record": 1}


# -- its time, and its end -------------------------------------------------------------------


async def test_nothing_is_left_when_its_time_is_over(world: World) -> None:
    made, _, _ = await matched(world)
    world.clock.move(OPEN_FOR - MOMENT)
    assert len(await waiting(world)) == len(await mine(world)) == 1
    world.clock.move(MOMENT)
    assert await waiting(world) == await mine(world) == []
    assert codes(await answer(world, made, "CONFIRM")) == ["MATCH_NOT_OPEN"]
    await settled(world)
    assert await counted(world, *TABLES) == {
        "match_request": 1,
        "match_hit": 0,
        "linked_record": 0,
    }
    assert codes(await answer(world, made, "CONFIRM")) == ["NOT_FOUND"]
    world.clock.move(timedelta(days=1))
    await settled(world)
    assert await counted(world, *TABLES) == dict.fromkeys(TABLES, 0)


async def test_what_is_over_before_it_was_looked_up_is_not_looked_up(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    await requested(world)
    world.clock.move(OPEN_FOR)
    size = await world.size()
    await settled(world)
    assert await only(world, size, Action.LOOK_UP_MATCH) == []


async def test_a_request_goes_with_the_person_who_is_erased(world: World) -> None:
    made, _, _ = await matched(world)
    assert codes(await answer(world, made, "CONFIRM")) == []
    await settled(world)
    person = person_of(world).id
    asked = await erasing.request(world, erasing.DEFENDER, person)
    erasure = asked.data["requestErasure"]["erasureId"]

    ended = await erasing.end(world, erasing.APPROVE, erasing.DEFENDER, person, erasure)

    assert codes(ended) == []
    assert await counted(world, "match_request") == {"match_request": 0}
    [[left]] = await world.run("select agency from linked_record")
    assert left == "lpsk"
    await settled(world)
    assert (await counted(world, "linked_record")) == {"linked_record": 1}


async def test_who_no_longer_sees_the_case_file_is_told_nothing_of_the_request(
    world: World,
) -> None:
    await requested(world)
    assert len(await mine(world)) == 1
    await declared(world)
    assert await mine(world) == []
    assert await mine(world, by=BUDI, purpose="referral") == []


async def test_a_process_that_lacks_trust_finds_and_tells_nothing(world: World) -> None:
    await known(world, nik=person_of(world).nik)
    await requested(world)
    await world.run("delete from trusted_key where owner = 'lpsk' and peer = 'komnas-ham'")
    with capture_logs() as lines:
        await settled(world)
    assert [x["code"] for x in lines if x["event"] == "match_not_settled"] == ["PEER_NOT_TRUSTED"]
    assert await counted(world, "match_hit") == {"match_hit": 0}
    await world.run("delete from trusted_key where owner = 'komnas-ham' and peer = 'lpsk'")
    assert codes(await request(world)) == ["PEER_NOT_TRUSTED"]


async def test_the_list_of_what_waits_names_its_records_in_one_event(world: World) -> None:
    made, file, theirs = await matched(world)
    size = await world.size()
    await waiting(world)
    [event] = await world.events(size)
    assert (event.action, event.decision) == (Action.LIST, Decision.DISCLOSED)
    assert event.agencies == ("lpsk",)
    assert records(event, RecordKind.MATCH) == {UUID(made)}
    assert records(event, RecordKind.DEFENDER) == {UUID(theirs)}
    assert records(event, RecordKind.CASE_FILE) == {UUID(file)}
