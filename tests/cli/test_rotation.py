"""The commands that rotate and retire keys: what they do, say, and end with."""

import asyncio
import re
from pathlib import Path

import pytest
from rich.progress import Progress
from typer.testing import CliRunner

from api.app import utc_now
from api.cli import rotation
from api.cli.main import app
from api.cli.terminal import RateColumn
from api.crypto.key_file import Cost
from api.demo.install import Databases, install
from api.demo.synthetic import synthetic
from tests.world import Template

OWNER = "komnas-ham"


@pytest.fixture(scope="module")
def today(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Install today: the commands read the clock of the machine."""
    folder = tmp_path_factory.mktemp("today") / "perisai"
    records = synthetic(7, utc_now().date(), 12)
    asyncio.run(
        install(
            folder,
            Databases.embedded(folder),
            records,
            clock=utc_now,
            progress=lambda _count: None,
            cost=Cost(8, 1, 1),
        )
    )
    return Template("sqlite", folder, records, None, None)


@pytest.fixture
def installed(today: Template, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Copy the installation, and let the commands find its settings."""
    config, _ = today.copy(tmp_path / "perisai")
    monkeypatch.setenv("PERISAI_CONFIG", str(config))
    return config


def run(*arguments: str, status: int = 0) -> tuple[str, str]:
    result = CliRunner().invoke(app, ["keys", *arguments])
    assert result.exit_code == status, result.output
    return result.stdout, result.stderr


def versions(kind: str) -> list[int]:
    stdout, _ = run("status")
    rows = re.findall(rf"{OWNER}\s+│\s+{kind}\s+│\s+(\d+)", stdout)
    return [int(row) for row in rows]


def test_each_kind_of_key_is_rotated_and_then_retired(installed: Path) -> None:
    for kind in ("--kek", "--data", "--index"):
        stdout, _ = run("rotate", kind, "--agency", OWNER)
        assert re.search(rf"^{OWNER}: \d+ done\.$", stdout, re.MULTILINE)
    assert (versions("kek"), versions("idx")) == ([1, 2], [1, 2])

    kept, _ = run("retire", "--agency", OWNER)
    assert f"{OWNER}: no kek to retire." in kept
    stdout, _ = run("retire", "--agency", OWNER, "--all-unused")

    assert f"{OWNER}: kek below version 2 is destroyed." in stdout
    assert f"{OWNER}: idx below version 2 is destroyed." in stdout
    assert (versions("kek"), versions("idx")) == ([2], [2])


def test_without_an_agency_all_that_are_served_are_rotated(installed: Path) -> None:
    stdout, _ = run("rotate", "--kek")

    assert {line.split(":")[0] for line in stdout.splitlines()} >= {OWNER, "lpsk"}


@pytest.mark.parametrize("kinds", [(), ("--kek", "--data"), ("--kek", "--data", "--index")])
def test_one_kind_of_key_is_to_be_named(installed: Path, kinds: tuple[str, ...]) -> None:
    _, stderr = run("rotate", *kinds, status=2)

    assert "one of --kek, --data, --index" in stderr
    assert versions("kek") == [1]


@pytest.mark.parametrize("command", [("rotate", "--kek"), ("retire",)])
def test_keys_of_who_is_not_served_are_refused(installed: Path, command: tuple[str, ...]) -> None:
    _, stderr = run(*command, "--agency", "nobody", status=1)

    assert stderr.strip().endswith("nobody is not among the `owners` of the settings.")


def test_what_was_left_is_said_and_ends_with_a_status_of_its_own(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = rotation.Rotated(3, {"data_key": 2}, [], [], 1)

    async def rotate(*_: object) -> rotation.Rotated:
        return left

    monkeypatch.setitem(rotation._RUNS, "index", rotate)

    _, stderr = run("rotate", "--index", "--agency", OWNER, status=rotation.LEFT)

    assert "2 rows of data_key do not hold and were left" in stderr
    assert "1 running processes do not take over the new version" in stderr


def test_a_bar_shows_how_many_are_done_in_a_second() -> None:
    moment = [0.0]
    progress = Progress(get_time=lambda: moment[0])
    task = progress.add_task("sealing", total=3000)
    column = RateColumn()
    assert column.render(progress.tasks[task]).plain == ""
    for _ in range(3):
        moment[0] += 1
        progress.update(task, advance=1000)

    assert column.render(progress.tasks[task]).plain == "1,000/s"
