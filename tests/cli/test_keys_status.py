"""The status tells which keys are due to be retired."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from api.cli import keys
from api.cli.main import app
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from api.crypto.key_service import KeyKind
from tests.cli.test_key_backup import OLD, SETTINGS

MADE = datetime(2026, 1, 1, tzinfo=UTC)
ROTATED = MADE + timedelta(days=20)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "keys"
    FileKeyService.create(path, lambda: OLD, ["lpsk"], cost=Cost(8, 1, 1), now=lambda: MADE)
    service = FileKeyService.open(path, lambda: OLD, ["lpsk"], now=lambda: ROTATED)
    asyncio.run(service.rotate("lpsk", KeyKind.KEK))
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text(OLD)
    (tmp_path / "perisai.toml").write_text(SETTINGS.format(folder=tmp_path, days=30))
    monkeypatch.setenv("PERISAI_CONFIG", str(tmp_path / "perisai.toml"))
    monkeypatch.setenv("COLUMNS", "200")
    return tmp_path


def status(monkeypatch: pytest.MonkeyPatch, days: int) -> str:
    monkeypatch.setattr(keys, "utc_now", lambda: MADE + timedelta(days=days))
    result = CliRunner().invoke(app, ["keys", "status"])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    ("days", "old"), [(30, ""), (31, "kek 1 of lpsk."), (51, "kek 1 of lpsk, kek 2 of lpsk.")]
)
def test_a_kek_that_is_older_than_the_setting_is_warned_of(
    folder: Path, monkeypatch: pytest.MonkeyPatch, days: int, old: str
) -> None:
    text = status(monkeypatch, days)
    assert str(days) in text
    assert str(days - 20) in text
    assert "never" in text
    if old:
        assert f"Older than 30 days: {old} Rotate" in text
    else:
        assert "Older than" not in text


def test_what_was_retired_is_warned_of_no_more(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = FileKeyService.open(folder / "keys", lambda: OLD, ["lpsk"], now=lambda: ROTATED)
    asyncio.run(service.destroy_below("lpsk", KeyKind.KEK, 2))
    text = status(monkeypatch, 31)
    assert "Older than" not in text
    assert "2026-01-21" in text
