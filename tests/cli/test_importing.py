"""`perisai import` sends a file, shows what is told of it, and writes a report without a value."""

import io
import json
import stat
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from api.cli import importing
from api.cli.main import app
from api.demo.synthetic import BUDI, SARI
from tests.scenarios.importing import BAD_NIK, MAPPING, ROWS, SECRETS, body, table
from tests.world import World

TOML = """
[caseFile]
status = { constant = "closed" }
province = "31"
openedOn = "Dibuka"
[[defenders]]
fullname = "Nama"
"""


def signed_in(world: World, who: str) -> httpx.AsyncClient:
    world.client.headers["authorization"] = f"Bearer {world.token(who)}"
    return world.client


async def test_a_file_is_checked_and_then_imported_and_the_report_holds_no_value(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    client, sent = signed_in(world, BUDI), body(table(*ROWS, BAD_NIK), MAPPING)
    report, moves = io.StringIO(), []

    def moved(done: int, of: int) -> None:
        moves.append((done, of))

    found = await importing.carry(client, sent, write=False, to=report, moved=moved)
    importing.show(found)

    assert (found[-1]["kind"], found[-1]["state"]) == ("end", "refused")
    printed = capsys.readouterr()
    assert "NIK_INVALID" in printed.out
    assert "4 rows: 1 faulty, 0 left out, 0 case files written now" in printed.out

    sent = body(table(*ROWS, BAD_NIK), MAPPING | {"skipFaultyRows": True})
    found = await importing.carry(client, sent, write=True, to=report, moved=moved)
    importing.show(found)

    printed = capsys.readouterr()
    assert "3 case files written now, 3 in all. All of it is there." in printed.out
    assert moves[-1] == (3, 3)
    assert len([json.loads(line) for line in report.getvalue().splitlines()]) == 9
    for secret in SECRETS:
        assert secret not in report.getvalue() + printed.out + printed.err


async def test_a_refusal_is_shown_by_its_code(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    client = signed_in(world, SARI)
    found = await importing.carry(
        client, body(table()), write=True, to=io.StringIO(), moved=lambda _done, _of: None
    )
    importing.show(found)

    assert [line["code"] for line in found] == ["NOT_ALLOWED"]
    assert "NOT_ALLOWED" in capsys.readouterr().err


async def test_an_answer_that_is_cut_off_is_no_success() -> None:
    line = json.dumps({"kind": "written", "row": 2, "caseFileId": "x", "reference": "y"})
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, text=line + "\n"))
    async with httpx.AsyncClient(transport=transport, base_url="https://x") as client:
        found = await importing.carry(
            client, b"", write=True, to=io.StringIO(), moved=lambda _done, _of: None
        )
    assert found[-1]["code"] == "CUT_OFF"


@pytest.mark.parametrize(
    ("mapping", "url", "says"),
    [
        (TOML, "https://x.example", "defenders[0]: a field that is not imported"),
        (TOML, "https://x.example", "caseFile.sensitivity is missing"),
        ("caseFile = ", "https://x.example", "is no .toml file"),
        (None, "http://x.example", "must begin with https://"),
        (None, "http://127.0.0.1:1", "cannot be reached"),
    ],
)
def test_what_is_wrong_before_anything_is_sent_is_said_in_one_line(
    tmp_path: Path, mapping: str | None, url: str, says: str
) -> None:
    file, said = tmp_path / "kasus.csv", tmp_path / "mapping.toml"
    file.write_bytes(table())
    if mapping is None:
        said = tmp_path / "mapping.json"
        mapping = json.dumps(MAPPING)
    said.write_text(mapping, encoding="utf-8")

    result = CliRunner().invoke(
        app,
        ["import", str(file), "--mapping", str(said), "--url", url],
        env={importing.VARIABLE: "a-token"},
    )

    assert result.exit_code == 1
    assert says in result.output
    report = tmp_path / "kasus.csv.report.ndjson"
    assert not report.exists() or stat.S_IMODE(report.stat().st_mode) == 0o600


def test_nothing_is_sent_without_a_token(tmp_path: Path) -> None:
    file, said = tmp_path / "kasus.csv", tmp_path / "mapping.json"
    file.write_bytes(table())
    said.write_text(json.dumps(MAPPING), encoding="utf-8")

    result = CliRunner().invoke(
        app,
        ["import", str(file), "--mapping", str(said), "--url", "https://x.example"],
        env={importing.VARIABLE: ""},
    )

    assert (result.exit_code, "PERISAI_TOKEN" in result.output) == (1, True)
