"""Reading and searching: what is found is what the leaves say, and only what one may see."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.accesslog import finding
from api.accesslog.checkpoint import Checkpoint
from api.accesslog.event import Event, Touched
from api.accesslog.finding import Filters, query_of
from api.accesslog.ledger import Ledger
from api.accesslog.proofs import check_consistency, check_inclusion
from api.accesslog.reader import LogReader
from api.accesslog.search import agencies_of, records_of
from api.accesslog.tree import leaf_hash
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, ProofInvalid
from api.vocabulary import Action, Compartment, Decision, Ground, Purpose, Role
from tests.accesslog.conftest import Log
from tests.accesslog.events import EVENTS, NOON, SARI, WAYAN, read_of, record, refusal
from tests.accesslog.reference import Reference


async def fill(ledger: Ledger) -> None:
    """Write eight events of two agencies, one record of one of them shared."""
    await ledger.append(read_of(0))
    await ledger.append(read_of(1, decision=Decision.WITHHELD))
    await ledger.append(read_of(2, actor=WAYAN, organisation="lpsk", agencies=("lpsk",)))
    await ledger.append(
        read_of(3, actor=WAYAN, organisation="lpsk", agencies=("komnas-ham", "lpsk"))
    )
    await ledger.append(read_of(4, action=Action.LIST))
    await ledger.append(refusal(5))
    await ledger.append(read_of(6, organisation="lbh-nusantara", agencies=("komnas-ham",)))
    await ledger.append(read_of(7))


async def found(reader: LogReader, seen_by: str = "komnas-ham", **filters: object) -> list[int]:
    """Give the indices that a search gives to officers of one agency."""
    narrow = Filters(**filters)  # type: ignore[arg-type]  # the tests name the right ones
    return [idx for idx, _ in await reader.find(narrow, agency=seen_by, first=100)]


async def test_proofs_are_those_of_the_reference(ledger: Ledger, reader: LogReader) -> None:
    for number in range(21):
        await ledger.append(read_of(number))
    entries = await reader.entries(0, 21)
    reference = Reference([entry.body for entry in entries])

    for size in range(1, 22):
        root = reference.root(0, size)
        for idx in range(size):
            proof = await reader.inclusion(idx, size)
            assert proof == reference.path(idx, 0, size)
            check_inclusion(idx, size, leaf_hash(entries[idx].body), proof, root)
        for old in range(1, size + 1):
            steps = await reader.consistency(old, size)
            assert steps == reference.proof(old, size)
            check_consistency(old, size, reference.root(0, old), root, steps)
    assert (await reader.head()).root == reference.root(0, 21)


async def test_there_is_no_proof_beyond_the_log(ledger: Ledger, reader: LogReader) -> None:
    await ledger.append(read_of())

    for idx, size in ((1, 1), (-1, 1), (0, 0)):
        with pytest.raises(ProofInvalid):
            await reader.inclusion(idx, size)
    with pytest.raises(LogBroken, match="entry"):
        await reader.inclusion(0, 4)


async def test_an_empty_log_has_a_head_and_nothing_else(reader: LogReader, log: Log) -> None:
    head = await reader.head()

    assert (head.size, head.peaks) == (0, b"")
    assert await reader.latest_checkpoint() is None
    assert await reader.proof(0) is None
    assert await reader.event(0) is None
    assert await found(reader) == []


async def test_a_proof_file_names_the_oldest_checkpoint_that_holds_the_leaf(
    log: Log, ledger: Ledger, reader: LogReader
) -> None:
    key = SigningKey.generate()
    writer = log.source()
    await writer.open()
    for number in range(6):
        await ledger.append(read_of(number))
        if number in (2, 4):
            head = await reader.head()
            note = Checkpoint("perisai.example/log", head.size, head.root).sign(key)
            await writer.put_checkpoint(head.size, note)
    await writer.close()

    proof = await reader.proof(1)

    assert proof is not None
    checkpoint = Checkpoint.parse(proof.checkpoint.partition("\n\n")[0] + "\n")
    assert checkpoint.size == 3
    [entry] = await reader.entries(1, 2)
    check_inclusion(1, 3, leaf_hash(entry.body), proof.hashes, checkpoint.root)
    assert await reader.proof(5) is None


async def test_an_officer_finds_the_own_members_and_the_own_records(
    ledger: Ledger, reader: LogReader
) -> None:
    await fill(ledger)

    assert await found(reader) == [7, 6, 4, 3, 1, 0]
    assert await found(reader, "lpsk") == [3, 2]
    assert await found(reader, "lbh-nusantara") == [6]
    assert await found(reader, "komnas-perempuan") == []


async def test_each_filter_narrows(ledger: Ledger, reader: LogReader) -> None:
    await fill(ledger)

    assert await found(reader, actor=WAYAN) == [3]
    assert await found(reader, actor=SARI) == [7, 6, 4, 1, 0]
    assert await found(reader, organisation="lpsk") == [3]
    assert await found(reader, role=Role.CASE_OFFICER) == [7, 6, 4, 3, 1, 0]
    assert await found(reader, role=Role.SUPERVISOR) == []
    assert await found(reader, record=record(3)) == [3]
    assert await found(reader, record=record(2)) == []
    assert await found(reader, "lpsk", record=record(2)) == [2]
    assert await found(reader, action=Action.LIST) == [4]
    assert await found(reader, decision=Decision.WITHHELD) == [1]
    assert await found(reader, purpose=Purpose.PROTECTION) == [7, 6, 4, 3, 1, 0]
    assert await found(reader, purpose=Purpose.EMERGENCY) == []
    assert await found(reader, since=NOON + timedelta(seconds=4)) == [7, 6, 4]
    assert await found(reader, until=NOON + timedelta(seconds=4)) == [3, 1, 0]
    assert await found(reader, actor=SARI, decision=Decision.DISCLOSED, record=record(7)) == [7]


def touching(
    number: int, *groups: tuple[Ground, Compartment, str], agencies: tuple[str, ...] = ()
) -> Event:
    """Give an event with one group of records for each ground, compartment and field."""
    touched = tuple(
        Touched(Decision.DISCLOSED, ground, None, (compartment,), (name,), ())
        for ground, compartment, name in groups
    )
    return replace(read_of(number), touched=touched, agencies=agencies or ("komnas-ham",))


async def test_what_an_event_has_several_of_is_found_by_each(
    ledger: Ledger, reader: LogReader
) -> None:
    identity = (Ground.ASSIGNED, Compartment.IDENTITY, "fullName")
    narrative = (Ground.OWN_AGENCY, Compartment.NARRATIVE, "account")
    emergency = (Ground.BREAK_GLASS, Compartment.WHEREABOUTS, "presentLocation")
    await ledger.append(touching(0, identity))
    await ledger.append(touching(1, identity, narrative))
    await ledger.append(touching(2, emergency, identity))
    await ledger.append(touching(3, narrative, agencies=("komnas-ham", "lpsk")))
    await ledger.append(refusal(4))

    assert await found(reader, compartment=Compartment.IDENTITY) == [2, 1, 0]
    assert await found(reader, compartment=Compartment.NARRATIVE) == [3, 1]
    assert await found(reader, field="account") == [3, 1]
    assert await found(reader, field="presentLocation") == [2]
    assert await found(reader, field="phone") == []
    assert await found(reader, ground=Ground.OWN_AGENCY) == [3, 1]
    assert await found(reader, break_glass=True) == [2]
    assert await found(reader, break_glass=False) == [3, 1, 0]
    assert await found(reader, agency="lpsk") == [3]
    assert await found(reader, "lpsk", agency="komnas-ham") == [3]
    assert await found(reader, ground=Ground.ASSIGNED, field="account") == [1]
    assert await found(reader, break_glass=False, compartment=Compartment.IDENTITY) == [1, 0]
    # A ground is no field and a field no ground, though both are words.
    assert await found(reader, field="assigned") == []


async def test_whichever_range_is_walked_along_the_same_is_found(
    ledger: Ledger, reader: LogReader, monkeypatch: pytest.MonkeyPatch
) -> None:
    await fill(ledger)
    narrow = {
        "actor": SARI,
        "compartment": Compartment.IDENTITY,
        "purpose": Purpose.PROTECTION,
        "since": NOON + timedelta(seconds=1),
        "until": NOON + timedelta(seconds=7),
    }

    for counted in (1, 2, 10_000):
        monkeypatch.setattr(finding, "COUNTED", counted)
        assert await found(reader, **narrow) == [6, 4, 1]
        assert await found(reader, record=record(4), **narrow) == [4]


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
async def test_the_tables_find_what_a_walk_over_the_leaves_finds(
    ledger: Ledger, reader: LogReader, data: st.DataObject
) -> None:
    few = {"organisation": st.sampled_from(["komnas-ham", "lpsk"]), "at": st.just(NOON)}
    drawn: list[Event] = []
    for event in data.draw(st.lists(EVENTS, min_size=1, max_size=8)):
        changed = {name: data.draw(strategy) for name, strategy in few.items()}
        drawn.append(replace(event, **changed))
        await ledger.append(drawn[-1])
    everything = [one async for one in reader.walk()]
    like = data.draw(st.sampled_from(drawn))
    choices: dict[str, list[object]] = {
        "actor": [like.actor],
        "role": [like.role],
        "action": [like.action],
        "decision": [like.decision],
        "purpose": [like.purpose],
        "agency": list(like.agencies),
        "record": sorted(records_of(like)),
        "compartment": [c for t in like.touched for c in t.compartments],
        "field": [f for t in like.touched for f in t.fields],
        "ground": [t.ground for t in like.touched],
        "break_glass": [True, False],
    }
    names = data.draw(st.sets(st.sampled_from(sorted(choices)), max_size=4))
    narrow = {n: data.draw(st.sampled_from(choices[n])) for n in sorted(names) if choices[n]}

    answer = await found(reader, **narrow)

    fitting = Filters(**narrow)  # type: ignore[arg-type]  # drawn from an event
    assert (
        answer
        == [
            index
            for index, event in reversed(everything)
            if "komnas-ham" in agencies_of(event) and fitting.fit(event)
        ][:100]
    )


async def test_pages_stay_where_they_are_while_events_arrive(
    ledger: Ledger, reader: LogReader
) -> None:
    for number in range(6):
        await ledger.append(read_of(number))
    first = await reader.find(Filters(), agency="komnas-ham", first=2)
    for number in range(6, 9):
        await ledger.append(read_of(number))

    second = await reader.find(Filters(), agency="komnas-ham", first=2, after_idx=first[-1][0])

    assert [idx for idx, _ in first] == [5, 4]
    assert [idx for idx, _ in second] == [3, 2]
    assert second[0][1] == read_of(3)


async def test_searchers_at_once_fill_the_tables_once(
    ledger: Ledger, reader: LogReader, log: Log
) -> None:
    for start in (0, 600):
        await asyncio.gather(*(ledger.append(read_of(start + n)) for n in range(600)))

    answers = await asyncio.gather(*(found(reader, record=record(7)) for _ in range(3)))

    assert len({tuple(answer) for answer in answers}) == 1
    with log.raw() as raw:
        assert raw.rows("select count(*) from event") == [(1_200,)]
        assert raw.rows("select count(*) from event_record") == [(1_200,)]


@pytest.mark.parametrize(
    "forgery",
    [
        "insert into event_agency (agency, idx, at, action, decision)"
        " values ('komnas-ham', 2, 0, 'read', 'disclosed')",
        "update event_agency set idx = 2 where agency = 'komnas-ham' and idx = 0",
        "update event_agency set agency = 'komnas-ham' where agency = 'lpsk' and idx = 2",
    ],
)
async def test_a_forged_search_row_shows_nobody_an_event_of_another_agency(
    ledger: Ledger, reader: LogReader, log: Log, forgery: str
) -> None:
    await fill(ledger)
    await reader.catch_up()
    with log.raw() as raw:
        raw.execute(forgery)

    with pytest.raises(LogBroken, match="event 2"):
        await found(reader)


async def test_a_forged_actor_is_not_believed(ledger: Ledger, reader: LogReader, log: Log) -> None:
    await fill(ledger)
    await reader.catch_up()
    with log.raw() as raw:
        raw.execute("update event_agency set actor = ? where idx = 0", WAYAN.hex)

    with pytest.raises(LogBroken, match="event 0"):
        await found(reader, actor=WAYAN)


async def test_a_search_over_a_log_with_a_hole_says_so(
    ledger: Ledger, reader: LogReader, log: Log
) -> None:
    await fill(ledger)
    with log.raw() as raw:
        raw.execute("delete from entry where idx = 3")

    with pytest.raises(LogBroken, match="entry 3"):
        await found(reader)


#: What each filter is set to, and the index along which its page is read.
ALONG: dict[str, tuple[object, str]] = {
    "actor": (SARI, "ix_event_agency_actor_idx_at"),
    "organisation": ("komnas-ham", "ix_event_agency_organisation_idx_at"),
    "role": (Role.CASE_OFFICER, "ix_event_agency_role_idx_at"),
    "agency": ("komnas-ham", "event_word"),
    "record": (record(1), "event_record"),
    "compartment": (Compartment.IDENTITY, "event_word"),
    "field": ("phone", "event_word"),
    "action": (Action.READ, "ix_event_agency_action_idx_at"),
    "decision": (Decision.DISCLOSED, "ix_event_agency_decision_idx_at"),
    "ground": (Ground.ASSIGNED, "event_word"),
    "purpose": (Purpose.PROTECTION, "ix_event_agency_purpose_idx_at"),
    "break_glass": (True, "event_word"),
    "since": (NOON, "ix_event_agency_at_idx"),
    "until": (NOON, "ix_event_agency_at_idx"),
}


@pytest.mark.parametrize("name", ALONG)
@pytest.mark.parametrize("log", ["sqlite"], indirect=True)
async def test_each_filter_is_a_range_of_an_index_of_its_own(reader: LogReader, name: str) -> None:
    """No search reads a whole table, nor sorts what it has not found yet."""
    value, index = ALONG[name]
    narrow = Filters(**{name: value})  # type: ignore[arg-type]  # of the right type each
    async with reader.snapshot() as connection:
        statement = await query_of(
            connection, reader.tables, narrow, agency="komnas-ham", before=9, first=10
        )
        sql = statement.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in await connection.exec_driver_sql(f"explain query plan {sql}")]

    ways = [step for step in plan if step.startswith("SEARCH")]
    assert any(index in step for step in ways), plan
    assert all("SCAN" not in step or "chosen" in step for step in plan), plan
