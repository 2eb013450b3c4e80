"""An installation whose key file is lost opens again, every field, with three of five shares."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from api.app import key_service, utc_now
from api.cli.main import app
from api.crypto.data_keys import WrappedKey
from api.crypto.keyring import Keyring
from api.crypto.sealing import open_sealed
from api.database import Records, engine_of
from api.demo.install import CONFIG
from api.demo.synthetic import SARI
from api.errors import PerisaiError, RefusesToStart
from api.settings import Settings
from api.store import key_wraps, tables
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS, NOTE_BODY, RELEASE_BODY
from api.vocabulary import Compartment
from tests.inside import exchanged
from tests.world import World

#: Each sealed column, and the column of its row that names the record of the key.
FIELDS = [
    *((one, tables.defender, tables.defender.c.id) for one in DEFENDER_FIELDS.values()),
    *((one, tables.case_file, tables.case_file.c.id) for one in CASE_FILE_FIELDS.values()),
    (NOTE_BODY, tables.note, tables.note.c.case_file),
    (RELEASE_BODY, tables.release, tables.release.c.id),
]

READ = """query ($id: ID!) { caseFile(id: $id) { account defenders { fullName nik phones } } }"""


async def everything(settings: Settings) -> dict[tuple[str, str, UUID], Any]:
    """Open every sealed field of every record with the keys of *settings*."""
    service = key_service(settings)
    records = Records(engine_of(settings.records_url.get_secret_value()))
    try:
        async with records.snapshot() as snapshot:
            keyring = await Keyring.start(
                service, await key_wraps.secrets_of(snapshot, settings.owners)
            )
            keys: dict[tuple[UUID, Compartment], Any] = {}
            rows = (await snapshot.execute(select(tables.data_key))).mappings().all()
            for owner in settings.owners:
                wraps = [
                    WrappedKey(
                        row["record"],
                        Compartment(row["compartment"]),
                        row["version"],
                        row["owner"],
                        row["kek_version"],
                        row["wrapped"],
                        row["commitment"],
                    )
                    for row in rows
                    if row["owner"] == owner
                ]
                opened = await keyring.open_keys(owner, wraps)
                keys |= {(key.record, key.compartment): key for key in opened}
            found = {}
            for field, table, record in FIELDS:
                column = table.c[field.column]
                for row_id, of, sealed in await snapshot.execute(
                    select(table.c.id, record, column)
                ):
                    found[table.name, field.column, row_id] = open_sealed(
                        keys[of, field.compartment], field.place, row_id, sealed
                    )
            return found
    finally:
        await records.close()


def keys(*arguments: str | Path, config: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, str]:
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    words = ["keys", *map(str, arguments)]
    # A command has a loop of its own, so another thread; the service stands still meanwhile:
    # it would derive the key of the changed file at the same time as the test.
    with ThreadPoolExecutor(1) as thread:
        result = thread.submit(CliRunner().invoke, app, words).result()
    return result.exit_code, result.stderr


# The key file is the same whatever the records are in.
@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
async def test_after_the_loss_of_the_key_file_a_quorum_opens_every_field_again(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, backup, new = world.folder / CONFIG, tmp_path / "backup", tmp_path / "new"
    before = await everything(world.settings)
    assert {field.column for field, _, _ in FIELDS} == {column for _, column, _ in before}
    custodians = [part for n in range(5) for part in ("--custodian", f"custodian {n}")]

    made = keys("backup", "--to", backup, *custodians, config=config, monkeypatch=monkeypatch)
    assert made == (0, "")
    sheets = sheets_of(backup)
    lose(world.settings.key_file)
    with pytest.raises(RefusesToStart):
        await everything(world.settings)

    write(new, "sedia payung sebelum hujan")
    restore = ("restore", backup, "--key-file", world.settings.key_file, "--passphrase-file", new)
    two = [part for sheet in sheets[3:] for part in ("--share", sheet)]
    status, said = keys(*restore, *two, config=config, monkeypatch=monkeypatch)
    assert status == 1
    assert "Too few shares" in said
    with pytest.raises(PerisaiError):
        await everything(world.settings)

    three = [*two, "--share", sheets[0]]
    status, said = keys(*restore, *three, config=config, monkeypatch=monkeypatch)
    assert status == 0, said
    write(world.settings.key_passphrase_file, "sedia payung sebelum hujan")

    assert await everything(world.settings) == before
    # The commands have the clock of the machine, which a start must not be behind.
    world.clock.now = max(world.clock.now, utc_now())
    async with exchanged(world) as served:
        answer = await served.world.ask(SARI, READ, {"id": str(world.records.open_to_sari)})
    [defender] = answer.data["caseFile"]["defenders"]
    assert defender["fullName"] == "Mochammad Joesoef Hidayat"


def sheets_of(backup: Path) -> list[Path]:
    return sorted(backup.with_name(f"{backup.name}.shares").iterdir())


def lose(path: Path) -> None:
    path.unlink()


def write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
