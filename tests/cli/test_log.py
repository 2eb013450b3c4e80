"""`perisai log ...` as an auditor runs it: real processes on a real installation."""

import sqlite3
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from api.accesslog.note import VerifierKey
from api.cli.main import app
from api.demo.synthetic import SARI, TUTI
from tests.conftest import NOON
from tests.postgresql import Database, libpq_url
from tests.processes import perisai
from tests.world import Clock, Template, opened

EVENTS = "{ accessEvents(first: 3) { edges { node { index } } } }"
LIST = "{ caseFiles(first: 3) { edges { node { reference } } } }"

#: Place in the log's database -> what one byte of it becomes, and how the place is named.
#: Of a number the lowest byte changes, of a text or of bytes the last one.
CHANGES = {
    "leaf": ("entry", "body", "idx = 3", "entry 3"),
    "leaf hash": ("entry", "hashes", "idx = 7", "entry 7"),
    "head": ("head", "root", "size = (select min(size) from head)", "head "),
    "start of a head": ("head", "start", "size = (select max(size) from head)", "head "),
    "checkpoint": ("checkpoint", "note", "size = (select max(size) from checkpoint)", "checkpoint"),
    "moment of a search row": ("event", "at", "idx = 5", "event 5"),
    "actor of a search row": ("event", "actor", "idx = (select max(idx) from event)", "event "),
    "action of a search row": ("event", "action", "idx = 2", "event 2"),
    "record of a search row": (
        "event_record",
        "record",
        "idx = (select max(idx) from event_record)",
        "event_record ",
    ),
    "agency of a search row": ("event_agency", "agency", "idx = 4", "event_agency 4"),
}


@pytest.fixture
async def config(template: Template, tmp_path: Path) -> Path:
    """Give the settings of an installation in which a few things were asked, now at rest."""
    async with opened(template, tmp_path / "perisai", Clock(NOON), drop=False) as world:
        for _ in range(3):
            await world.ask(SARI, LIST)
        await world.ask(TUTI, EVENTS, face="oversight", purpose="quality_review")
    return tmp_path / "perisai" / "perisai.toml"


sqlite_only = pytest.mark.parametrize("template", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("template", ["postgresql"], indirect=True)


def test_an_untouched_log_verifies_and_its_export_does_too(config: Path, tmp_path: Path) -> None:
    status, out, _ = invoke(config, "log", "key")
    assert status == 0
    vkey = out.strip()
    assert str(VerifierKey.parse(vkey)) == vkey

    verified = perisai("log", "verify", config=config)
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.startswith("The log holds: ")
    exported = invoke(config, "log", "export", str(tmp_path / "export"))
    assert exported[0] == 0, exported[2]

    # An auditor elsewhere has the export and the key, and no settings of ours.
    elsewhere = perisai(
        "log", "verify", "--export", str(tmp_path / "export"), "--key", vkey, cwd=tmp_path
    )
    assert elsewhere.returncode == 0, elsewhere.stderr
    assert elsewhere.stdout.startswith("The log holds: ")
    again = invoke(config, "log", "export", str(tmp_path / "export"))
    assert again[:2] == (1, "")
    assert "is not empty" in again[2]
    tile = next((tmp_path / "export" / "tile").glob("0/*.p/*"))
    tile.write_bytes(tile.read_bytes()[:-1] + b"?")
    changed = invoke(config, "log", "verify", "--export", str(tmp_path / "export"))
    assert (changed[0], str(tile) in changed[2]) == (2, True)


@sqlite_only
def test_one_changed_byte_anywhere_is_found_and_its_place_is_named(config: Path) -> None:
    copies = {name: _copy(config, f"{at}.sqlite") for at, name in enumerate(CHANGES)}
    for name, (table, column, where, _) in CHANGES.items():
        _change(copies[name][1], table, column, where)

    found = [invoke(copy, "log", "verify") for copy, _ in copies.values()]

    real = perisai("log", "verify", config=copies["leaf"][0])
    assert (real.returncode, real.stdout) == (2, "")
    assert "The log does not hold: entry 3" in real.stderr
    for (name, (*_, place)), (status, out, err) in zip(CHANGES.items(), found, strict=True):
        assert status == 2, (name, out, err)
        assert out == "", name
        assert f"The log does not hold: {place}" in err, (name, err)
        assert "Traceback" not in err


@sqlite_only
def test_what_was_cut_off_added_or_forked_is_found(config: Path) -> None:
    attacks = {
        "the end cut off": "delete from entry where idx >= 20; delete from head where size > 20;"
        " insert or ignore into head select 20, max(size), zeroblob(32) from head;"
        " delete from checkpoint where size > 20; delete from event where idx >= 20;"
        " delete from event_record where idx >= 20; delete from event_agency where idx >= 20",
        "all of it": "delete from entry; delete from head; delete from checkpoint;"
        " delete from event; delete from event_record; delete from event_agency",
        "one in the middle": "delete from entry where idx = 9",
        "a search row": "delete from event_agency where idx = 6",
        "a row too many": "insert into event_agency (agency, idx) values ('lpsk', 1)",
        "two exchanged": "update entry set body = (select body from entry e where e.idx ="
        " case entry.idx when 5 then 6 else 5 end) where idx in (5, 6)",
    }
    copies = [_copy(config, f"attack{at}.sqlite") for at in range(len(attacks))]
    for (_, database), script in zip(copies, attacks.values(), strict=True):
        _script(database, script)

    found = [invoke(copy, "log", "verify") for copy, _ in copies]

    for name, (status, out, err) in zip(attacks, found, strict=True):
        assert (status, out) == (2, ""), (name, err)
        assert "The log does not hold: " in err


@postgresql_only
def test_on_postgresql_a_change_by_the_owner_is_found_too(config: Path, template: Template) -> None:
    for name in ("leaf", "leaf hash", "head", "action of a search row"):
        table, column, where, place = CHANGES[name]
        database = _database_of(config, template)
        with psycopg.connect(libpq_url(database), autocommit=True) as owner:
            owner.execute(f"alter table accesslog.{table} disable trigger all".encode())
            where = where.replace(f"from {table}", f"from accesslog.{table}")
            before = owner.execute(
                f"select {column}, idx from accesslog.{table} where {where}".replace(
                    ", idx", ", size" if table == "head" else ", idx"
                ).encode()
            ).fetchone()
            assert before is not None
            owner.execute(
                f"update accesslog.{table} set {column} = %s where {where}".encode(),
                [_flipped(before[0])],
            )
            status, out, err = invoke(config, "log", "verify")
            owner.execute(
                f"update accesslog.{table} set {column} = %s where {where}".encode(), [before[0]]
            )
        assert (status, out) == (2, ""), (name, err)
        assert f"The log does not hold: {place}" in err, (name, err)
    status, _, err = invoke(config, "log", "verify")
    assert status == 0, err


@sqlite_only
def test_without_settings_or_with_a_wrong_key_there_is_one_clear_line(
    config: Path, tmp_path: Path
) -> None:
    nothing = perisai("log", "verify", cwd=tmp_path)
    assert nothing.returncode == 1
    other = "perisai-demo.invalid/log+f0f0f0f0+AQ" + "A" * 42
    refused = [
        (nothing.returncode, nothing.stdout, nothing.stderr),
        invoke(tmp_path / "nowhere.toml", "log", "verify"),
        invoke(config, "log", "verify", "--key", "rubbish"),
        invoke(config, "log", "verify", "--key", other),
        invoke(config, "log", "verify", "--export", str(tmp_path / "nowhere")),
    ]
    for status, out, err in refused:
        assert status in (1, 2)
        assert out == ""
        assert len(err.strip().splitlines()) == 1, err


def invoke(config: Path, *arguments: str) -> tuple[int, str, str]:
    """Run a command in this process, which saves its start: status, output, errors."""
    done = CliRunner().invoke(app, arguments, env={"PERISAI_CONFIG": str(config)})
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def _copy(config: Path, name: str) -> tuple[Path, Path]:
    """Give settings and the file of a copy of the log's database beside the real one."""
    original, copy = config.parent / "log.sqlite", config.parent / name
    with sqlite3.connect(original) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    source.close()
    target.close()
    settings = config.parent / f"{name}.toml"
    settings.write_text(config.read_text().replace("/log.sqlite", f"/{name}"))
    return settings, copy


def _change(database: Path, table: str, column: str, where: str) -> None:
    """Change one byte as somebody could who owns the file."""
    with sqlite3.connect(database) as connection:
        _drop_triggers(connection)
        [(value,)] = connection.execute(f"select {column} from {table} where {where} limit 1")
        done = connection.execute(
            f"update {table} set {column} = ? where rowid ="
            f" (select rowid from {table} where {where} limit 1)"
            if table not in ("event_record", "event_agency")
            else f"update {table} set {column} = ? where {where} and {column} = ?",
            [_flipped(value)]
            if table not in ("event_record", "event_agency")
            else [_flipped(value), value],
        )
        assert done.rowcount == 1
    connection.close()


def _script(database: Path, script: str) -> None:
    with sqlite3.connect(database) as connection:
        _drop_triggers(connection)
        connection.executescript(script)
    connection.close()


def _drop_triggers(connection: sqlite3.Connection) -> None:
    for (name,) in connection.execute("select name from sqlite_master where type = 'trigger'"):
        connection.execute(f"drop trigger {name}")


def _flipped(value: object) -> object:
    """Change the lowest bit of the last byte."""
    match value:
        case bytes():
            return value[:-1] + bytes([value[-1] ^ 1])
        case str():
            # The last letter of a signed note is its end of line; one before it is its signature.
            at = len(value) - 2 if value.endswith("\n") else len(value) - 1
            return value[:at] + chr(ord(value[at]) ^ 1) + value[at + 1 :]
        case int():
            return value ^ 1
    raise AssertionError(type(value))


def _database_of(config: Path, template: Template) -> str:
    """Give the owner's address of the copy that *config* names."""
    assert isinstance(template.database, Database)
    name = config.read_text().split("records_url = ")[1].split("\n")[0].strip('"').rsplit("/", 1)[1]
    return template.database.owner_url.rsplit("/", 1)[0] + f"/{name}"
