"""What operators do by command is in the log, at once or at the next start, or is not done."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.accesslog.event import Event, decode
from api.accesslog.reader import LogReader
from api.app import open_house, utc_now
from api.casework.operations import notes_of
from api.cli.main import app
from api.database import engine_of
from api.errors import RefusesToStart
from api.settings import Settings
from api.vocabulary import Action, Outcome, Phase, Role
from tests.conftest import NOON
from tests.world import Clock, Template, opened

CUSTODIANS = ("Ketua", "Sekjen", "Notaris")


@dataclass
class Installed:
    """An installation at rest, and what its operator does with it."""

    folder: Path

    @property
    def config(self) -> Path:
        return self.folder / "perisai.toml"

    @property
    def settings(self) -> Settings:
        return Settings.at(self.config)

    def run(self, *arguments: str | Path) -> Result:
        environment = {"PERISAI_CONFIG": str(self.config)}
        return CliRunner().invoke(app, list(map(str, arguments)), env=environment)

    def change(self, setting: str, value: str) -> None:
        """Set a setting to another value."""
        lines = self.config.read_text().splitlines()
        [place] = [n for n, line in enumerate(lines) if line.startswith(f"{setting} ")]
        lines[place] = f"{setting} = {json.dumps(value)}"
        self.config.write_text("\n".join(lines) + "\n")

    def start(self) -> None:
        async def started() -> None:
            # The commands have the clock of the machine, which a start must not be behind.
            async with open_house(self.settings, Clock(max(NOON, utc_now()))):
                pass

        asyncio.run(started())

    def events(self, since: int = 0) -> list[Event]:
        async def read() -> list[Event]:
            engine = engine_of(self.settings.log_reader_url.get_secret_value())
            try:
                reader = LogReader(engine)
                entries = await reader.entries(since, (await reader.head()).size)
                return [decode(entry.body) for entry in entries]
            finally:
                await engine.dispose()

        return asyncio.run(read())

    def without_a_log(self) -> None:
        """Let the log's writer lead nowhere."""
        self.change("log_url", f"sqlite+aiosqlite:///{self.folder}/nowhere/log.sqlite")


@pytest.fixture
def installed(template: Template, tmp_path: Path) -> Installed:
    async def made() -> None:
        async with opened(template, tmp_path / "perisai", Clock(NOON), drop=False):
            pass

    asyncio.run(made())
    return Installed(tmp_path / "perisai")


def told(events: Sequence[Event]) -> list[tuple[Action, Phase, Outcome | None]]:
    assert all(event.role is Role.OPERATOR and event.actor is None for event in events)
    return [(event.action, event.phase, event.outcome) for event in events]


def pair(action: Action, outcome: Outcome = Outcome.DONE) -> list[Any]:
    return [(action, Phase.INTENT, None), (action, Phase.OUTCOME, outcome)]


def backup(to: Path) -> list[str | Path]:
    named = [part for name in CUSTODIANS for part in ("--custodian", name)]
    return ["keys", "backup", "--to", to, "--shares", "3", "--threshold", "2", *named]


def test_key_operations_are_told_with_their_end_and_without_a_name(
    installed: Installed, tmp_path: Path
) -> None:
    before = len(installed.events())

    assert installed.run("keys", "add", "lembaga-baru").exit_code == 0
    assert installed.run(*backup(tmp_path / "backup")).exit_code == 0
    assert installed.run("keys", "create").exit_code == 1  # They are there already.
    assert installed.run("log", "create-key").exit_code == 1

    events = installed.events(before)
    assert told(events) == [
        *pair(Action.ADD_KEYS),
        *pair(Action.BACK_UP_KEYS),
        *pair(Action.CREATE_KEYS, Outcome.NOTHING),
        *pair(Action.CREATE_LOG_KEY, Outcome.NOTHING),
    ]
    assert events[0].agencies == ("lembaga-baru",)
    assert set(installed.settings.owners) < set(events[2].agencies)
    assert [event.intent for event in events[1::2]] == [before, before + 2, before + 4, before + 6]
    assert not list(installed.folder.glob("*.operations"))


def test_an_export_and_a_verification_are_events(installed: Installed, tmp_path: Path) -> None:
    before = len(installed.events())

    exported = installed.run("log", "export", tmp_path / "export")
    assert exported.exit_code == 0, exported.stderr
    verified = installed.run("log", "verify")
    assert verified.exit_code == 0, verified.stderr
    elsewhere = installed.run("log", "verify", "--export", tmp_path / "export")
    assert elsewhere.exit_code == 0, elsewhere.stderr

    *export, verify = installed.events(before)
    assert told(export) == pair(Action.EXPORT_LOG)
    assert told([verify]) == [(Action.VERIFY_LOG, Phase.WHOLE, None)]
    assert verify.count == before + 2
    assert verify.agencies == tuple(sorted(installed.settings.owners))
    assert "not in the log" not in verified.stderr


def test_without_an_event_there_is_no_export_and_a_verification_says_so(
    installed: Installed, tmp_path: Path
) -> None:
    installed.without_a_log()
    size = len(installed.events())

    exported = installed.run("log", "export", tmp_path / "export")
    verified = installed.run("log", "verify")

    assert exported.exit_code == 1
    assert not (tmp_path / "export").exists()
    assert verified.exit_code == 0, verified.stderr
    assert "is not in the log" in verified.stderr
    assert len(installed.events()) == size


@pytest.mark.parametrize("template", ["postgresql"], indirect=True)
def test_who_may_only_read_the_log_gets_no_export(installed: Installed, tmp_path: Path) -> None:
    installed.change("log_url", installed.settings.log_reader_url.get_secret_value())
    size = len(installed.events())

    assert installed.run("log", "export", tmp_path / "export").exit_code == 1
    assert installed.run("log", "verify").exit_code == 0

    assert not (tmp_path / "export").exists()
    assert len(installed.events()) == size


def test_what_no_log_took_is_told_by_the_next_start_once(
    installed: Installed, tmp_path: Path
) -> None:
    right = installed.config.read_text()
    installed.without_a_log()
    assert installed.run("keys", "add", "lembaga-baru").exit_code == 0
    assert installed.run(*backup(tmp_path / "backup")).exit_code == 0
    installed.settings.log_signing_key.rename(tmp_path / "key")
    assert installed.run("log", "create-key").exit_code == 0
    (tmp_path / "key").rename(installed.settings.log_signing_key)
    notes = [notes_of(installed.settings.log_state), notes_of(installed.folder / "keys")]
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in notes)
    installed.config.write_text(right)
    before = len(installed.events())

    installed.start()
    installed.start()

    *events, start, again = installed.events(before)
    assert sorted(told(events)) == [
        (action, Phase.WHOLE, None)
        for action in (Action.ADD_KEYS, Action.BACK_UP_KEYS, Action.CREATE_LOG_KEY)
    ]
    assert [start.action, again.action] == [Action.START] * 2
    assert not any(path.exists() for path in notes)


def test_a_signer_whose_settings_name_no_agency_tells_of_its_key(installed: Installed) -> None:
    whole = installed.config.read_text()
    before = len(installed.events())
    installed.settings.log_signing_key.unlink()
    names = ("log_url", "log_signer_url", "log_origin", "log_signing_key", "log_state")
    mine = [line for line in whole.splitlines() if line.startswith(names)]
    installed.config.write_text("\n".join(mine))

    made = installed.run("log", "create-key")

    assert made.exit_code == 0, made.stderr
    installed.config.write_text(whole)
    events = installed.events(before)
    assert told(events) == pair(Action.CREATE_LOG_KEY)
    assert {event.agencies for event in events} == {()}


def test_what_was_not_done_is_not_told_later(installed: Installed) -> None:
    installed.without_a_log()

    assert installed.run("keys", "create").exit_code == 1

    assert not notes_of(installed.folder / "keys").exists()


def test_what_can_be_told_neither_now_nor_later_is_not_done(installed: Installed) -> None:
    installed.without_a_log()
    notes_of(installed.folder / "keys").mkdir()
    keys = (installed.folder / "keys").read_bytes()

    added = installed.run("keys", "add", "lembaga-baru")

    assert added.exit_code == 1
    assert "takes no event" in added.stderr
    assert (installed.folder / "keys").read_bytes() == keys


def test_restored_keys_are_told_by_the_start_that_uses_them(
    installed: Installed, tmp_path: Path
) -> None:
    assert installed.run(*backup(tmp_path / "backup")).exit_code == 0
    secret = tmp_path / "secret"
    secret.touch(mode=0o600)
    secret.write_text("sedia payung sebelum hujan")
    sheets = sorted((tmp_path / "backup.shares").iterdir())[:2]
    new = installed.folder / "restored"
    given = [part for sheet in sheets for part in ("--share", sheet)]
    restored = installed.run(
        "keys",
        "restore",
        tmp_path / "backup",
        "--key-file",
        new,
        *given,
        "--passphrase-file",
        secret,
    )
    assert restored.exit_code == 0, restored.output
    installed.change("key_file", str(new))
    installed.change("key_passphrase_file", str(secret))
    before = len(installed.events())

    installed.start()

    event, start = installed.events(before)
    assert told([event]) == [(Action.RESTORE_KEYS, Phase.WHOLE, None)]
    assert start.action is Action.START


def noted(**changes: object) -> Callable[[], str]:
    line = {"at": "2026-11-02T12:00:00+00:00", "action": "add_keys", "agencies": ["lpsk"]}
    return lambda: json.dumps({**line, **changes}) + "\n"


@pytest.mark.parametrize("template", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "text",
    [
        "not JSON\n",
        "[]\n",
        "{}\n",
        noted(action="stare")(),
        noted(at="yesterday")(),
        noted(at="2026-11-02T12:00:00")(),
        noted(at="2026-11-02T12:00:00+07:00")(),
        noted(agencies=["two words"])(),
        noted(agencies=[1])(),
        "\xff\n",
    ],
)
def test_a_start_refuses_notes_that_somebody_damaged(installed: Installed, text: str) -> None:
    notes_of(installed.settings.log_state).write_text(text, encoding="latin-1")
    size = len(installed.events())

    with pytest.raises(RefusesToStart, match="is damaged"):
        installed.start()

    assert len(installed.events()) == size
