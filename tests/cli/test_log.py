"""`perisai log ...` as an auditor runs it: real processes on a real installation."""

import re
import sqlite3
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.event import decode
from api.accesslog.note import ED25519, VerifierKey
from api.cli.main import app
from api.crypto.signatures import SigningKey
from api.demo.synthetic import SARI, TUTI
from api.settings import Settings
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
    stray = tmp_path / "export" / "[bold]more"
    stray.write_bytes(b"")
    more = invoke(config, "log", "verify", "--export", str(tmp_path / "export"))
    assert (more[0], f"{stray}: it does not belong" in more[2]) == (2, True)
    stray.unlink()
    tile = next((tmp_path / "export" / "tile").glob("0/*.p/*"))
    content = tile.read_bytes()
    tile.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    changed = invoke(config, "log", "verify", "--export", str(tmp_path / "export"))
    assert (changed[0], str(tile) in changed[2]) == (2, True)


@sqlite_only
def test_a_live_log_is_verified_with_its_address_and_public_keys_alone(
    config: Path, tmp_path: Path
) -> None:
    vkey = invoke(config, "log", "key")[1].strip()
    stranger = str(VerifierKey("other.example/log", ED25519, bytes(31) + b"\1"))
    # Nobody needs what only the service has.
    settings = Settings.at(config)
    settings.log_signing_key.unlink()
    settings.log_state.unlink()
    config.unlink()
    address = f"sqlite+aiosqlite:///{config.parent / 'log.sqlite'}"

    alone = perisai(
        "log", "verify", "--database", address, "--key", vkey, "--key", stranger, cwd=tmp_path
    )

    assert alone.returncode == 0, alone.stderr
    assert alone.stdout.startswith("The log holds: ")
    assert "records" not in alone.stdout
    # An address holds a password, which is better not seen in a list of processes.
    quiet = CliRunner().invoke(
        app, ["log", "verify", "--key", vkey], env={"PERISAI_LOG_DATABASE": address}
    )
    assert (quiet.exit_code, quiet.stdout) == (0, alone.stdout)
    for refused, said in (
        (["--database", address], "with --key"),
        (["--database", f"{address}x", "--key", vkey], "There is no access log at"),
        (["--database", address, "--key", "rubbish"], "not a verifier key"),
        (["--database", address, "--key", vkey, "--from", "nowhere"], "cannot be read"),
        (["--database", address, "--key", stranger], "checkpoint"),
    ):
        status, out, err = invoke(tmp_path / "nowhere.toml", "log", "verify", *refused)
        assert (status, out) == (
            (2 if "--key" in refused[-2:-1] and said == "checkpoint" else 1),
            "",
        )
        assert said in err
        assert len(err.strip().splitlines()) == 1, err
    assert not Path(f"{config.parent / 'log.sqlite'}x").exists()


@sqlite_only
def test_a_log_and_its_export_continue_the_checkpoint_that_an_auditor_kept(
    config: Path, tmp_path: Path
) -> None:
    notes = _notes(config)
    kept = tmp_path / "kept.txt"
    kept.write_text(notes[0], encoding="utf-8")
    assert invoke(config, "log", "export", str(tmp_path / "export"))[0] == 0
    export = ("--export", str(tmp_path / "export"))

    for of in ((), export):
        status, out, err = invoke(config, "log", "verify", *of, "--from", str(kept))
        assert status == 0, err
        assert f"It continues the checkpoint of {_size(notes[0])} events that you kept." in out

    # The log's own key signed for another past: the log was forked.
    key = SigningKey.load(Settings.at(config).log_signing_key)
    size = _size(notes[-1])
    forked = Checkpoint(Settings.at(config).log_origin, size, bytes(32)).sign(key)
    (tmp_path / "forked.txt").write_text(forked, encoding="utf-8")
    longer = Checkpoint(Settings.at(config).log_origin, size + 9, bytes(32)).sign(key)
    (tmp_path / "longer.txt").write_text(longer, encoding="utf-8")
    for of in ((), export):
        both = ("--from", str(kept), "--from", str(tmp_path / "forked.txt"))
        status, out, err = invoke(config, "log", "verify", *of, *both)
        assert (status, out) == (2, "")
        assert f"entry {_size(notes[0])} to {size - 1}: up to here it is not the log" in err
        status, out, err = invoke(
            config, "log", "verify", *of, "--from", str(tmp_path / "longer.txt")
        )
        assert (status, out) == (2, "")
        assert re.search(rf"head \d+: the log was {size + 9} long before", err)


@sqlite_only
def test_a_checkpoint_that_was_taken_away_is_missed(config: Path) -> None:
    sizes = [_size(note) for note in _notes(config)]
    assert len(sizes) >= 2
    for size, said in (
        (sizes[0], f"checkpoint {sizes[1]}: one before it is missing"),
        (sizes[-1], f"checkpoint {sizes[-1]}: the signer signed for so many entries"),
    ):
        copy, database = _copy(config, f"without{size}.sqlite")
        _script(database, f"delete from checkpoint where size = {size}")

        status, out, err = invoke(copy, "log", "verify")

        assert (status, out) == (2, "")
        assert said in err


@sqlite_only
def test_each_kind_of_fault_has_its_line(config: Path) -> None:
    copy, database = _copy(config, "several.sqlite")
    _script(
        database,
        "update entry set hashes = zeroblob(32) where idx in (4, 6);"
        " update event set actor = 'x' where idx = 2; delete from event_agency where idx = 8",
    )

    status, out, err = invoke(copy, "log", "verify")

    assert (status, out) == (2, "")
    lines = [line for line in err.splitlines() if line.startswith("The log does not hold: ")]
    for line, place in zip(
        lines, ("entry 4:", "event 2:", "event 2:", "event_agency 8:"), strict=True
    ):
        assert line.removeprefix("The log does not hold: ").startswith(place)


@sqlite_only
def test_an_event_is_proven_and_the_proof_checked_elsewhere(config: Path, tmp_path: Path) -> None:
    vkey = invoke(config, "log", "key")[1].strip()
    proof = tmp_path / "event.proof"
    assert invoke(config, "log", "prove", "3", str(proof))[0] == 0
    leaf = tmp_path / "event.proof.leaf"
    assert decode(leaf.read_bytes()).action

    checked = perisai("log", "check-proof", str(proof), "--key", vkey, cwd=tmp_path)

    assert checked.returncode == 0, checked.stderr
    assert checked.stdout.startswith("Event 3 is in the log ")
    again = invoke(config, "log", "prove", "3", str(proof))
    assert (again[0], "already" in again[2]) == (1, True)
    for index, said in (("100000", "has no event"),):
        status, _, err = invoke(config, "log", "prove", index, str(tmp_path / "more.proof"))
        assert (status, said in err) == (1, True)
    other = str(VerifierKey("other.example/log", ED25519, bytes(31) + b"\1"))
    text, body = proof.read_text(encoding="utf-8"), leaf.read_bytes()
    for changed, of, key in (
        (text.replace("index 3", "index 2"), body, vkey),
        (text, body.replace(b'"v":1', b'"v":2'), vkey),
        (text[:-3] + ("A" if text[-3] != "A" else "B") + text[-2:], body, vkey),
        (text, body, other),
        ("rubbish", body, vkey),
    ):
        proof.write_text(changed, encoding="utf-8")
        leaf.write_bytes(of)
        status, out, err = invoke(
            tmp_path / "nowhere.toml", "log", "check-proof", str(proof), "--key", key
        )
        assert (status, out) == (2, ""), changed
        assert err.startswith("The proof does not hold: ")


@sqlite_only
def test_that_a_log_goes_on_from_a_checkpoint_is_proven_and_checked_elsewhere(
    config: Path, tmp_path: Path
) -> None:
    vkey = invoke(config, "log", "key")[1].strip()
    notes = _notes(config)
    kept = tmp_path / "kept.txt"
    kept.write_text(notes[0], encoding="utf-8")
    address = f"sqlite+aiosqlite:///{config.parent / 'log.sqlite'}"
    nowhere = tmp_path / "nowhere.toml"
    keyed = ("--database", address, "--key", vkey)
    for file, options in (("newest", ()), ("same", ("--to", str(_size(notes[0]))))):
        target = str(tmp_path / file)
        done = invoke(nowhere, "log", "consistency", str(kept), target, *options, *keyed)
        assert done[0] == 0, done[2]
        check = ("log", "check-proof", target, "--key", vkey)
        status, out, err = invoke(nowhere, *check, "--from", str(kept))
        assert status == 0, err
        assert f"continues that of {_size(notes[0])}." in out
        assert invoke(nowhere, *check)[0] == 1

    # Not from a past that it did not have, nor to a size that was never signed.
    key = SigningKey.load(Settings.at(config).log_signing_key)
    origin = Settings.at(config).log_origin
    kept.write_text(Checkpoint(origin, _size(notes[0]), bytes(32)).sign(key), encoding="utf-8")
    status, _, err = invoke(nowhere, "log", "consistency", str(kept), str(tmp_path / "no"), *keyed)
    assert (status, "does not continue" in err) == (2, True)
    status, out, err = invoke(
        nowhere, "log", "check-proof", str(tmp_path / "newest"), "--key", vkey, "--from", str(kept)
    )
    assert (status, out) == (2, "")
    status, _, err = invoke(
        nowhere, "log", "consistency", str(kept), str(tmp_path / "no"), "--to", "1", *keyed
    )
    assert (status, "no checkpoint of 1 events" in err) == (1, True)
    assert not (tmp_path / "no").exists()


def _notes(config: Path) -> list[str]:
    with sqlite3.connect(config.parent / "log.sqlite") as connection:
        notes = [row[0] for row in connection.execute("select note from checkpoint order by size")]
    connection.close()
    return notes


def _size(note: str) -> int:
    return int(note.split("\n")[1])


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
        " delete from event_record where idx >= 20; delete from event_agency where idx >= 20;"
        " delete from event_word where idx >= 20",
        "all of it": "delete from entry; delete from head; delete from checkpoint;"
        " delete from event; delete from event_record; delete from event_agency;"
        " delete from event_word",
        "one in the middle": "delete from entry where idx = 9",
        "a search row": "delete from event_agency where idx = 6",
        "a row too many": "insert into event_agency (agency, idx, at, action, decision)"
        " values ('lpsk', 1, 0, 'read', 'disclosed')",
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


@sqlite_only
def test_records_that_are_older_than_the_log_says_are_found(config: Path) -> None:
    before = perisai("log", "verify", config=config)
    assert before.returncode == 0, before.stderr
    assert "The records are as new as it says: " in before.stdout
    _script(config.parent / "records.sqlite", "delete from manifest where rowid = 1")

    after = perisai("log", "verify", config=config)

    assert after.returncode == 2
    assert "The records are as new" not in after.stdout
    assert "The records are not as the log says: event " in after.stderr
    assert "of a record is gone" in after.stderr


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
    address = Settings.at(config).log_reader_url.get_secret_value()
    vkey = invoke(config, "log", "key")[1].strip()
    alone = invoke(Path("nowhere"), "log", "verify", "--database", address, "--key", vkey)
    assert alone[0] == 0, alone[2]
    # It only reads; what verifies with the settings leaves an event afterwards.
    status, out, err = invoke(config, "log", "verify")
    assert status == 0, err
    assert alone[1].splitlines()[0] == out.splitlines()[0]


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
            if table not in ("event_record", "event_agency", "event_word")
            else f"update {table} set {column} = ? where {where} and {column} = ?",
            [_flipped(value)]
            if table not in ("event_record", "event_agency", "event_word")
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
