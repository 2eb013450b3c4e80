"""No value of a file that is imported, or refused, shows in what is told about it."""

import io

from api.demo.synthetic import BUDI, SARI
from tests.scenarios.importing import (
    BAD_NIK,
    FORMULA,
    MAPPING,
    NO_DATE,
    ROWS,
    SECRETS,
    lines,
    of,
    send,
    table,
)
from tests.scenarios.leaks import database_files, every_cell, found_in
from tests.world import World


async def test_no_value_of_a_file_stands_in_a_report_a_line_a_leaf_or_on_disk(
    watched: tuple[World, io.StringIO],
) -> None:
    world, written = watched
    secrets = {*SECRETS, "Samuel Wanggai", "3174014599850091", "HYPERLINK", "Paulina Wanggai"}
    content = table(*ROWS, BAD_NIK, NO_DATE, FORMULA)
    skipping = MAPPING | {"skipFaultyRows": True}
    answers = [
        await send(world, BUDI, content),
        await send(world, BUDI, content, "run", mapping=skipping),
        await send(world, BUDI, content, "run", mapping=skipping),
        await send(world, BUDI, table(*ROWS, names=ROWS[0]), "run"),
        await send(world, BUDI, content, "run", mapping=MAPPING | {"caseFile": "Xaveria"}),
        await send(world, SARI, content, "run"),
    ]

    assert [a.status_code for a in answers] == [200, 200, 200, 200, 400, 403]
    assert of("end", lines(answers[1].content))[0]["written"] == 3
    told_of = b"\n".join(a.content for a in answers)
    entries = await world.reader().entries(0, await world.size())
    assert found_in(told_of, secrets) == set()
    assert found_in(written.getvalue().encode(), secrets) == set()
    assert found_in(b"\x00".join(entry.body for entry in entries), secrets) == set()
    assert found_in(every_cell(world), secrets) == set()
    assert found_in(database_files(world), secrets) == set()
