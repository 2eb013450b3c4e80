"""How long others wait while one member sends document bombs as fast as answers come.

A real server with the settings' defaults, two callers who read pages, and in turns with
quiet a process that attacks with the token of a third. What is compared is the
slowest hundredth of the callers' requests.
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from api.app import utc_now
from api.demo.install import Databases, install, issuer_of
from api.demo.synthetic import BUDI, SARI, WAYAN, synthetic
from api.settings import Settings
from benchmarks.values import Value
from tests.processes import Running, free_port
from tests.schema.test_bombs import BOMBS

#: Turns of quiet and of attack, and the seconds of each.
TURNS = 8
SECONDS = 4.0
#: Connections of the attack, twice as many as one member may have requests at once.
CONNECTIONS = 16
#: Seconds between an answer and the next request of a caller.
BETWEEN = 0.01

#: The target: the slowest hundredth takes at most so many times as long.
LIMIT = 1.5

#: Small enough that a caller's points of an hour last for all turns.
PAGE = """{ caseFiles(first: 5) {
  edges { node { id reference status urgency province openedOn } } pageInfo { hasNextPage } } }"""


async def p99_under_attack() -> list[Value]:
    """Measure on SQLite: what is compared is the process, not the database."""
    quiet: list[float] = []
    attacked: list[float] = []
    with tempfile.TemporaryDirectory() as home:
        folder, port = Path(home, "perisai"), free_port()
        made = synthetic(11, utc_now().date(), 200)
        config = await install(
            folder,
            Databases.embedded(folder),
            made,
            clock=utc_now,
            progress=lambda _: None,
            port=port,
        )
        url = f"http://127.0.0.1:{port}/graphql/agency"
        signed_in = {
            who: {
                "authorization": "Bearer "
                + issuer_of(folder, utc_now).mint(made.member(who).organisation, who),
                "perisai-purpose": purpose,
            }
            for who, purpose in ((SARI, "protection"), (BUDI, "supervision"), (WAYAN, "protection"))
        }
        fields = Settings.model_fields
        defaults = {
            f"PERISAI_{name.upper()}": str(fields[name].default)
            for name in ("requests_at_once", "refusal_seconds")
        }
        with Running("serve", folder=Path(home), config=config, more=defaults) as service:
            async with (
                httpx.AsyncClient(trust_env=False, timeout=30) as client,
                _attack(url, signed_in[SARI]) as attack,
            ):
                await asyncio.to_thread(service.wait_until_ready, port)
                for turn in range(TURNS + 1):
                    for under_attack in (False, True) if turn % 2 else (True, False):
                        taken = await _turn(client, url, signed_in, attack, under_attack)
                        if turn:  # The first one warms up.
                            (attacked if under_attack else quiet).extend(taken)
    before, meanwhile = _p99(quiet), _p99(attacked)
    print(
        f"# front.p99_under_attack: {meanwhile * 1000:.1f} ms against {before * 1000:.1f} ms, "
        f"of {len(attacked)} and {len(quiet)} requests"
    )
    return [Value("front.p99_under_attack", meanwhile / before, "x", LIMIT)]


def _p99(taken: list[float]) -> float:
    return sorted(taken)[len(taken) * 99 // 100]


async def _turn(
    client: httpx.AsyncClient,
    url: str,
    signed_in: dict[str, dict[str, str]],
    attack: asyncio.subprocess.Process,
    under_attack: bool,
) -> list[float]:
    """Give how long each request of the two callers took, in seconds."""
    if under_attack:
        await _tell(attack, b"go\n")
    end = time.perf_counter() + SECONDS
    taken: list[float] = []

    async def caller(headers: dict[str, str]) -> None:
        while (start := time.perf_counter()) < end:
            answer = await client.post(url, json={"query": PAGE}, headers=headers)
            taken.append(time.perf_counter() - start)
            if "errors" in answer.json():
                raise SystemExit(f"front.p99_under_attack: {answer.text}")
            await asyncio.sleep(BETWEEN)

    await asyncio.gather(caller(signed_in[BUDI]), caller(signed_in[WAYAN]))
    if under_attack:
        await _tell(attack, b"stop\n")
    return taken


async def _tell(attack: asyncio.subprocess.Process, word: bytes) -> None:
    assert attack.stdin is not None
    assert attack.stdout is not None
    attack.stdin.write(word)
    if await attack.stdout.readline() != b"done\n":
        raise SystemExit("front.p99_under_attack: the attack ended")


@asynccontextmanager
async def _attack(url: str, headers: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Start the process that attacks when it is told to, until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "benchmarks.front",
        env={**os.environ, "PERISAI_BENCHMARK_FRONT": json.dumps([url, headers])},
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _attack_when_told(url: str, headers: dict[str, str]) -> None:
    loop = asyncio.get_running_loop()
    headers = headers | {"content-type": "application/json"}
    async with httpx.AsyncClient(
        trust_env=False, timeout=30, limits=httpx.Limits(max_connections=CONNECTIONS)
    ) as client:

        async def send(number: int) -> None:
            bombs = list(BOMBS.values())
            while True:
                for bomb in bombs[number:] + bombs[:number]:
                    await client.post(url, content=bomb, headers=headers)

        while await loop.run_in_executor(None, sys.stdin.readline):
            sending = [asyncio.ensure_future(send(number)) for number in range(CONNECTIONS)]
            print("done", flush=True)
            await loop.run_in_executor(None, sys.stdin.readline)
            for one in sending:
                one.cancel()
            await asyncio.gather(*sending, return_exceptions=True)
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(_attack_when_told(*json.loads(os.environ["PERISAI_BENCHMARK_FRONT"])))
