"""`perisai release trace` says whose copy it was, or why it cannot."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from api.demo.synthetic import RATNA
from api.vocabulary import Action, Role
from tests.cli.test_operations import Installed, installed
from tests.conftest import NOON
from tests.scenarios.test_partner import ask, made_for
from tests.world import Answer, Clock, Template, opened

__all__ = ["installed"]

#: The three tests start the service some twenty times.
pytestmark = pytest.mark.long

ONE = "query ($id: ID!) { release(id: $id) { id mark content { summary } } }"


def fetched(template: Template, folder: Path) -> tuple[Answer, Any]:
    """Let Ratna fetch her release of an installation in *folder*."""

    async def fetch() -> tuple[Answer, Any]:
        async with opened(template, folder, Clock(NOON), drop=False) as world:
            [release] = made_for(world, RATNA, live=True)
            return await ask(world, RATNA, ONE, id=str(release.id)), world.records.member(RATNA)

    return asyncio.run(fetch())


def test_a_copy_is_traced_to_who_fetched_it(template: Template, tmp_path: Path) -> None:
    answer, ratna = fetched(template, tmp_path / "perisai")
    there = Installed(tmp_path / "perisai")
    copy = tmp_path / "copy.json"
    copy.write_text(answer.text, encoding="utf-8")
    release, mark = (answer.data["release"][name] for name in ("id", "mark"))
    before = len(there.events())

    for given in ([copy], ["--mark", mark.lower().replace("-", " ")]):
        result = there.run("release", "trace", *given)

        assert result.exit_code == 0, result.output
        said = " ".join(result.output.split())
        assert said.startswith(f"{mark} release {release} of komnas-ham")
        assert f"by {ratna.id} of {ratna.organisation} event " in said
        index = int(said.split(" event ")[1].split()[0])
        assert there.events()[index].actor == ratna.id
        assert answer.data["release"]["content"]["summary"] not in result.output
    looks = [e for e in there.events(before) if e.action is Action.READ_LOG]
    assert [e.role for e in looks] == [Role.OPERATOR] * 2


def test_a_copy_that_says_nothing_leaves_no_event(installed: Installed, tmp_path: Path) -> None:
    copy, broken = tmp_path / "copy.txt", tmp_path / "copy.pdf"
    copy.write_text("Tanpa tanda.", encoding="utf-8")
    broken.write_bytes(b"%PDF-1.7 broken")
    before = len(installed.events())

    for given, code, words in (
        ([copy], 1, "There is no mark in it"),
        ([broken], 1, "COPY_NOT_READ"),
        ([tmp_path / "nowhere"], 1, "COPY_NOT_READ"),
        ([], 2, "give a file, or --mark"),
        ([copy, "--mark", "PRS"], 2, "give a file, or --mark"),
    ):
        result = installed.run("release", "trace", *given)
        assert (result.exit_code, words in result.output) == (code, True), result.output

    assert len(installed.events()) == before


def test_a_mark_of_no_fetch_is_told_so_and_leaves_an_event(installed: Installed) -> None:
    before = len(installed.events())

    result = installed.run("release", "trace", "--mark", MADE_UP)

    assert result.exit_code == 1
    assert "No fetch in the access log has this mark" in result.output
    assert Action.READ_LOG in [e.action for e in installed.events(before)]


#: A mark whose check holds, and which no key made.
MADE_UP = "PRS-0000-0000-0000-0000-D6ZY"
