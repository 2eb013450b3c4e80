"""A sample of the moves through the front door, on both databases: what was moved is withheld."""

import json
from typing import Any
from uuid import UUID

import pytest

from api.demo.synthetic import RATNA, SARI
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import Compartment
from tests.scenarios import sharing
from tests.scenarios.asking import as_key, first_defender
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
world = sharing.fresh

_DEFENDER = " ".join(DEFENDER_FIELDS)
READ = f"""query ($id: ID!) {{ caseFile(id: $id) {{ {" ".join(CASE_FILE_FIELDS)}
  defenders {{ id {_DEFENDER} withheld {{ field reason }} }}
  notes {{ id body }} withheld {{ field reason }} }} }}"""
RELEASES = "{ releases(first: 100) { edges { node { id content { summary } } } } }"

#: What SARI, a case officer without the training, opens of a case file and of a defender.
ACCOUNT = {"account", "adversaryInstitutions"}
HELD = {f.name: f for f in DEFENDER_FIELDS.values() if f.compartment is not Compartment.WHEREABOUTS}

#: Table, its key, and the columns that are moved together from one row to the next.
ROTATED: dict[str, tuple[str, tuple[str, ...]]] = {
    "case_file": ("id", ("account", "adversary_institutions", "sexual_violence_forms")),
    "defender": ("id", tuple(f.column for f in DEFENDER_FIELDS.values())),
    "note": ("id", ("body",)),
    "release": ("id", ("body",)),
    "data_key": ("record, compartment, version, owner", ("wrapped", "commitment", "kek_version")),
    "manifest": ("record, compartment", ("data", "revision")),
}


async def rotate(world: World, table: str) -> None:
    """Put into every row of *table* what stands in the next one, into the last the first."""
    names, columns = ROTATED[table]
    following = ", ".join(
        f"coalesce(lead({c}) over rows, first_value({c}) over rows) as {c}" for c in columns
    )
    same = " and ".join(f"moved.{key} = {table}.{key}" for key in names.split(", "))
    sets = ", ".join(f"{c} = (select {c} from moved where {same})" for c in columns)
    await world.run(
        f"create table moved as select {names}, {following} from {table}"
        f" window rows as (order by {names})"
    )
    await world.run(f"update {table} set {sets}")
    await world.run("drop table moved")


async def read(world: World) -> dict[str, Any]:
    answer = await world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
    case_file: dict[str, Any] = answer.data["caseFile"]
    return case_file


def withheld(item: dict[str, Any]) -> set[str]:
    assert {w["reason"] for w in item["withheld"]} <= {"SEAL_BROKEN", "COMPARTMENT_NOT_HELD"}
    return {w["field"] for w in item["withheld"] if w["reason"] == "SEAL_BROKEN"}


def names_of_others(world: World) -> set[str]:
    mine = first_defender(world, world.records.open_to_sari)
    return {d.full_name for d in world.records.defenders if d.full_name != mine.full_name}


@pytest.mark.parametrize("table", ["case_file", "defender", "note"])
async def test_ciphertexts_that_were_moved_to_the_next_row_are_withheld(
    world: World, table: str
) -> None:
    before = await read(world)
    await rotate(world, table)

    after = await read(world)

    [was], [now] = before.pop("defenders"), after.pop("defenders")
    notes, noted = before.pop("notes"), after.pop("notes")
    assert notes
    assert all(note["body"] for note in notes)
    if table == "defender":
        assert {now[name] for name in HELD} == {None}
        assert withheld(now) == set(HELD)
        assert (after, noted) == (before, notes)
    elif table == "case_file":
        assert withheld(after) == ACCOUNT
        assert after["account"] is None
        assert (now, noted) == (was, notes)
    else:
        assert [note["body"] for note in noted] == [None] * len(notes)
        assert withheld(after) == {"body"}
        assert now == was
    assert not any(name in json.dumps([now, after]) for name in names_of_others(world))


@pytest.mark.parametrize("table", ["data_key", "manifest"])
async def test_wraps_and_manifests_that_were_moved_to_the_next_row_withhold_everything(
    world: World, table: str
) -> None:
    await rotate(world, table)

    after = await read(world)

    [now] = after.pop("defenders")
    assert withheld(now) == set(HELD)
    assert {now[name] for name in HELD} == {None}
    # A note needs the key of its case file, and no manifest.
    bodies = {note["body"] is None for note in after.pop("notes")}
    assert bodies == {table == "data_key"}
    assert withheld(after) == ACCOUNT | ({"body"} if table == "data_key" else set())
    assert not any(name in json.dumps([now, after]) for name in names_of_others(world))


async def test_releases_that_were_moved_to_the_next_row_say_nothing(world: World) -> None:
    before = await world.ask(RATNA, RELEASES, face="partner", purpose="referral")
    assert all(e["node"]["content"] for e in before.data["releases"]["edges"])
    await rotate(world, "release")

    after = await world.ask(RATNA, RELEASES, face="partner", purpose="referral")

    edges = after.data["releases"]["edges"]
    assert [e["node"]["content"] for e in edges] == [None] * len(edges)
    assert len(edges) == len(before.data["releases"]["edges"]) > 0
    assert not any(release.summary in after.text for release in world.records.releases)


async def test_the_columns_of_one_row_each_in_the_place_of_the_next_are_withheld(
    world: World,
) -> None:
    person = first_defender(world, world.records.open_to_sari).id
    columns = ROTATED["defender"][1]
    sets = ", ".join(
        f"{column} = {following}"
        for column, following in zip(columns, [*columns[1:], columns[0]], strict=True)
    )
    await world.run(f"update defender set {sets} where id = ?", [as_key(world, UUID(str(person)))])

    [now] = (await read(world))["defenders"]

    assert withheld(now) == set(HELD)
    assert {now[name] for name in HELD} == {None}
