"""Keys are backed up for custodians and restored by a quorum of them, with the commands alone."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from api.app import utc_now
from api.cli import key_backup as commands
from api.cli import share_sheet
from api.cli.main import app
from api.crypto import key_backup, key_file
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.key_shares import combined, share_of
from api.errors import RefusesToStart

OLD, NEW = "pagar makan tanaman", "sedia payung sebelum hujan"
OWNERS = ["komnas-ham", "lpsk"]
CUSTODIANS = ["Ketua", "Sekjen", "Ibu Dewi / LPSK", "Notaris", "Hakim"]

SETTINGS = """
records_url = "sqlite+aiosqlite:///{folder}/records.sqlite"
log_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
log_reader_url = "sqlite+aiosqlite:///{folder}/log.sqlite"
key_file = "{folder}/keys"
key_passphrase_file = "{folder}/passphrase"
key_retirement_days = {days}
owners = ["lpsk"]
audience = "perisai-test"
log_origin = "test.invalid/log"
log_signing_key = "{folder}/log-key.pem"
log_state = "{folder}/log-state"

[[issuers]]
url = "https://issuer.invalid"
organisation = "lpsk"
jwks = "{folder}/jwks.json"
"""


@dataclass
class Desk:
    """A folder with settings, keys and a passphrase, where an operator works."""

    folder: Path

    @property
    def keys(self) -> Path:
        return self.folder / "keys"

    @property
    def backup(self) -> Path:
        return self.folder / "backup"

    @property
    def sheets(self) -> list[Path]:
        return sorted((self.folder / "backup.shares").iterdir())

    def words(self) -> list[str]:
        return [share_sheet.words_of(sheet.read_text()) for sheet in self.sheets]

    def run(self, *arguments: str | Path, typed: str = "") -> Result:
        return CliRunner().invoke(app, ["keys", *map(str, arguments)], input=typed)

    def back_up(self, to: str = "backup", **custodians: list[str]) -> Result:
        names = custodians.get("custodians", CUSTODIANS)
        named = [part for name in names for part in ("--custodian", name)]
        return self.run("backup", "--to", self.folder / to, *named)

    def restore(self, *sheets: Path, typed: str = f"{NEW}\n{NEW}\n") -> Result:
        given = [part for sheet in sheets for part in ("--share", sheet)]
        new = self.folder / "restored"
        return self.run("restore", self.backup, "--key-file", new, *given, typed=typed)

    def payload(self) -> bytes:
        return key_file.read(self.keys, OLD).payload


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    FileKeyService.create(tmp_path / "keys", lambda: OLD, OWNERS, cost=Cost(8, 1, 1))
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text(OLD)
    (tmp_path / "perisai.toml").write_text(SETTINGS.format(folder=tmp_path, days=30))
    monkeypatch.setenv("PERISAI_CONFIG", str(tmp_path / "perisai.toml"))
    return Desk(tmp_path)


def refused(result: Result, why: str) -> None:
    assert result.exit_code == 1, result.output
    assert why in result.stderr


def shows_no_word(result: Result, desk: Desk) -> bool:
    shown = set(result.output.split()) | set(result.stderr.split())
    # Some words of SLIP-0039 are words of our sentences; a run of three is none of them.
    text = " ".join((result.output + result.stderr).split())
    runs = [w.split()[n : n + 3] for w in desk.words() for n in range(31)]
    return bool(shown) and not any(" ".join(run) in text for run in runs)


def test_three_of_five_custodians_restore_all_keys_under_a_new_passphrase(desk: Desk) -> None:
    before = desk.payload()
    made = desk.back_up()
    assert made.exit_code == 0, made.output
    desk.keys.unlink()

    restored = desk.restore(*desk.sheets[1:4])

    assert restored.exit_code == 0, restored.output
    opened = key_file.read(desk.folder / "restored", NEW)
    assert opened.payload == before
    assert opened.cost == Cost()
    assert "komnas-ham, lpsk" in restored.output
    assert shows_no_word(made, desk)
    assert shows_no_word(restored, desk)


def test_shares_may_be_typed_and_are_not_shown_and_a_wrong_one_is_asked_for_again(
    desk: Desk,
) -> None:
    desk.back_up()
    first, second, third, _, _ = desk.words()
    wrong = " ".join(reversed(third.split()))
    secret = desk.folder / "new-passphrase"
    secret.touch(mode=0o600)
    secret.write_text(NEW)

    result = desk.run(
        *("restore", desk.backup, "--key-file", desk.folder / "restored"),
        *("--share", desk.sheets[0], "--passphrase-file", secret),
        typed="\n".join([first, second, wrong, third]),
    )

    assert result.exit_code == 0, result.output
    assert "given already" in result.stderr
    assert "does not hold" in result.stderr
    assert shows_no_word(result, desk)
    assert NEW not in result.output
    assert key_file.read(desk.folder / "restored", NEW).payload == desk.payload()


def test_two_of_five_restore_nothing(desk: Desk) -> None:
    desk.back_up()
    refused(desk.restore(*desk.sheets[:2], typed=""), "3 are needed, 2 different ones")
    same = desk.sheets[0]
    refused(desk.restore(same, same, same, typed="\n"), "3 are needed, 1 different ones")
    assert not (desk.folder / "restored").exists()


def test_a_quorum_of_another_backup_restores_nothing(desk: Desk) -> None:
    desk.back_up("other")
    others = sorted((desk.folder / "other.shares").iterdir())
    desk.back_up()
    result = desk.restore(*others[:3])
    assert result.exit_code == 1
    assert not (desk.folder / "restored").exists()


def test_an_expired_backup_is_refused_before_anybody_types_a_word(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.back_up()
    monkeypatch.setattr(commands, "utc_now", lambda: utc_now() + timedelta(days=31))
    result = desk.restore()
    refused(result, "expired on")
    assert "Words of share" not in result.output + result.stderr
    refused(desk.run("check-share", desk.sheets[0], "--of", desk.backup), "expired on")


def test_the_life_of_a_backup_is_the_time_after_which_keys_are_retired(desk: Desk) -> None:
    desk.back_up()
    notice = key_backup.notice_of(desk.backup.read_bytes(), utc_now())
    assert notice.expires - notice.made == timedelta(days=30)


def test_what_is_there_is_never_replaced(desk: Desk) -> None:
    desk.back_up()
    before = desk.backup.read_bytes()
    refused(desk.back_up(), "never replaced")
    (desk.folder / "second.shares").mkdir()
    refused(desk.back_up("second"), "never replaced")
    assert not (desk.folder / "second").exists()
    assert desk.backup.read_bytes() == before

    (desk.folder / "restored").write_bytes(b"another key file")
    refused(desk.restore(*desk.sheets), "never replaced")
    assert (desk.folder / "restored").read_bytes() == b"another key file"


def test_sheets_and_backup_are_for_their_owner_only_and_the_key_is_in_none(desk: Desk) -> None:
    desk.back_up()
    files = [desk.backup, *desk.sheets]
    assert {file.stat().st_mode & 0o777 for file in files} == {0o600}
    assert (desk.folder / "backup.shares").stat().st_mode & 0o777 == 0o700
    assert [sheet.name for sheet in desk.sheets] == [
        "share-1-Ketua.txt",
        "share-2-Sekjen.txt",
        "share-3-Ibu-Dewi---LPSK.txt",
        "share-4-Notaris.txt",
        "share-5-Hakim.txt",
    ]
    key = combined(share_of(words) for words in desk.words())
    for file in (f for f in desk.folder.rglob("*") if f.is_file()):
        assert key not in file.read_bytes()
        assert key.hex().encode() not in file.read_bytes()
    assert len(set(desk.words())) == 5


def test_a_sheet_says_when_it_ends_and_how_many_are_needed(desk: Desk) -> None:
    desk.back_up()
    notice = key_backup.notice_of(desk.backup.read_bytes(), utc_now())
    text = desk.sheets[2].read_text()
    for line in (
        "PERISAI KEY SHARE 3 of 5",
        "Custodian:      Ibu Dewi / LPSK",
        f"Key backup:     {notice.identifier}",
        "Needed:         3 of 5 shares",
        f"Made:           {notice.made:%Y-%m-%d}",
        f"Expires:        {notice.expires:%Y-%m-%d}",
        "Keys of:        komnas-ham, lpsk",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize("custodian", ["", "Words:", "a\nWords:\nacademic acid", "Ésa 33 words"])
def test_a_sheet_gives_the_words_back_whatever_the_custodian_is_called(
    desk: Desk, custodian: str
) -> None:
    desk.back_up()
    notice = key_backup.notice_of(desk.backup.read_bytes(), utc_now())
    words = desk.words()[0]
    assert len(words.split()) == 33
    assert share_sheet.words_of(share_sheet.printed(notice, 1, custodian, words)) == words
    assert share_sheet.words_of(words.upper()) == words.upper()
    with pytest.raises(RefusesToStart, match="no words"):
        share_sheet.words_of("1 2 3")


def test_a_share_is_checked_without_showing_it(desk: Desk) -> None:
    desk.back_up()
    notice = key_backup.notice_of(desk.backup.read_bytes(), utc_now())
    whole = desk.run("check-share", desk.sheets[4], "--of", desk.backup)
    assert whole.exit_code == 0, whole.output
    assert f"Share 5 of backup {notice.identifier} is whole; 3 are needed." in whole.output
    assert "until" in whole.output
    assert shows_no_word(whole, desk)

    words = desk.words()[4].split()
    (desk.folder / "wrong").write_text(" ".join([words[1], words[0], *words[2:]]))
    wrong = desk.run("check-share", desk.folder / "wrong")
    refused(wrong, "out of its place")
    assert shows_no_word(wrong, desk)
    refused(desk.run("check-share", desk.folder / "nothing"), "cannot be read")


@pytest.mark.parametrize(
    ("custodians", "why"),
    [
        (CUSTODIANS[:4], "different custodian"),
        ([*CUSTODIANS[:4], "Ketua"], "different custodian"),
    ],
)
def test_each_share_has_one_custodian_of_its_own(
    desk: Desk, custodians: list[str], why: str
) -> None:
    refused(desk.back_up(custodians=custodians), why)
    assert not desk.backup.exists()
    assert not (desk.folder / "backup.shares").exists()


def test_a_new_passphrase_that_is_short_or_not_the_same_twice_restores_nothing(
    desk: Desk,
) -> None:
    desk.back_up()
    refused(desk.restore(*desk.sheets, typed="short\nshort\n"), "fewer than 12")
    refused(desk.restore(*desk.sheets, typed=f"{NEW}\n{OLD}\n"), "differ")
    refused(desk.restore(*desk.sheets, typed=""), "fewer than 12")
    assert not (desk.folder / "restored").exists()


def test_a_backup_is_not_made_of_keys_that_do_not_open(desk: Desk) -> None:
    (desk.folder / "passphrase").write_text("another passphrase")
    refused(desk.back_up(), "does not open")
    assert not desk.backup.exists()
    assert not (desk.folder / "backup.shares").exists()
