"""Who is tied to the reported adversary has no such case file, whatever else grants."""

from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import BUDI, RATNA, SARI, WAYAN
from api.store import erasing
from api.vocabulary import Action, Decision, Outcome, Reason, RecordKind
from tests.inside import exchanged
from tests.scenarios import sharing
from tests.scenarios.asking import (
    NOBODY,
    as_key,
    assert_change,
    counted,
    first_defender,
    reasons,
    records,
    without_request,
)
from tests.scenarios.attaching import added, download, pdf, upload
from tests.scenarios.referring import (
    END,
    HARTONO,
    HASAN,
    INDAH,
    READ,
    accepted,
    assign,
    codes,
    say,
)
from tests.scenarios.test_assignments import ASSIGN
from tests.scenarios.test_intake import INPUT, OPEN
from tests.scenarios.tying import DECLARE, declare, declared, id_of, withdraw
from tests.world import Answer, World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

LIST = "{ caseFiles(first: 100) { edges { node { id } } } }"
RIZAL = "rizal"  # a case officer of Komnas HAM, not assigned to what is open to Sari
DEWI = "dewi"  # an intake officer there

FIND = """query ($value: String!) { findDefenders(by: NAME, value: $value, first: 20) {
  defender { id } caseFiles { id } } }"""
DEFENDER = "query ($id: ID!) { defender(id: $id) { id fullName } }"
NOTE = """mutation ($id: ID!) { addNote(input: {caseFileId: $id, body: "Catatan."}) {
  noteId errors { code } } }"""
UPDATE = """mutation ($id: ID!) { updateDefender(input: {id: $id, revision: 1, gender: "x"}) {
  revision errors { code } } }"""


async def read(world: World, subject: str, file: object = None, **options: Any) -> Answer:
    asked = {"id": str(file or world.records.open_to_sari)}
    return await world.ask(subject, READ, asked, **options)


async def listed(world: World, subject: str, **options: Any) -> set[str]:
    answer = await world.ask(subject, LIST, **options)
    return {edge["node"]["id"] for edge in answer.data["caseFiles"]["edges"]}


async def gone(world: World, subject: str, file: object = None, **options: Any) -> None:
    """Claim that *subject* is answered as if there were no such case file."""
    size = await world.size()
    answer = await read(world, subject, file, **options)
    [event] = await world.events(size)
    nothing = await read(world, subject, NOBODY, **options)

    assert answer.codes == ["NOT_FOUND"]
    assert without_request(answer) == without_request(nothing)
    assert reasons(event) == {Reason.CONFLICT_OF_INTEREST.value}
    assert (event.decision, event.actor) == (Decision.WITHHELD, world.records.member(subject).id)
    assert str(file or world.records.open_to_sari) not in await listed(world, subject, **options)


async def there(world: World, subject: str, file: object = None, **options: Any) -> None:
    answer = await read(world, subject, file, **options)
    assert answer.data["caseFile"]["reference"]
    assert str(file or world.records.open_to_sari) in await listed(world, subject, **options)


async def test_who_declares_a_tie_has_no_such_case_file_any_more(world: World) -> None:
    file = world.records.open_to_sari
    person = first_defender(world, file)
    attachment = await added(world, SARI, file, pdf(99))
    before, size = await listed(world, SARI), await world.size()

    tie = await declared(world)

    events = await world.events(size)
    assert_change(events, Action.DECLARE_TIE, Outcome.DONE)
    assert len(events) == 2
    assert records(events[0], RecordKind.TIE) == {tie}
    assert records(events[0], RecordKind.CASE_FILE) == {file}
    await gone(world, SARI)
    assert await listed(world, SARI) == before - {str(file)}
    found = await world.ask(SARI, FIND, {"value": person.full_name})
    shown = [hit["caseFiles"] for hit in found.data["findDefenders"]]
    assert str(file) not in {f["id"] for files in shown for f in files}
    for query, record in ((DEFENDER, person.id),):
        assert (await world.ask(SARI, query, {"id": str(record)})).codes == ["NOT_FOUND"]
    for query, record in ((NOTE, file), (UPDATE, person.id)):
        size = await world.size()
        assert codes(await world.ask(SARI, query, {"id": str(record)})) == ["NOT_FOUND"]
        [event] = await world.events(size)
        assert reasons(event) == {Reason.CONFLICT_OF_INTEREST.value}
    assert codes(await declare(world)) == ["NOT_FOUND"]
    size = await world.size()
    assert (await download(world, SARI, attachment)).status_code == 404
    [event] = await world.events(size)
    assert reasons(event) == {Reason.CONFLICT_OF_INTEREST.value}
    assert (await upload(world, SARI, file, pdf(99))).status_code == 404


async def test_others_see_the_case_file_as_before(world: World) -> None:
    before = (await read(world, BUDI, purpose="supervision")).body

    await declared(world)

    assert (await read(world, BUDI, purpose="supervision")).body == before
    await there(world, RIZAL)
    assert len(await listed(world, SARI)) == len(await listed(world, RIZAL)) - 1


async def test_a_tie_outweighs_supervision_and_assignment(world: World) -> None:
    await declared(world, memberId=id_of(world, BUDI))
    await gone(world, BUDI, purpose="supervision")
    await gone(world, BUDI, purpose="emergency")
    await there(world, SARI)


async def test_who_is_tied_cannot_be_assigned_and_nobody_is_told_why(world: World) -> None:
    await declared(world, memberId=id_of(world, RIZAL))
    given = {
        "caseFileId": str(world.records.open_to_sari),
        "memberId": id_of(world, RIZAL),
        "until": "2026-12-01T00:00:00Z",
    }
    before = await counted(world, "assignment")

    answer = await world.ask(BUDI, ASSIGN, {"input": given}, purpose="supervision")
    wrong = {**given, "memberId": NOBODY}
    nobody = await world.ask(BUDI, ASSIGN, {"input": wrong}, purpose="supervision")

    assert codes(answer) == ["ASSIGNEE_INVALID"]
    assert answer.data == nobody.data
    assert await counted(world, "assignment") == before
    await gone(world, RIZAL)


async def test_a_tie_outweighs_a_referral_in_the_agency_that_declares_it(world: World) -> None:
    await accepted(world)
    await there(world, WAYAN)

    tie = await declared(world, WAYAN)

    await gone(world, WAYAN)
    await there(world, HASAN, purpose="supervision")
    await there(world, SARI)
    assert codes(await assign(world)) == ["ASSIGNEE_INVALID"]
    assert codes(await withdraw(world, tie)) == ["NOT_FOUND"]  # By the lead of another agency.
    assert codes(await withdraw(world, tie, by=INDAH)) == []
    await there(world, WAYAN)


@pytest.mark.parametrize("declared_first", [True, False])
async def test_an_institution_is_the_same_in_another_spelling(
    world: World, declared_first: bool
) -> None:
    async def tied() -> UUID:
        return await declared(
            world, kind="SAME_INSTITUTION", institution="p.t. sawit   MAKMUR, Tbk."
        )

    async def opened() -> str:
        names = ["PT Sawit Makmur", "Kepolisian Resor Contoh"]
        given = {**INPUT, "adversaryInstitutions": names}
        answer = await world.ask(DEWI, OPEN, {"input": given}, purpose="intake")
        assert codes(answer) == []
        file: str = answer.data["openCaseFile"]["caseFileId"]
        return file

    if declared_first:
        tie = await tied()
        file = await opened()
    else:
        file = await opened()
        await there(world, SARI, file)
        tie = await tied()

    await gone(world, SARI, file)
    await there(world, RIZAL, file)
    await there(world, SARI)  # Where it is not reported.
    assert codes(await withdraw(world, tie)) == []
    await there(world, SARI, file)


async def test_a_name_is_kept_sealed_and_as_a_tag_only(world: World) -> None:
    given = {**INPUT, "adversaryInstitutions": ["PT Sawit Makmur", "PT Sawit Makmur"]}
    answer = await world.ask(DEWI, OPEN, {"input": given}, purpose="intake")
    file = answer.data["openCaseFile"]["caseFileId"]
    await declared(world, kind="BUSINESS", institution="Sawit Makmur")
    given = {"caseFileId": file, "memberId": id_of(world, RIZAL), "until": "2026-12-01T00:00:00Z"}
    await world.ask(BUDI, ASSIGN, {"input": given}, purpose="supervision")
    query = """query ($id: ID!) { caseFile(id: $id) {
      adversaryInstitutions withheld { field reason } } }"""

    size = await world.size()
    opened = await world.ask(RIZAL, query, {"id": file})
    taken_in = await world.ask(DEWI, query, {"id": file}, purpose="intake")

    assert opened.data["caseFile"]["adversaryInstitutions"] == ["PT Sawit Makmur"]
    assert taken_in.data["caseFile"]["withheld"] == [
        {"field": "adversaryInstitutions", "reason": "COMPARTMENT_NOT_HELD"}
    ]
    assert "sawit" not in repr(await world.events(0)).lower()
    assert (await world.events(size))[0].decision is Decision.DISCLOSED
    rows = await world.run("select * from tie") + await world.run("select * from adversary_tag")
    assert "sawit" not in repr(rows).lower()
    assert (await counted(world, "adversary_tag")) == {"adversary_tag": 1}


async def test_the_lead_takes_a_tie_back_and_never_one_of_their_own(world: World) -> None:
    tie = await declared(world)
    size = await world.size()

    assert codes(await withdraw(world, tie, by=SARI)) == ["NOT_ALLOWED"]
    assert codes(await withdraw(world, tie, by=BUDI)) == ["NOT_ALLOWED"]
    assert codes(await withdraw(world, tie, by=INDAH)) == ["NOT_FOUND"]
    await gone(world, SARI)
    events = await world.events(size)
    assert [e.decision for e in events[:2]] == [Decision.REFUSED] * 2

    size = await world.size()
    assert codes(await withdraw(world, tie)) == []
    assert_change(await world.events(size), Action.WITHDRAW_TIE, Outcome.DONE)
    await there(world, SARI)
    assert codes(await withdraw(world, tie)) == ["NOT_FOUND"]

    own = await declared(world, HARTONO, purpose="supervision")
    assert codes(await withdraw(world, own)) == ["SECOND_PERSON_NEEDED"]
    await gone(world, HARTONO, purpose="supervision")


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"memberId": NOBODY}, "NOT_FOUND"),
        ({"caseFileId": NOBODY}, "NOT_FOUND"),
        ({"caseFileId": None}, "VALUE_INVALID"),
        ({"institution": "PT Sawit"}, "VALUE_INVALID"),
        ({"caseFileId": None, "institution": " .,"}, "VALUE_INVALID"),
        ({"caseFileId": None, "institution": "x" * 201}, "VALUE_INVALID"),
        ({"partner": "nobody"}, "VALUE_INVALID"),
        ({"partner": "lpsk"}, "VALUE_INVALID"),
        ({"partner": "lbh-nusantara", "memberId": NOBODY}, "VALUE_INVALID"),
    ],
)
async def test_what_names_nothing_declares_nothing(
    world: World, given: dict[str, Any], code: str
) -> None:
    whole = {"kind": "FAMILY", "caseFileId": str(world.records.open_to_sari), **given}

    answer = await world.ask(SARI, DECLARE, {"input": whole})

    assert codes(answer) == [code]
    assert await counted(world, "tie") == {"tie": 0}


async def test_a_colleague_of_another_agency_is_answered_as_nobody(world: World) -> None:
    for who in (WAYAN, RATNA, "tuti"):
        assert codes(await declare(world, memberId=id_of(world, who))) == ["NOT_FOUND"]
    assert await counted(world, "tie") == {"tie": 0}


# -- partners -------------------------------------------------------------------------

RELEASES = "{ releases(first: 100) { edges { node { id agency } } } }"
RELEASE = "query ($id: ID!) { release(id: $id) { id content { summary } } }"


async def received(world: World, subject: str = RATNA) -> set[str]:
    answer = await world.ask(subject, RELEASES, face="partner", purpose="referral")
    return {edge["node"]["id"] for edge in answer.data["releases"]["edges"]}


async def test_a_partner_who_is_tied_has_no_release_of_that_case_file(world: World) -> None:
    before = await received(world)
    release = next(
        r
        for r in world.records.releases
        if str(r.id) in before and r.agency == "komnas-ham" and r.partner == "lbh-nusantara"
    )

    tie = await declared(world, partner=release.partner, caseFileId=str(release.case_file))

    of_it = {str(r.id) for r in world.records.releases if r.case_file == release.case_file}
    assert await received(world) == before - of_it
    asked = {"id": str(release.id)}
    answer = await world.ask(RATNA, RELEASE, asked, face="partner", purpose="referral")
    assert answer.codes == ["NOT_FOUND"]
    assert codes(await withdraw(world, tie)) == []
    assert await received(world) == before


async def test_a_tie_of_another_agency_closes_none_of_its_releases(world: World) -> None:
    before = await received(world)
    await declared(world, WAYAN, partner="lbh-nusantara", institution="PT Sawit")
    assert await received(world) == before


# -- rows that were written by hand ---------------------------------------------------


@pytest.mark.parametrize(
    "forgery",
    [
        "withdrawn_at = declared_at, withdrawn_by = declared_by",
        "case_file = null",
        "kind = 'business'",
        "event = event + 1",
        "agency = 'lpsk'",
        "tag = 'ff'",
    ],
)
async def test_a_tie_that_was_changed_by_hand_keeps_out_all_the_more(
    world: World, forgery: str
) -> None:
    tie = await declared(world)
    await world.run(f"update tie set {forgery} where id = ?", [as_key(world, tie)])

    answer = await read(world, SARI)

    assert answer.codes == ["NOT_FOUND"]
    assert await listed(world, SARI) == set()
    assert codes(await world.ask(SARI, NOTE, {"id": str(world.records.open_to_sari)})) == [
        "NOT_FOUND"
    ]
    await there(world, RIZAL)


async def test_a_tie_that_was_moved_to_another_case_file_keeps_out_of_both(world: World) -> None:
    tie = await declared(world)
    other = as_key(world, world.records.closed_to_sari)
    await world.run("update tie set case_file = ? where id = ?", [other, as_key(world, tie)])

    for file in (world.records.open_to_sari, world.records.closed_to_sari):
        assert (await read(world, SARI, file)).codes == ["NOT_FOUND"]


async def test_the_lead_ends_a_tie_that_was_changed_by_hand(world: World) -> None:
    tie = await declared(world)
    await world.run("update tie set event = event + 1 where id = ?", [as_key(world, tie)])
    assert await listed(world, SARI) == set()

    assert codes(await withdraw(world, tie)) == []

    await there(world, SARI)


async def test_a_tie_that_was_inserted_by_hand_keeps_out(world: World) -> None:
    tie = await declared(world)
    rizal = as_key(world, UUID(id_of(world, RIZAL)))
    columns = "agency, kind, case_file, declared_by, declared_at, event, seal"
    await world.run(
        f"insert into tie (id, member, {columns}) select ?, ?, {columns} from tie where id = ?",
        [as_key(world, UUID(NOBODY)), rizal, as_key(world, tie)],
    )

    assert (await read(world, RIZAL)).codes == ["NOT_FOUND"]


@pytest.mark.parametrize("column", ["declared_at", "event", "kind", "seal", "tag"])
@pytest.mark.parametrize("value", ["'nonsense'", "x'00ff'", "1.5"])
async def test_whatever_is_written_into_a_tie_it_keeps_out(
    world: World, column: str, value: str
) -> None:
    if world.kind == "postgresql":
        pytest.skip("PostgreSQL takes no value of another type")
    tie = await declared(world)
    await world.run(f"update tie set {column} = {value} where id = ?", [as_key(world, tie)])

    answer = await read(world, SARI)

    assert answer.status in (200, 503)
    assert "reference" not in answer.text
    assert (answer.body["data"] or {}).get("caseFile") is None
    await there(world, RIZAL)


# -- what else knows of ties ----------------------------------------------------------


async def test_who_is_tied_is_not_among_those_who_could_see(world: World) -> None:
    person = first_defender(world, world.records.open_to_sari)
    query = "query ($id: ID!) { whoCanSee(defenderId: $id, first: 100) { members { member } } }"

    async def could(who: str, **options: Any) -> set[str]:
        answer = await world.ask(who, query, {"id": str(person.id)}, **options)
        return {one["member"] for one in answer.data["whoCanSee"]["members"]}

    budi = await could(BUDI, purpose="supervision")
    tuti = await could("tuti", purpose="quality_review", face="oversight")
    await declared(world)

    assert await could(BUDI, purpose="supervision") == budi - {id_of(world, SARI)} < budi
    assert await could("tuti", purpose="quality_review", face="oversight") == (
        tuti - {id_of(world, SARI)}
    )


async def test_who_is_tied_has_no_part_in_a_referral_of_that_case_file(world: World) -> None:
    referral = await accepted(world)
    query = "{ referrals { id } }"
    before = await world.ask(HASAN, query, purpose="referral")
    assert [one["id"] for one in before.data["referrals"]] == [referral]

    await declared(world, HASAN)

    after = await world.ask(HASAN, query, purpose="referral")
    assert after.data["referrals"] == []
    size = await world.size()
    assert codes(await say(world, END, referral)) == ["NOT_FOUND"]
    [event] = await world.events(size)
    assert reasons(event) == {Reason.CONFLICT_OF_INTEREST.value}
    assert codes(await say(world, END, referral, by=INDAH)) == []


async def test_what_waits_to_be_erased_is_not_there_for_who_is_tied(world: World) -> None:
    given = {
        "kind": "CASE_FILE",
        "recordId": str(world.records.open_to_sari),
        "reason": "PURPOSE_ENDED",
    }
    request = """mutation ($input: RequestErasureInput!) {
      requestErasure(input: $input) { erasureId errors { code } } }"""
    asked = await world.ask(BUDI, request, {"input": given}, purpose="supervision")
    assert codes(asked) == []
    query = "{ erasures { erasures { id } } }"
    before = await world.ask(HARTONO, query, purpose="supervision")
    assert len(before.data["erasures"]["erasures"]) == 1

    await declared(world, BUDI, memberId=id_of(world, HARTONO))

    after = await world.ask(HARTONO, query, purpose="supervision")
    assert after.data["erasures"]["erasures"] == []
    assert (await world.ask(BUDI, query, purpose="supervision")).data == before.data


async def test_a_release_of_an_erased_case_file_stays_closed(world: World) -> None:
    there_now = await received(world)
    release = next(
        r
        for r in world.records.releases
        if str(r.id) in there_now and r.agency == "komnas-ham" and r.partner == "lbh-nusantara"
    )
    tie = await declared(world, partner=release.partner, caseFileId=str(release.case_file))
    async with exchanged(world) as inside, inside.house.records.change() as change:
        await erasing.take(change, RecordKind.CASE_FILE, release.case_file, world.clock())

    await withdraw(world, tie)

    assert str(release.id) not in await received(world)


async def test_an_erasure_takes_the_tags_of_a_case_file(world: World) -> None:
    given = {**INPUT, "adversaryInstitutions": ["PT Sawit Makmur", "Polres Contoh"]}
    opened = await world.ask(DEWI, OPEN, {"input": given}, purpose="intake")
    file = UUID(opened.data["openCaseFile"]["caseFileId"])
    assert await counted(world, "adversary_tag") == {"adversary_tag": 2}
    now = world.clock()

    async with exchanged(world) as inside, inside.house.records.change() as change:
        await erasing.take(change, RecordKind.CASE_FILE, file, now)

    assert await counted(world, "adversary_tag") == {"adversary_tag": 0}
