"""What it takes to import 10,000 case files, and how much of that is sealing them.

The whole of it over HTTP, on PostgreSQL: read, check, log, write. Then the same rows are
sealed once more by themselves: what is left is what importing costs beside it.
"""

import contextlib
import csv
import io
import json
import tempfile
import time
from pathlib import Path
from typing import Any

from api.app import create_app, open_house, utc_now
from api.casework.house import House
from api.casework.import_mapping import parse_mapping
from api.casework.import_rows import RowReader
from api.casework.import_table import read_table
from api.casework.importing import BATCH, batch_of, batches
from api.casework.writing import seal_batch
from api.demo.install import install, issuer_of
from api.demo.synthetic import BUDI, synthetic
from api.schema.imports import CONTENT_TYPE, IMPORTS, MODE_HEADER, RUN
from api.settings import Settings
from benchmarks.asking import post
from benchmarks.values import Value
from tests.postgresql import PostgresServer
from tests.world import databases_of

ROWS = 10_000
AGENCY = "komnas-ham"

#: The target: seconds beside the sealing.
LIMIT = 60.0

MAPPING: dict[str, Any] = {
    "caseFile": {
        "status": "status",
        "province": "province",
        "urgency": "urgency",
        "sensitivity": "sensitivity",
        "openedOn": "opened",
        "incidentKinds": "incidents",
        "account": "account",
    },
    "defenders": [
        {
            "fullName": "name",
            "aliases": "aliases",
            "nik": "nik",
            "dateOfBirth": "born",
            "gender": "gender",
            "phones": "phones",
            "emails": "emails",
            "homeAddress": "address",
        }
    ],
}


def table(rows: int = ROWS) -> bytes:
    """Write *rows* invented case files, each with its first defender."""
    made = synthetic(17, utc_now().date(), rows)
    people = {person.id: person for person in made.defenders}
    written = io.StringIO()
    out = csv.writer(written)
    out.writerow(
        [
            source
            for fields in (MAPPING["caseFile"], *MAPPING["defenders"])
            for source in fields.values()
        ]
    )
    for file in made.case_files:
        person = people[file.defenders[0]]
        out.writerow(
            [
                file.status.value,
                file.province,
                file.urgency.value,
                int(file.sensitivity),
                file.opened_on.isoformat(),
                "|".join(file.incident_kinds),
                file.account,
                person.full_name,
                "|".join(person.aliases),
                person.nik or "",
                "" if person.date_of_birth is None else person.date_of_birth.isoformat(),
                person.gender,
                "|".join(person.phones),
                "|".join(person.emails),
                person.home_address or "",
            ]
        )
    return written.getvalue().encode()


async def run() -> list[Value]:
    """Import once, and seal once more what was imported."""
    mapping, content = json.dumps(MAPPING).encode(), table()
    with (
        tempfile.TemporaryDirectory() as folder,
        io.StringIO() as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        server = PostgresServer()
        server.start()
        try:
            config = await install(
                Path(folder, "perisai"),
                databases_of(server.create_database()),
                synthetic(11, utc_now().date(), 40),
                clock=utc_now,
                progress=lambda _count: None,
            )
            whole, processor = await _imported(config, mapping + b"\n" + content)
            async with open_house(Settings.at(config)) as house:
                sealing = await _sealed(house, mapping, content)
        finally:
            server.stop()
    print(
        f"# import: {ROWS} rows, {len(content) / 2**20:.1f} MiB; {ROWS / whole:.0f} case files/s; "
        f"{processor:.1f} s of this process's processor"
    )
    return [
        Value("import.seconds", whole, "s"),
        Value("import.sealing_seconds", sealing, "s"),
        Value("import.seconds_beside_sealing", whole - sealing, "s", LIMIT),
    ]


async def _imported(config: Path, body: bytes) -> tuple[float, float]:
    """Import; give seconds by the wall's clock and of the processor."""
    app = create_app(Settings.at(config))
    headers = {
        "authorization": f"Bearer {issuer_of(config.parent, utc_now).mint(AGENCY, BUDI)}",
        "perisai-purpose": "intake",
        "content-type": CONTENT_TYPE,
        MODE_HEADER: RUN,
    }
    async with app.router.lifespan_context(app):
        start, processor = time.perf_counter(), time.process_time()
        answer = await post(app, IMPORTS, headers, body)
        taken = time.perf_counter() - start, time.process_time() - processor
    last = json.loads(answer.splitlines()[-1])
    if (last.get("state"), last.get("written")) != ("done", ROWS):
        raise SystemExit(f"import: {last}")
    return taken


async def _sealed(house: House, mapping: bytes, content: bytes) -> float:
    """Seal the same rows, in the same batches, and nothing else; give seconds."""
    parsed = parse_mapping(mapping)
    read = read_table(content, parsed)
    reader = RowReader(house.codes, parsed, read.positions, house.now().date())
    taken = 0.0
    for rows in batches((reader.read(line) for line in read.lines), BATCH):
        _, batch = batch_of(rows)
        start = time.perf_counter()
        await seal_batch(house, AGENCY, batch)
        taken += time.perf_counter() - start
    return taken
