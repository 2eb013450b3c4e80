"""Words of the scenarios about policies: who signs, what changes, one installation served twice."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from api.accesslog.note import VerifierKey
from api.accesslog.reader import reading
from api.app import open_house, utc_now
from api.casework import policy_adoption
from api.casework.house import House
from api.casework.policy_bundle import Bundle, approve, draft, signer_key
from api.casework.policy_change import adopted
from api.crypto.signatures import SigningKey
from api.database import Records, engine_of
from api.demo.synthetic import SARI
from api.policies.engine import shipped_texts
from api.policy_settings import policy_signers
from tests.conftest import NOON
from tests.inside import exchanged
from tests.scenarios.referring import READ
from tests.world import Answer, Clock, Template, World, opened

AUTHOR, APPROVER, STRANGER = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
AUTHOR_NAME, APPROVER_NAME = "lpsk/author-1", "komnas-ham/approver-1"

#: With this line gone nobody reads contacts as a case officer who is assigned.
CONTACT = 'reads("case_officer", "contact", "assigned");\n'
#: The same of accounts.
ACCOUNT = 'reads("case_officer", "narrative", "assigned");\n'


def key_of(name: str, key: SigningKey) -> VerifierKey:
    return signer_key(name, key)


SIGNERS = (
    f'policy_authors = ["{key_of(AUTHOR_NAME, AUTHOR)}"]\n'
    f'policy_approvers = ["{key_of(APPROVER_NAME, APPROVER)}"]\n'
)


class Served(NamedTuple):
    """One installation, served by two processes' worth of houses."""

    one: World
    other: World
    house: House


@asynccontextmanager
async def served_twice(template: Template, folder: Path) -> AsyncIterator[Served]:
    """Serve an installation with signers, twice."""
    async with (
        opened(template, folder, Clock(NOON), more=SIGNERS) as world,
        exchanged(world) as inside,
    ):
        yield Served(world, inside.world, inside.house)


def less(*lines: str) -> dict[str, str]:
    """Give the shipped texts without *lines* of base."""
    texts = shipped_texts()
    for line in lines:
        assert line in texts["base"]
        texts["base"] = texts["base"].replace(line, "")
    return texts


async def signed(world: World, texts: Mapping[str, str], **but: object) -> Bundle:
    """Have *texts* signed as the next policy, *but* for what of the statement is other."""
    records = Records(engine_of(world.settings.records_url.get_secret_value()))
    try:
        signers = policy_signers(world.settings)
        async with reading(world.settings.log_reader_url.get_secret_value()) as log:
            said_so = await adopted(log)
        standing, _ = await policy_adoption.standing(records, signers, said_so)
    finally:
        await records.close()
    number, replaces = policy_adoption.next_after(standing)
    said = {"installation": signers.installation, "number": number, "replaces": replaces, **but}
    made = draft(texts, **said, name=AUTHOR_NAME, key=AUTHOR)  # type: ignore[arg-type]
    return approve(made, APPROVER_NAME, APPROVER)


async def put(world: World, bundle: Bundle, number: int | None = None) -> None:
    """Write a row by hand, as the owner of the database can."""
    await world.run(
        "insert into policy (number, note, texts) values (?, ?, ?)",
        [number or bundle.statement.number, bundle.note, bundle.printed_texts],
    )


async def read(world: World, who: str = SARI) -> Answer:
    """Read the case file to which Sari is assigned."""
    return await world.ask(who, READ, {"id": str(world.records.open_to_sari)})


async def shown(world: World, field: str = "phones") -> bool:
    """Tell whether Sari is shown the account, or *field* of the defender, without any error."""
    file = (await read(world)).data["caseFile"]
    found = file if field == "account" else file["defenders"][0]
    withheld = [w["field"] for w in found["withheld"]]
    assert (found[field] is None) == (field in withheld)
    return found[field] is not None


@asynccontextmanager
async def started(world: World) -> AsyncIterator[House]:
    """Start one more process; its clock is not behind that of the commands."""
    async with open_house(world.settings, Clock(max(NOON, utc_now()))) as house:
        yield house
