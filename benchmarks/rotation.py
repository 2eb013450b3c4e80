"""What a rotation of the data keys costs: how many records a second, and what readers feel.

The rate stands beside what cannot be saved: unwrapping a key, wrapping another and
updating a row, on the same rows in the same run. Readers are measured in turns, with a
rotation in another process, as in production, and without, on PostgreSQL.
"""

import asyncio
import contextlib
import io
import os
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp

from api.app import create_app, open_house, utc_now
from api.casework.data_rotation import rotate_data
from api.casework.house import House
from api.casework.rotating import Pace
from api.demo.install import install, issuer_of
from api.demo.synthetic import SARI
from api.settings import Settings
from api.store import rotations
from benchmarks.asking import ask, post
from benchmarks.page100 import BODY, records
from benchmarks.values import Value
from tests.postgresql import Database, PostgresServer
from tests.world import databases_of

OWNER = "komnas-ham"
PATH = "/graphql/agency"

#: Turns with and without a rotation, and pages in each.
TURNS = 5
PAGES = 12

#: The target: a page may take so many times as long while a rotation runs.
LIMIT = 1.5


async def no_pause(_seconds: float) -> None:
    """Go on at once."""


async def rotation_rate() -> list[Value]:
    """Measure a whole rotation without rests, and the bare part of it."""
    async with _installed() as (_, config), open_house(Settings.at(config)) as house:
        start = time.perf_counter()
        rotated = await rotate_data(
            house, OWNER, Pace(rest=0, pause=no_pause), lambda _done, _of: None
        )
        taken = time.perf_counter() - start
        if not rotated.whole:
            raise SystemExit("sealing.rotation_rate: something was left")
        bare = await _bare(house)
    rate = rotated.done / taken
    print(
        f"# sealing.rotation_rate: {rotated.done} records in {taken:.1f} s, "
        f"{rate * bare:.1f} x the bare unwrap, wrap and update of their keys"
    )
    return [Value("sealing.rotation_rate", rate, "records/s")]


async def _bare(house: House) -> float:
    """Unwrap and wrap every key and update its row, nothing else: seconds for a record."""
    records_seen: set[Any] = set()
    after = None
    start = time.perf_counter()
    while True:
        async with house.records.look() as look:
            old = await rotations.wraps_below(look, OWNER, 1_000_000, after, 500)
        if not old:
            break
        records_seen.update(wrap.record for wrap in old)
        new = await house.keyring.changes.rewrap(OWNER, old)
        pairs = [(a, b) for a, b in zip(old, new, strict=True) if b is not None]
        async with house.records.change() as change:
            await rotations.replace_wraps(change, OWNER, pairs)
        after = (old[-1].record, old[-1].compartment.value, old[-1].version)
    return (time.perf_counter() - start) / len(records_seen)


async def read_during_rotation() -> list[Value]:
    """Measure a page of 100 while another process rotates, against the same page alone."""
    async with _installed() as (_, config):
        app = create_app(Settings.at(config))
        folder = config.parent
        headers = {
            "authorization": f"Bearer {issuer_of(folder, utc_now).mint(OWNER, SARI)}",
            "perisai-purpose": "protection",
        }
        async with app.router.lifespan_context(app):
            await ask(app, PATH, headers, BODY)
            await _times(app, headers)  # Warm up.
            alone: list[float] = []
            during: list[float] = []
            for _ in range(TURNS):
                alone += await _times(app, headers)
                async with _rotating(config):
                    during += await _times(app, headers)
    first, second = statistics.median(during), statistics.median(alone)
    print(
        f"# sealing.read_during_rotation: {first * 1000:.1f} ms against {second * 1000:.1f} ms, "
        f"medians of {len(alone)} pages"
    )
    return [Value("sealing.read_during_rotation", first / second, "x", LIMIT)]


async def _times(app: ASGIApp, headers: dict[str, str]) -> list[float]:
    taken = []
    for _ in range(PAGES):
        start = time.perf_counter()
        await post(app, PATH, headers, BODY)
        taken.append(time.perf_counter() - start)
    return taken


@asynccontextmanager
async def _rotating(config: Path) -> AsyncIterator[None]:
    """Rotate in another process until the block ends; killed, it is resumed by the next."""
    ready = config.parent / "rotating"
    ready.unlink(missing_ok=True)
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.rotation",
        str(ready),
        env={**os.environ, "PERISAI_CONFIG": str(config)},
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        while not ready.exists():
            if process.returncode is not None:
                raise SystemExit("sealing.read_during_rotation: the rotation ended")
            await asyncio.sleep(0.02)
        yield
        if process.returncode is not None:
            raise SystemExit("sealing.read_during_rotation: the rotation ended")
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)
        await process.wait()


async def _rotate_on(ready: Path) -> None:
    """Rotate again and again, at the pace of the command; say on disk when it has begun."""
    async with open_house(Settings.at(Path(os.environ["PERISAI_CONFIG"]))) as house:

        def begun(done: int, _total: int) -> None:
            if done:
                ready.touch()

        while True:
            await rotate_data(house, OWNER, Pace(), begun)


@asynccontextmanager
async def _installed() -> AsyncIterator[tuple[Database, Path]]:
    """Install the records of page100 on a PostgreSQL server of its own."""
    with (
        tempfile.TemporaryDirectory() as folder,
        io.StringIO() as nowhere,
        contextlib.redirect_stderr(nowhere),
    ):
        server = PostgresServer()
        server.start()
        try:
            database = server.create_database()
            config = await install(
                Path(folder, "perisai"),
                databases_of(database),
                records(),
                clock=utc_now,
                progress=lambda _count: None,
            )
            yield database, config
        finally:
            server.stop()


if __name__ == "__main__":
    asyncio.run(_rotate_on(Path(sys.argv[1])))
