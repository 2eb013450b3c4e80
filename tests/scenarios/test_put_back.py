"""What is put back to an older state is withheld, or `perisai log verify` says that it was."""

from typing import Any

import pytest

from api.accesslog.reader import LogReader
from api.casework.rollback import check_records
from api.database import Records, engine_of
from api.demo.synthetic import SARI
from api.demo.synthetic_records import SyntheticDefender
from api.errors import RecordsPutBack
from api.vocabulary import Compartment, RecordKind
from tests.scenarios.asking import as_key, first_defender
from tests.world import Template, World

UPDATE = """mutation ($input: UpdateDefenderInput!) { updateDefender(input: $input) {
  errors { code } revision } }"""
READ = """query ($id: ID!) { defender(id: $id) { fullName nik gender phones
  withheld { field reason } } }"""


@pytest.fixture
def person(template: Template) -> SyntheticDefender:
    return first_defender(template, template.records.open_to_sari)


@pytest.fixture
async def changed(world: World, person: SyntheticDefender) -> tuple[World, dict[str, Any]]:
    """Change the name once; give what lay in the database before."""
    before = {"full_name": await cell(world, person, "full_name")}
    before["manifest"], before["revision"] = await manifest(world, person)
    assert await rename(world, person, 1, "Siti Aminah") == {"errors": [], "revision": 2}
    return world, before


async def rename(world: World, person: SyntheticDefender, revision: int, name: str) -> Any:
    variables = {"input": {"id": str(person.id), "revision": revision, "fullName": name}}
    return (await world.ask(SARI, UPDATE, variables)).body["data"]["updateDefender"]


async def cell(world: World, person: SyntheticDefender, column: str) -> bytes:
    key = (as_key(world, person.id),)
    [(value,)] = await world.run(f"select {column} from defender where id = ?", key)
    return bytes(value)


async def manifest(world: World, person: SyntheticDefender) -> tuple[bytes, int]:
    [(data, revision)] = await world.run(
        "select data, revision from manifest where record = ? and compartment = 'identity'",
        (as_key(world, person.id),),
    )
    return bytes(data), revision


async def put_back(
    world: World, person: SyntheticDefender, before: dict[str, Any], *what: str
) -> None:
    """Write as the database's administrator what lay there before."""
    key = as_key(world, person.id)
    if "field" in what:
        await world.run(
            "update defender set full_name = ? where id = ?", (before["full_name"], key)
        )
    if "manifest" in what:
        await world.run(
            "update manifest set data = ?, revision = ? "
            "where record = ? and compartment = 'identity'",
            (before["manifest"], before["revision"], key),
        )


async def read(world: World, person: SyntheticDefender) -> Any:
    return (await world.ask(SARI, READ, {"id": str(person.id)})).data["defender"]


async def compared(world: World) -> int:
    """Compare the records with the log, as the command does."""
    log = engine_of(world.settings.log_reader_url.get_secret_value())
    records = Records(engine_of(world.settings.records_url.get_secret_value()))
    try:
        return await check_records(LogReader(log), records)
    finally:
        await log.dispose()
        await records.close()


def broken(*names: str) -> list[dict[str, str]]:
    return [{"field": name, "reason": "SEAL_BROKEN"} for name in names]


async def test_an_older_name_put_back_alone_is_withheld(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, before = changed
    await put_back(world, person, before, "field")

    answer = await read(world, person)

    assert answer == {
        "fullName": None,
        "nik": person.nik,
        "gender": person.gender,
        "phones": list(person.phones),
        "withheld": broken("fullName"),
    }


async def test_an_older_manifest_put_back_alone_withholds_the_compartment_and_no_other(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, before = changed
    # The number in clear is part of what the manifest proves; with the new one it is broken.
    await put_back(world, person, before | {"revision": 2}, "manifest")

    answer = await read(world, person)

    assert answer["phones"] == list(person.phones)
    assert answer["withheld"] == broken("fullName", "gender", "nik")


async def test_a_manifest_taken_away_withholds_the_compartment_and_stops_changes(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, _ = changed
    sealed = await cell(world, person, "full_name")
    await world.run("delete from manifest where record = ?", (as_key(world, person.id),))

    answer = await read(world, person)
    refused = await world.ask(
        SARI, UPDATE, {"input": {"id": str(person.id), "revision": 2, "fullName": "Other"}}
    )

    assert answer["withheld"] == broken("fullName", "gender", "nik", "phones")
    assert refused.codes == ["SEAL_BROKEN"]
    assert await cell(world, person, "full_name") == sealed
    with pytest.raises(RecordsPutBack, match="is gone"):
        await compared(world)


async def test_name_and_manifest_put_back_together_open_and_the_log_knows_better(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, before = changed
    done = await world.size() - 1
    await put_back(world, person, before, "field", "manifest")

    assert (await read(world, person))["fullName"] == person.full_name
    with pytest.raises(RecordsPutBack) as noticed:
        await compared(world)
    assert noticed.value.index == done
    assert str(noticed.value) == (
        f"event {done}: the identity of a record is older than this event made it"
    )


async def test_a_record_that_was_put_back_and_then_changed_is_told_by_its_two_changes(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    """All numbers fit again after the second change; the log has two of one revision."""
    world, before = changed
    await put_back(world, person, before, "field", "manifest")
    await world.run("update defender set revision = 1 where id = ?", (as_key(world, person.id),))
    renamed = await world.ask(
        SARI, UPDATE, {"input": {"id": str(person.id), "revision": 1, "gender": "x"}}
    )
    assert renamed.data["updateDefender"] == {"errors": [], "revision": 2}
    assert (await read(world, person))["fullName"] == person.full_name  # the older one

    with pytest.raises(RecordsPutBack, match="was changed from an older state") as noticed:
        await compared(world)
    assert noticed.value.index == await world.size() - 2  # its outcome; then it was read


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
@pytest.mark.parametrize("revision", ["nonsense", b"\x00", 1.5])
async def test_a_revision_that_is_no_number_is_told_as_one_that_is_too_old(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender, revision: Any
) -> None:
    world, _ = changed
    await world.run(
        "update manifest set revision = ? where record = ?", (revision, as_key(world, person.id))
    )
    with pytest.raises(RecordsPutBack, match="older than this event made it"):
        await compared(world)


async def test_who_changes_what_was_put_back_does_not_make_it_look_right(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, before = changed
    await put_back(world, person, before, "field", "manifest")
    variables = {"input": {"id": str(person.id), "revision": 2, "gender": "female"}}
    assert (await world.ask(SARI, UPDATE, variables)).data["updateDefender"]["errors"] == []
    done = await world.size() - 1

    assert (await read(world, person))["fullName"] == person.full_name
    with pytest.raises(RecordsPutBack, match="was changed from an older state") as noticed:
        await compared(world)
    assert noticed.value.index == done


async def test_a_change_names_what_it_replaces_of_each_compartment(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, _ = changed
    before = await world.size()
    given = {"fullName": "Siti A.", "phones": ["081234567890"]}
    variables = {"input": {"id": str(person.id), "revision": 2, **given}}

    assert (await world.ask(SARI, UPDATE, variables)).data["updateDefender"]["revision"] == 3

    intent, _outcome = await world.events(before)
    said = {
        (t.compartments, t.fields): {r for kind, _, r in t.records if kind is RecordKind.DEFENDER}
        for t in intent.touched
    }
    assert said == {
        ((), ()): {2},
        ((Compartment.CONTACT,), ("phones",)): {1},
        ((Compartment.IDENTITY,), ("fullName",)): {2},
    }
    assert await compared(world) > 0


async def test_records_that_only_went_on_are_as_new_as_the_log_says(
    changed: tuple[World, dict[str, Any]], person: SyntheticDefender
) -> None:
    world, _ = changed
    made = await compared(world)

    assert await rename(world, person, 2, "Siti A.") == {"errors": [], "revision": 3}
    assert (await rename(world, person, 2, "Nobody"))["errors"] == [{"code": "STALE_REVISION"}]

    assert await compared(world) == made
    [(manifests,)] = await world.run("select count(*) from manifest")
    assert made == manifests
