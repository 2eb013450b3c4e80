"""Whatever is sent to a face, nothing breaks, nothing hangs, and nobody's name is in the answer.

For `PERISAI_FUZZ_SECONDS`, three minutes by default; `make fuzz` takes an hour.
"""

import asyncio
import json
import os
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from graphql import GraphQLSchema
from hypothesis import HealthCheck, Verbosity, given, settings
from hypothesis import strategies as st

from api import errors
from api.crypto.key_file import Cost
from api.demo.install import Databases, install
from api.demo.synthetic import BUDI, RATNA, SARI, TUTI, synthetic
from api.demo.synthetic_records import Synthetic
from api.errors import PerisaiError
from api.schema.faces import schema_of
from api.vocabulary import Role
from tests.conftest import NOON
from tests.event_stream import EVENTS, Open
from tests.fuzzing.documents import Documents
from tests.world import Answer, Clock, Template, World, opened

SECONDS = float(os.environ.get("PERISAI_FUZZ_SECONDS", "180"))
#: Requests between two looks at the time; each is another run of hypothesis.
EXAMPLES = 200
#: Seconds that one answer may take on a busy machine; the service's own limit is 20.
PATIENCE = 15.0

WHO = (("agency", SARI), ("agency", BUDI), ("partner", RATNA), ("oversight", TUTI))
PURPOSES = ("protection", "supervision", "referral", "quality_review", "subject_request")

#: Nothing stands in the way of the requests but the policy; partners, too, send texts of
#: their own, as for an audit.
MORE = f"""points_per_hour = 1000000000
get_requests = true
adhoc_roles = {json.dumps(list(Role))}
openings_per_caller = 1000000
openings_per_process = 1000000
"""

CODES = {
    leaf.code: leaf
    for leaf in vars(errors).values()
    if isinstance(leaf, type) and issubclass(leaf, PerisaiError)
}
#: What a busy machine may bring about; anything else at 500 and above is a fault.
BUSY = {"LOG_UNAVAILABLE", "STORE_UNAVAILABLE", "PERMIT_EXPIRED", "KEYS_UNAVAILABLE"}

pytestmark = pytest.mark.long


def core(face: str) -> GraphQLSchema:
    return schema_of(face)._schema


def closed_to(records: Synthetic, face: str) -> list[str]:
    """Give values that are in no answer of *face*: of all defenders, or those of other agencies."""
    shared = {
        defender
        for one in records.case_files
        if one.lead_agency == "komnas-ham"
        for defender in one.defenders
    }
    return [
        value
        for one in records.defenders
        if face != "agency" or (one.agency != "komnas-ham" and one.id not in shared)
        for value in (one.nik, one.full_name, *one.phones, *one.emails, one.home_address)
        if value
    ]


def ids_of(records: Synthetic) -> list[str]:
    """Give ids of each kind, of one's own and of others, and some that nobody has."""
    members = [str(one.id) for one in records.members]
    found = [str(one.id) for one in (*records.case_files[:8], *records.defenders[:8])]
    found += [str(one.id) for one in (*records.notes[:3], *records.releases[:3])]
    return [*found, *members[:8], "01a0ef9c-6800-7000-8000-000000000000", "x", "", found[0].upper()]


async def ask(world: World, face: str, who: str, purpose: str, sent: bytes) -> Answer:
    """Give the answer; of a subscription the first event, after which the client leaves."""
    path = f"/graphql/{face}"
    headers = {
        **world.signed_in(who, path),
        "perisai-purpose": purpose,
        "content-type": "application/json",
        "accept": f"application/graphql-response+json, {EVENTS}",
    }
    one = Open()
    going_on = asyncio.create_task(one.run(world.app, path, headers, sent))
    try:
        async with asyncio.timeout(PATIENCE):
            return await one.first()
    finally:
        one.leave()
        async with asyncio.timeout(PATIENCE):
            await going_on


def judge(status: int, text: str, secrets: list[str]) -> None:
    """Prove that an answer says nothing that it may not."""
    body = json.loads(text)
    assert set(body) <= {"data", "errors", "extensions"}
    codes = {error["extensions"]["code"] for error in body.get("errors", [])}
    assert codes <= set(CODES) - {"INTERNAL", "TIMED_OUT"}, text
    assert status < 500 or codes <= BUSY, text
    assert status >= 400 or "data" in body
    for error in body.get("errors", []):
        code, message = error["extensions"]["code"], error["message"]
        assert code == "DOCUMENT_INVALID" or message == CODES[code].message, text
        assert "Did you mean" not in message
        assert set(error) <= {"message", "locations", "path", "extensions"}
        assert set(error["extensions"]) == {"code", "requestId"}
    for secret in secrets:
        assert secret not in text, secret


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Template:
    folder = tmp_path_factory.mktemp("fuzzing") / "perisai"
    records = synthetic(7, NOON.date(), 40)
    config = asyncio.run(
        install(
            folder,
            Databases.embedded(folder),
            records,
            clock=lambda: NOON,
            progress=lambda _count: None,
            cost=Cost(8, 1, 1),
        )
    )
    # MORE names them instead.
    lines = config.read_text(encoding="utf-8").splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("adhoc_roles")))
    return Template("sqlite", folder, records, None, None)


def test_nothing_breaks_hangs_or_leaks(
    installed: Template, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ids = ids_of(installed.records)
    documents = {face: Documents(core(face), ids).requests() for face, _ in WHO}
    secrets = {face: closed_to(installed.records, face) for face, _ in WHO}
    asked = st.sampled_from(WHO).flatmap(
        lambda at: st.tuples(st.just(at), st.sampled_from(PURPOSES), documents[at[0]])
    )
    counts: Counter[str] = Counter()
    with asyncio.Runner() as runner:
        serving = opened(installed, tmp_path / "perisai", Clock(NOON), more=MORE)
        world = runner.run(serving.__aenter__())
        try:

            @settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                suppress_health_check=list(HealthCheck),
                verbosity=Verbosity.quiet,
            )
            @given(asked)
            def one(drawn: tuple[tuple[str, str], str, bytes]) -> None:
                (face, who), purpose, sent = drawn
                answer = runner.run(ask(world, face, who, purpose, sent))
                counts.update({str(answer.status), *answer.codes})
                counts["events"] += answer.headers["content-type"].startswith(EVENTS)
                judge(answer.status, answer.text, secrets[face])

            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                one()
        finally:
            runner.run(serving.__aexit__(None, None, None))

    with capsys.disabled():
        sys.stdout.write(f"\nanswers by status and code: {dict(counts)}")
    assert counts["events"] > 0
    assert counts["200"] > counts.total() / 4
