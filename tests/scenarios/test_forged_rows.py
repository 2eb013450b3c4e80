"""Whoever writes rows by hand, with every right on the database, gets nobody an opening.

Each test edits the records as their owner could with SQL, then asks. A forged row
counts for nothing, the others answer as before, and no request ends in a 500.
"""

import json
import sqlite3
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID, uuid4

import pytest

from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, WAYAN
from api.store.tables import METADATA
from api.vocabulary import Decision, Reason, Role
from tests.inside import Inside, exchanged
from tests.world import Answer, World

pytestmark = pytest.mark.long

READ = """query ($id: ID!) { caseFile(id: $id) {
  id reference sensitivity account sexualViolenceForms
  defenders { id fullName aliases nik familyCard dateOfBirth gender nationality sealedCategories
    phones emails homeAddress withheld { field reason } }
  notes { id body } withheld { field reason } } }"""
LIST = """{ caseFiles(first: 100) { pageInfo { hasNextPage } edges { node {
  id reference openedOn respondBy incidentKinds withheld { reason }
  defenders { id categories fullName phones withheld { reason } } } } } }"""
RELEASES = """{ releases(first: 100) { edges { node {
  id until content { summary } } } } }"""

TABLES = METADATA.tables

BROKEN = Reason.SEAL_BROKEN.name


@pytest.fixture
async def inside(world: World) -> AsyncIterator[Inside]:
    """Serve the world with a keyring that remembers what it opened."""
    async with exchanged(world) as inside:
        yield inside


def key(world: World, value: object) -> Any:
    """Give an id as the database holds it."""
    return UUID(str(value)) if world.kind == "postgresql" else UUID(str(value)).hex


async def read(inside: Inside, subject: str, record: object, **options: Any) -> Answer:
    answer = await inside.world.ask(subject, READ, {"id": str(record)}, **options)
    assert answer.status == 200
    assert "INTERNAL" not in answer.codes
    return answer


async def listed(inside: Inside, subject: str = SARI) -> dict[str, Any]:
    """List all case files: id -> node; none may be missing without a word in the log."""
    answer = await inside.world.ask(subject, LIST)
    return {edge["node"]["id"]: edge["node"] for edge in answer.data["caseFiles"]["edges"]}


def nothing_of(answer: Answer, inside: Inside, record: object) -> None:
    """Assert that of *record* nothing was opened, and that no name stands in the answer."""
    assert UUID(str(record)) not in {record for record, _ in inside.keyring.opened}
    for defender in inside.world.records.defenders:
        assert defender.full_name not in answer.text


async def closed(inside: Inside, subject: str = SARI) -> None:
    """Assert that *subject* opens nothing of the case file to which she is not assigned."""
    record = inside.world.records.closed_to_sari
    inside.keyring.opened.clear()
    answer = await read(inside, subject, record)
    nothing_of(answer, inside, record)
    assert inside.keyring.opened == []


async def others_answer(inside: Inside, before: dict[str, Any], but: set[str]) -> None:
    """Assert that the page has all rows as before, apart from those that were forged."""
    after = await listed(inside)
    assert {i: n for i, n in after.items() if i not in but} == {
        i: n for i, n in before.items() if i not in but
    }


# -- assignments ----------------------------------------------------------------------


async def test_an_assignment_that_was_inserted_by_hand_opens_nothing(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    before = await listed(inside)
    sari = records.member(SARI)
    [(starts, ends, event, sealed)] = await world.run(
        "select starts_at, ends_at, event, seal from assignment where case_file = ?",
        [key(world, records.open_to_sari)],
    )
    for seal in (b"", b"\x00" * 32, sealed):
        ids = [key(world, i) for i in (uuid4(), records.closed_to_sari, sari.id)]
        await world.run(
            "insert into assignment (id, case_file, member, starts_at, ends_at, event, seal)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            [*ids, starts, ends, event, seal],
        )

    await closed(inside)
    await others_answer(inside, before, set())


@pytest.mark.parametrize(
    "forgery",
    [
        "member = ?",
        "member = ?, assigned_by = null",
        "member = ?, event = 0",
    ],
)
async def test_an_assignment_of_somebody_else_cannot_be_made_hers(
    inside: Inside, forgery: str
) -> None:
    world, records = inside.world, inside.world.records
    await world.run(
        f"update assignment set {forgery} where case_file = ?",
        [key(world, records.member(SARI).id), key(world, records.closed_to_sari)],
    )

    await closed(inside)
    await closed(inside, "rizal")


async def test_her_own_assignment_cannot_be_moved_to_another_case_file(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    await world.run(
        "update assignment set case_file = ? where case_file = ?",
        [key(world, records.closed_to_sari), key(world, records.open_to_sari)],
    )

    await closed(inside)


async def test_an_assignment_that_has_ended_cannot_be_brought_back(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    end = """mutation ($id: ID!, $who: ID!) { unassignCaseworker(
      input: {caseFileId: $id, memberId: $who}) { errors { code } } }"""
    record = records.open_to_sari
    answer = await world.ask(BUDI, end, {"id": str(record), "who": str(records.member(SARI).id)})
    assert answer.data["unassignCaseworker"]["errors"] == []

    await world.run(
        "update assignment set ended_at = null where case_file = ?", [key(world, record)]
    )
    inside.keyring.opened.clear()
    answer = await read(inside, SARI, record)

    nothing_of(answer, inside, record)


async def test_forged_assignments_give_a_supervisor_no_ground(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    await world.run("update assignment set seal = ?", [b"\x00" * 32])

    inside.keyring.opened.clear()
    answer = await read(inside, BUDI, records.open_to_sari, purpose="supervision")

    nothing_of(answer, inside, records.open_to_sari)


# -- members --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "forgery",
    [
        "role = 'supervisor'",
        "role = 'agency_lead'",
        "role = 'nonsense'",
        "clearance = 4",
        "clearance = 99",
        "trained = 1 - trained",
        "event = event + 1",
        "seal = (select seal from member where subject = 'rizal')",
        "disabled_at = '2020-01-01 00:00:00'",
    ],
)
async def test_a_member_that_was_edited_by_hand_may_do_nothing(
    inside: Inside, forgery: str
) -> None:
    world = inside.world
    await world.run(f"update member set {forgery} where subject = '{SARI}'")
    size = await world.size()

    answer = await world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])
    assert inside.keyring.opened == []
    [event] = await world.events(size)
    assert (event.decision, event.code, event.actor) == (
        Decision.REFUSED,
        "NOT_FOR_THIS_FACE",
        None,
    )
    assert (await world.ask("rizal", LIST)).status == 200


async def test_a_disabled_member_cannot_be_enabled_by_hand(inside: Inside) -> None:
    world = inside.world
    await world.run(f"update member set disabled_at = '2020-01-01 00:00:00' where subject='{SARI}'")
    await world.run(f"update member set disabled_at = null, event = 0 where subject = '{SARI}'")

    answer = await world.ask(SARI, LIST)

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


async def test_two_members_cannot_change_their_names_for_each_other(inside: Inside) -> None:
    world = inside.world
    await world.run(f"update member set subject = 'nobody' where subject = '{SARI}'")
    await world.run(f"update member set subject = '{SARI}' where subject = 'rizal'")
    await world.run("update member set subject = 'rizal' where subject = 'nobody'")

    for subject in (SARI, "rizal"):
        answer = await world.ask(subject, LIST)
        assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


async def test_a_member_who_was_inserted_by_hand_is_nobody(inside: Inside) -> None:
    world = inside.world
    await world.run(f"update member set subject = 'gone' where subject = '{SARI}'")
    await world.run(
        "insert into member"
        " (id, organisation, subject, role, clearance, trained, disabled_at, event, seal)"
        f" values (?, 'komnas-ham', '{SARI}', 'agency_lead', 4, 1, null, 1,"
        " (select seal from member where subject = 'gone'))",
        [key(world, uuid4())],
    )

    assert (await world.ask(SARI, LIST)).codes == ["NOT_FOR_THIS_FACE"]


async def test_an_officer_made_by_hand_sees_no_event(inside: Inside) -> None:
    world = inside.world
    role = Role.SECURITY_OFFICER.value
    await world.run(f"update member set role = '{role}' where subject = '{SARI}'")

    answer = await world.ask(
        SARI, "{ accessEvents(first: 1) { edges { cursor } } }", face="oversight"
    )

    assert (answer.status, answer.codes) == (403, ["NOT_FOR_THIS_FACE"])


# -- case files and who is in them ------------------------------------------------------


@pytest.mark.parametrize(
    "forgery",
    [
        "sensitivity = case sensitivity when 1 then 2 else 1 end",
        "sensitivity = 99",
        "event = event + 1",
        "lead_agency = 'lpsk'",
    ],
)
async def test_a_case_file_that_was_edited_by_hand_is_shown_to_nobody(
    inside: Inside, forgery: str
) -> None:
    world, record = inside.world, inside.world.records.open_to_sari
    before = await listed(inside)
    await world.run(f"update case_file set {forgery} where id = ?", [key(world, record)])
    inside.keyring.opened.clear()

    for subject in (SARI, BUDI, WAYAN):
        answer = await read(inside, subject, record)
        assert answer.codes == ["NOT_FOUND"]
        nothing_of(answer, inside, record)
    await others_answer(inside, before, {str(record)})
    assert str(record) not in await listed(inside)


async def test_a_row_that_was_forged_does_not_end_the_list(inside: Inside) -> None:
    world = inside.world
    query = """query ($after: String) { caseFiles(first: 3, after: $after) {
      pageInfo { hasNextPage endCursor } edges { node { id } } } }"""
    before = list(await listed(inside))
    for forged in (before[1], before[2], before[4], before[6]):
        await world.run("update case_file set event = 0 where id = ?", [key(world, forged)])

    found: list[str] = []
    after = None
    while True:
        page = (await world.ask(SARI, query, {"after": after})).data["caseFiles"]
        found += [edge["node"]["id"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]

    forged = {before[1], before[2], before[4], before[6]}
    assert found == [i for i in before if i not in forged]


async def test_a_defender_that_was_moved_into_her_case_file_is_not_shown(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    before = await listed(inside)
    mine, other = key(world, records.open_to_sari), key(world, records.closed_to_sari)
    [(defender,)] = await world.run(
        "select defender from case_file_defender where case_file = ? and position = 0", [other]
    )
    await world.run(
        "insert into case_file_defender (case_file, defender, position, event, seal)"
        " values (?, ?, 5, 1, (select seal from case_file_defender where case_file = ?"
        " and position = 0))",
        [mine, defender, other],
    )
    inside.keyring.opened.clear()
    size = await world.size()

    answer = await read(inside, SARI, records.open_to_sari)

    shown = answer.data["caseFile"]["defenders"]
    assert UUID(str(defender)) not in {UUID(d["id"]) for d in shown}
    assert shown[0]["fullName"] == "Mochammad Joesoef Hidayat"
    assert UUID(str(defender)) not in {record for record, _ in inside.keyring.opened}
    [event] = await world.events(size)
    assert [t.reason for t in event.touched if t.reason is Reason.SEAL_BROKEN]
    direct = await world.ask(
        SARI,
        "query ($id: ID!) { defender(id: $id) { fullName nik withheld { field } } }",
        {"id": str(UUID(str(defender)))},
    )
    assert direct.data["defender"]["fullName"] is None
    await others_answer(inside, before, set())


async def test_a_link_that_was_moved_shows_the_defender_nowhere(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    await world.run(
        "update case_file_defender set case_file = ?, position = position + 5 where case_file = ?",
        [key(world, records.open_to_sari), key(world, records.closed_to_sari)],
    )

    answer = await read(inside, SARI, records.open_to_sari)

    assert len(answer.data["caseFile"]["defenders"]) == len(
        next(f for f in records.case_files if f.id == records.open_to_sari).defenders
    )


# -- releases -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("forgery", "which"),
    [
        ("partner = 'lbh-nusantara'", "partner <> 'lbh-nusantara'"),
        ("until = '2029-01-01 00:00:00'", "partner = 'lbh-nusantara'"),
        ("revoked_at = null", "partner <> 'lbh-nusantara'"),
        ("revoked_at = '2020-01-01 00:00:00'", "partner = 'lbh-nusantara'"),
        ("purpose = 'supervision'", "true"),
        ("profile = 'full'", "true"),
    ],
)
async def test_a_release_that_was_edited_by_hand_is_shown_to_nobody(
    inside: Inside, forgery: str, which: str
) -> None:
    world = inside.world
    ids = [row[0] for row in await world.run(f"select id from release where {which}")]
    intact = [
        row[0]
        for row in await world.run(
            "select id from release where partner = 'lbh-nusantara' and until > ?",
            [world.clock() if world.kind == "postgresql" else world.clock().isoformat(" ")[:19]],
        )
        if row[0] not in ids
    ]
    changed = "revoked_at is not null" if forgery == "revoked_at = null" else which
    await world.run(f"update release set {forgery} where {changed}")
    inside.keyring.opened.clear()

    for subject in (RATNA, "bagas"):
        answer = await world.ask(subject, RELEASES, face="partner", purpose="referral")
        assert answer.status == 200
        shown = {UUID(e["node"]["id"]) for e in answer.data["releases"]["edges"]}
        if forgery == "revoked_at = null":
            revoked = {r.id for r in world.records.releases if r.revoked_at is not None}
            assert not shown & revoked
            assert not revoked & {record for record, _ in inside.keyring.opened}
        else:
            assert not shown & {UUID(str(i)) for i in ids}
        if subject == RATNA:
            assert shown >= {UUID(str(i)) for i in intact}


async def test_a_release_body_that_was_swapped_does_not_open(inside: Inside) -> None:
    world, releases = inside.world, inside.world.records.releases
    mine = next(r for r in releases if r.partner == "lbh-nusantara" and r.until > world.clock())
    other = next(r for r in releases if r.partner != mine.partner)
    await world.run(
        "update release set body = (select body from release where id = ?) where id = ?",
        [key(world, other.id), key(world, mine.id)],
    )

    answer = await world.ask(RATNA, RELEASES, face="partner", purpose="referral")

    nodes = {e["node"]["id"]: e["node"] for e in answer.data["releases"]["edges"]}
    assert nodes[str(mine.id)]["content"] is None
    assert other.summary not in answer.text


# -- ciphertexts and wraps --------------------------------------------------------------


async def people(world: World) -> tuple[Any, Any]:
    """Give the first defender of her case file and the first of the other one."""
    found = []
    for record in (world.records.open_to_sari, world.records.closed_to_sari):
        [(defender,)] = await world.run(
            "select defender from case_file_defender where case_file = ? and position = 0",
            [key(world, record)],
        )
        found.append(defender)
    return found[0], found[1]


async def test_a_ciphertext_does_not_open_in_another_row(inside: Inside) -> None:
    world = inside.world
    mine, other = await people(world)
    before = await listed(inside)
    await world.run(
        "update defender set full_name = (select full_name from defender where id = ?)"
        " where id = ?",
        [other, mine],
    )

    answer = await read(inside, SARI, world.records.open_to_sari)

    [defender] = answer.data["caseFile"]["defenders"]
    assert defender["fullName"] is None
    assert defender["nik"] is not None
    assert {"field": "fullName", "reason": BROKEN} in defender["withheld"]
    await others_answer(inside, before, {str(world.records.open_to_sari)})


@pytest.mark.parametrize(
    ("first", "second"),
    [("full_name", "nik"), ("full_name", "gender"), ("aliases", "sealed_categories")],
)
async def test_a_ciphertext_does_not_open_in_another_column(
    inside: Inside, first: str, second: str
) -> None:
    world = inside.world
    mine, _ = await people(world)
    await world.run(
        f"update defender set {first} = {second}, {second} = {first} where id = ?", [mine]
    )

    answer = await read(inside, SARI, world.records.open_to_sari)

    [defender] = answer.data["caseFile"]["defenders"]
    assert {w["reason"] for w in defender["withheld"]} == {BROKEN}
    assert len(defender["withheld"]) == 2
    assert defender["familyCard"] is not None


@pytest.mark.parametrize("rubbish", [b"", b"\x01", b"\x00" * 80, b"\xff" * 5])
async def test_a_ciphertext_that_is_rubbish_is_withheld(inside: Inside, rubbish: bytes) -> None:
    world = inside.world
    mine, _ = await people(world)
    await world.run("update defender set nik = ? where id = ?", [rubbish, mine])
    await world.run("update case_file set account = ?", [rubbish])
    await world.run("update note set body = ?", [rubbish])

    answer = await read(inside, SARI, world.records.open_to_sari)

    case_file = answer.data["caseFile"]
    assert (case_file["account"], case_file["defenders"][0]["nik"]) == (None, None)
    assert {"field": "account", "reason": BROKEN} in case_file["withheld"]
    assert case_file["defenders"][0]["fullName"] is not None


async def test_a_note_that_was_moved_to_her_case_file_does_not_open(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    await world.run("update note set case_file = ?", [key(world, records.open_to_sari)])

    answer = await read(inside, SARI, records.open_to_sari)

    own = {n.id for n in records.notes if n.case_file == records.open_to_sari}
    for note in answer.data["caseFile"]["notes"]:
        assert (note["body"] is not None) == (UUID(note["id"]) in own)


async def test_wraps_that_were_swapped_open_nothing(inside: Inside) -> None:
    world = inside.world
    mine, other = await people(world)
    before = await listed(inside)
    for record, new in ((mine, uuid4()), (other, UUID(str(mine)))):
        await world.run(
            "update data_key set record = ? where record = ?", [key(world, new), record]
        )
    inside.keyring.opened.clear()

    answer = await read(inside, SARI, world.records.open_to_sari)

    [defender] = answer.data["caseFile"]["defenders"]
    assert defender["fullName"] is None
    assert {w["reason"] for w in defender["withheld"]} == {BROKEN}
    await others_answer(inside, before, {str(world.records.open_to_sari)})


@pytest.mark.parametrize(
    "forgery",
    [
        "compartment = case compartment when 'identity' then 'contact' else 'identity' end,"
        " version = version + 1",
        "version = 2",
        "version = -1",
        "version = 2147483647",
        "kek_version = 99",
        "kek_version = -1",
        "wrapped = commitment",
        "commitment = wrapped",
    ],
)
async def test_a_wrap_that_was_edited_by_hand_opens_nothing(inside: Inside, forgery: str) -> None:
    world = inside.world
    mine, _ = await people(world)
    before = await listed(inside)
    await world.run(
        f"update data_key set {forgery} where record = ?"
        " and compartment in ('identity', 'contact')",
        [mine],
    )

    answer = await read(inside, SARI, world.records.open_to_sari)

    [defender] = answer.data["caseFile"]["defenders"]
    assert {defender[f] if f != "phones" else None for f in ("fullName", "nik")} == {None}
    assert defender["phones"] is None
    assert {w["reason"] for w in defender["withheld"]} == {BROKEN}
    await others_answer(inside, before, {str(world.records.open_to_sari)})


async def test_a_wrap_that_was_copied_to_another_agency_opens_nothing(inside: Inside) -> None:
    world, record = inside.world, inside.world.records.open_to_sari
    mine, _ = await people(world)
    await world.run(
        "insert into data_key"
        " (record, compartment, version, owner, kek_version, wrapped, commitment)"
        " select record, compartment, version, 'lpsk', kek_version, wrapped, commitment"
        " from data_key where record in (?, ?)",
        [mine, key(world, record)],
    )
    await world.run("update case_file set lead_agency = 'lpsk' where id = ?", [key(world, record)])
    await world.run(
        "update assignment set member = ? where case_file = ?",
        [key(world, world.records.member(WAYAN).id), key(world, record)],
    )
    inside.keyring.opened.clear()

    answer = await read(inside, WAYAN, record)

    assert answer.codes == ["NOT_FOUND"]
    assert inside.keyring.opened == []


async def test_a_tag_that_was_moved_finds_nobody(inside: Inside) -> None:
    world, records = inside.world, inside.world.records
    mine, other = await people(world)
    people_by_id = {d.id: d for d in records.defenders}
    nik = people_by_id[UUID(str(other))].nik  # type: ignore[index]  # an id of a defender
    await world.run("delete from defender_tag where defender = ?", [mine])
    await world.run("update defender_tag set defender = ? where defender = ?", [mine, other])

    answer = await world.ask(
        SARI,
        "query ($n: String!) { findDefenders(by: NIK, value: $n, first: 9) { defender { id } } }",
        {"n": nik},
    )

    assert answer.data["findDefenders"] == []


# -- whatever may be written --------------------------------------------------------------

#: Table and column -> what PostgreSQL takes too; SQLite takes anything anywhere.
CLEAR = {
    ("case_file", "status"): ["'nonsense'", "''"],
    ("case_file", "urgency"): ["99", "-1", "0"],
    ("case_file", "sensitivity"): ["0", "-7", "32767"],
    ("case_file", "province"): ["'xx'"],
    ("case_file", "incident_kinds"): ["'null'", "'{}'", "'3'", "'[1, null]'", "'\"text\"'"],
    ("case_file", "opened_on"): ["'0001-01-01'", "'9999-12-31'"],
    ("case_file", "respond_by"): ["'9999-12-31 23:59:59'", "'0001-01-01 00:00:00'"],
    ("case_file", "revision"): ["-1", "2147483647"],
    ("case_file", "event"): ["-1", "9223372036854775807"],
    ("case_file", "reference"): ["''", "'x'"],
    ("case_file_defender", "position"): ["-1", "32767"],
    ("case_file_defender", "event"): ["-1", "9223372036854775807"],
    ("defender", "categories"): ["'null'", "'{}'", "'3'"],
    ("defender", "agency"): ["'lpsk'"],
    ("defender", "revision"): ["-1", "2147483647"],
    ("assignment", "starts_at"): ["'0001-01-01 00:00:00'"],
    ("assignment", "ends_at"): ["'9999-12-31 23:59:59'"],
    ("assignment", "event"): ["-1", "9223372036854775807"],
    ("note", "written_at"): ["'9999-12-31 23:59:59'"],
    ("data_key", "version"): ["0", "-2147483648"],
    ("data_key", "kek_version"): ["0", "2147483647"],
    ("manifest", "revision"): ["0", "-1", "2147483647"],
}
#: Only SQLite keeps these in a column of another type.
UNTYPED = ["'nonsense'", "x'00ff'", "1.5", "''"]
#: Columns that SQLite holds as text or numbers of ours, to be filled with other types.
TYPED = [
    ("case_file", "sensitivity"),
    ("case_file", "event"),
    ("case_file", "revision"),
    ("case_file", "urgency"),
    ("case_file", "opened_on"),
    ("case_file", "respond_by"),
    ("case_file", "incident_kinds"),
    ("case_file", "account"),
    ("case_file", "seal"),
    ("case_file_defender", "seal"),
    ("case_file_defender", "event"),
    ("defender", "full_name"),
    ("defender", "categories"),
    ("defender", "revision"),
    ("assignment", "seal"),
    ("assignment", "starts_at"),
    ("assignment", "assigned_by"),
    ("data_key", "version"),
    ("data_key", "kek_version"),
    ("data_key", "wrapped"),
    ("data_key", "commitment"),
    ("manifest", "revision"),
    ("manifest", "data"),
    ("note", "written_at"),
    ("note", "body"),
]

#: Of these, what does not open; the rows that carry it are read all the same.
SEALED = {
    ("case_file", "account"),
    ("case_file", "seal"),
    ("case_file_defender", "seal"),
    ("defender", "full_name"),
    ("assignment", "seal"),
    ("data_key", "version"),
    ("data_key", "kek_version"),
    ("data_key", "wrapped"),
    ("data_key", "commitment"),
    ("manifest", "revision"),
    ("manifest", "data"),
    ("note", "body"),
}

_OF_HERS = {
    "case_file": "id = ?",
    "case_file_defender": "case_file = ?",
    "defender": "id in (select defender from case_file_defender where case_file = ?)",
    "assignment": "case_file = ?",
    "note": "case_file = ?",
    "data_key": "record in (select defender from case_file_defender where case_file = ?)",
    "manifest": "record in (select defender from case_file_defender where case_file = ?)",
}


def forgeries(world: World) -> list[tuple[str, str, str, bool]]:
    """Give table, column, value, and whether the others must answer.

    What is not even of its column's type may close the whole list: it cannot be read.
    """
    found = [(t, c, v, True) for (t, c), values in CLEAR.items() for v in values]
    if world.kind == "sqlite":
        found += [(t, c, v, (t, c) in SEALED) for t, c in TYPED for v in UNTYPED]
    return found


async def test_whatever_is_written_into_a_row_no_request_crashes_and_the_others_answer(
    inside: Inside,
) -> None:
    world, record = inside.world, inside.world.records.open_to_sari
    before = await listed(inside)
    others = {i: n for i, n in before.items() if i != str(record)}
    await read(inside, SARI, record)
    allowed = set(inside.keyring.opened)
    faults = []
    for table, column, value, strict in forgeries(world):
        names = [c.name for c in TABLES[table].columns]
        mine = f"from {table} where {_OF_HERS[table]}"
        was = await world.run(f"select {', '.join(names)} {mine}", [key(world, record)])
        await world.run(
            f"update {table} set {column} = {value} where {_OF_HERS[table]}", [key(world, record)]
        )
        inside.keyring.opened.clear()
        answers = [
            await world.ask(SARI, LIST),
            await world.ask(SARI, LIST.replace("100", "100, orderBy: MOST_URGENT")),
            await world.ask(SARI, READ, {"id": str(record)}),
        ]
        told = f"{table}.{column} = {value}"
        for answer in answers:
            faults += [f"{told}: {fault}" for fault in faults_of(answer, str(record), strict)]
            data = answer.body["data"]
            if data and "caseFiles" in data and strict:
                shown = {e["node"]["id"]: e["node"] for e in data["caseFiles"]["edges"]}
                if {i: n for i, n in shown.items() if i != str(record)} != others:
                    faults.append(f"{told}: other rows changed")
        if not set(inside.keyring.opened) <= allowed:
            faults.append(f"{told}: opened more")
        for row in was:
            await restore(world, table, column, names, row)
    assert faults == []
    assert await listed(inside) == before


def faults_of(answer: Answer, record: str, strict: bool) -> list[str]:
    """Say what is wrong with an answer about rows of which one was forged."""
    if answer.status == 503 and not strict:
        return []
    if answer.status != 200:
        return [f"status {answer.status}"]
    data = answer.body["data"]
    if data is None or None in data.values():
        return [f"no data: {answer.codes}"] if strict and answer.codes != ["NOT_FOUND"] else []
    # A value in clear that fits no type of the schema is null, with an error at its place.
    edges = data["caseFiles"]["edges"] if "caseFiles" in data else []
    return [
        f"an error at {error['path']}"
        for error in answer.body.get("errors", [])
        if edges and edges[error["path"][2]]["node"]["id"] != record
    ]


async def restore(
    world: World, table: str, forged: str, names: list[str], row: tuple[Any, ...]
) -> None:
    """Put a row back as it was, found by its primary key."""
    primary = [c.name for c in TABLES[table].primary_key.columns]
    cells = dict(zip(names, row, strict=True))
    if forged in primary:
        # What it commits to names the row as well.
        primary = ["record", "owner", "commitment"]
    values = [json.dumps(v) if isinstance(v, list) else v for v in row]
    await world.run(
        f"update {table} set {', '.join(f'{n} = ?' for n in names)}"
        f" where {' and '.join(f'{n} = ?' for n in primary)}",
        [*values, *(cells[n] for n in primary)],
    )


async def test_an_officer_is_shown_no_event_by_rows_that_were_written_into_the_search_tables(
    inside: Inside,
) -> None:
    world = inside.world
    query = """{ accessEvents(first: 100) { edges { node { index organisation } } } }"""
    before = await world.ask(TUTI, query, face="oversight", purpose="quality_review")
    assert before.status == 200
    await world.ask(WAYAN, LIST)
    await world.ask(TUTI, query, face="oversight", purpose="quality_review")
    statement = (
        "insert into {0}event_agency (agency, idx, at, action, decision)"
        " select 'komnas-ham', idx, at, action, decision from {0}event"
        " where organisation = 'lpsk' and action = 'list'"
    )
    if world.kind == "postgresql":
        await world.run(statement.format("accesslog."))
    else:
        with sqlite3.connect(world.folder / "log.sqlite") as log:
            log.execute(statement.format(""))
        log.close()

    answer = await world.ask(TUTI, query, face="oversight", purpose="quality_review")

    # Rather no answer than one that somebody made up; `log verify` names the row.
    assert answer.body["data"] is None
    assert answer.codes == ["LOG_BROKEN"]
