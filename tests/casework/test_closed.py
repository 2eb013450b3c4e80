"""A case file is closed by its status or by a row, and no condition of that can be left out."""

from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from api.casework.closed import closed_files, proven, stands, waits
from api.database import Connection
from api.store import closings
from api.store.tables import RIGHTS
from tests.casework.built import COLLEAGUE, FILE, ME, NOON, OTHER, OWN, case_file, house, sealed

ASKED = {
    **dict.fromkeys(closings.COLUMNS),
    "id": FILE,
    "case_file": FILE,
    "agency": OWN,
    "requested_by": ME,
    "requested_at": NOON,
    "reason": "other",
    "event": 7,
}
CLOSED = {"approved_by": COLLEAGUE, "closed_at": NOON}
DECLINED = {"declined_by": COLLEAGUE, "declined_at": NOON}
REOPENED = {"reopened_by": COLLEAGUE, "reopened_at": NOON}


def closing(by: str = OWN, **more: Any) -> closings.Row:
    row = ASKED | more
    return {**row, "seal": sealed(by, "closing", [row[name] for name in RIGHTS["closing"]])}


def connection(*rows: closings.Row) -> Connection:
    """Give what answers one statement with *rows*."""

    async def execute(_statement: Any, _given: Any) -> Any:
        return SimpleNamespace(all=lambda: [tuple(row.values()) for row in rows])

    return cast("Connection", SimpleNamespace(execute=execute))


@pytest.mark.parametrize(
    ("status", "rows", "expected"),
    [
        ("active", [], False),
        ("closed", [], True),
        ("active", [closing(**CLOSED)], True),
        ("active", [closing(**CLOSED, **REOPENED)], False),
        ("closed", [closing(**CLOSED, **REOPENED)], True),
        ("active", [closing(**CLOSED, **REOPENED), closing(**CLOSED)], True),
    ],
)
async def test_a_case_file_is_closed_by_its_status_or_by_a_closing_that_stands(
    status: str, rows: list[closings.Row], expected: bool
) -> None:
    file = case_file(values=(status,))

    found = await closed_files(house(), connection(*rows), OWN, [file])

    assert found == ({FILE} if expected else set())


@pytest.mark.parametrize(
    "forged",
    [
        closing(**CLOSED) | REOPENED,
        closing(OTHER, **CLOSED, **REOPENED),
        closing(**CLOSED, **REOPENED, agency=OTHER),
        closing(OTHER, **CLOSED, **REOPENED, agency=OTHER),
    ],
)
async def test_a_closing_whose_seal_does_not_hold_stands(forged: closings.Row) -> None:
    with capture_logs():
        found = await closed_files(
            house(), connection(forged), OWN, [case_file(values=("active",))]
        )

    assert found == {FILE}


async def test_of_another_agencys_case_file_nothing_is_said_nor_read() -> None:
    theirs = case_file(lead=OTHER, values=("closed",))
    none = cast("Connection", None)

    assert await closed_files(house(), none, OWN, [theirs]) == set()


def test_a_row_is_its_agencys_own() -> None:
    assert proven(house(), OWN, closing(**CLOSED))
    assert not proven(house(), OTHER, closing(**CLOSED))
    with capture_logs() as lines:
        assert not proven(house(), OWN, closing(**CLOSED) | {"reason": "duplicate"})
    assert [line["event"] for line in lines] == ["seal_broken"]


def test_a_request_waits_until_somebody_answers_it_and_a_closing_stands_until_it_is_over() -> None:
    assert waits(closing())
    assert not waits(closing(**CLOSED))
    assert not waits(closing(**DECLINED))
    assert not stands(closing())
    assert stands(closing(**CLOSED))
    assert not stands(closing(**CLOSED, **REOPENED))
