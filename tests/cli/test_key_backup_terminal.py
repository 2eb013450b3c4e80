"""On a real terminal, what a custodian types is never shown."""

import fcntl
import os
import select
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.crypto import key_file
from api.crypto.file_key_service import FileKeyService
from api.crypto.key_file import Cost
from tests.cli.test_key_backup import NEW, OLD, OWNERS, SETTINGS, Desk
from tests.processes import LIMIT, PERISAI, environment


class Terminal:
    """A pseudo-terminal with one command on it, ended by its own id."""

    def __init__(self, *arguments: str) -> None:
        self._master, slave = os.openpty()
        self.shown = ""

        def take() -> None:
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*PERISAI, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environment(),
            preexec_fn=take,
        )
        os.close(slave)
        self._until = time.monotonic() + LIMIT

    def read(self) -> bool:
        """Read what is shown meanwhile; tell whether there may be more."""
        assert time.monotonic() < self._until, self.shown
        if not select.select([self._master], [], [], 0.02)[0]:
            return True
        try:
            data = os.read(self._master, 4096)
        except OSError:  # The command has ended.
            return False
        self.shown += data.decode()
        return bool(data)

    def answer(self, question: str, line: str) -> None:
        """Type *line* once *question* is there and its answer would not be echoed.

        The echo is on between two questions: it goes off after the question was shown.
        """
        while question not in self.shown or termios.tcgetattr(self._master)[3] & termios.ECHO:
            assert self.read(), self.shown
        os.write(self._master, f"{line}\n".encode())

    def end(self) -> int:
        while self.read():
            pass
        return self.process.wait(LIMIT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self._master)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    FileKeyService.create(tmp_path / "keys", lambda: OLD, OWNERS, cost=Cost(8, 1, 1))
    (tmp_path / "passphrase").touch(mode=0o600)
    (tmp_path / "passphrase").write_text(OLD)
    (tmp_path / "perisai.toml").write_text(SETTINGS.format(folder=tmp_path, days=30))
    monkeypatch.setenv("PERISAI_CONFIG", str(tmp_path / "perisai.toml"))
    desk = Desk(tmp_path)
    desk.back_up()
    return desk


@pytest.fixture
def terminal(desk: Desk) -> Iterator[Terminal]:
    # No settings are needed: the machine that is restored on may be a new one.
    terminal = Terminal(
        *("keys", "restore", str(desk.backup), "--key-file", str(desk.folder / "restored"))
    )
    yield terminal
    terminal.close()


def test_neither_words_nor_passphrase_are_shown_on_a_terminal(
    desk: Desk, terminal: Terminal
) -> None:
    words = desk.words()
    for number, line in enumerate(words[1:4], 1):
        terminal.answer(f"Words of share {number} of the 3 needed", line)
    terminal.answer("New passphrase", NEW)
    terminal.answer("Once more", NEW)

    assert terminal.end() == 0, terminal.shown
    assert NEW not in terminal.shown
    for line in words:
        assert not any(" ".join(line.split()[n : n + 2]) in terminal.shown for n in range(32))
    assert key_file.read(desk.folder / "restored", NEW).payload == desk.payload()
