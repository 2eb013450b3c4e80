"""Set up organisations, members and records that exist before anybody signs in.

Used by the operators' commands only. Everything goes the way of a change: an
intent in the log, sealed rows that carry its index, an outcome.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from api.accesslog.event import Event, Touched
from api.casework import resealing, rights, tying
from api.casework.chunks import RECORDS_PER_EVENT
from api.casework.house import House
from api.casework.recording import recorded
from api.casework.writing import Batch, seal_batch, write_batch
from api.crypto.key_service import KeyService
from api.crypto.keyring import Keyring
from api.crypto.owner_secrets import SECRET_KINDS
from api.database import Records
from api.store import key_wraps, members, organisations, public_keys, releases
from api.store.sealed_fields import RELEASE_BODY
from api.store.tables import RIGHTS
from api.vocabulary import Action, Compartment, Decision, Ground, Phase, RecordKind, Role


@dataclass(frozen=True, slots=True)
class NewRelease:
    """A release to be: row without body, event and seal; content as it is to be sealed."""

    columns: Mapping[str, Any]
    case_file: UUID
    body: str = field(repr=False)


async def set_up_owners(
    records: Records, service: KeyService, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Insert organisations that are not there yet, each with its sealed secrets.

    One that is there gets what it lacks: an older installation has no keys that cross
    agencies. The public halves are published; who trusts them is another matter.
    """
    async with records.change() as change:
        there = await organisations.slugs(change)
        await organisations.insert_rows(change, [r for r in rows if r["slug"] not in there])
        for owner in [row["slug"] for row in rows]:
            secrets = await key_wraps.secrets_of(change, [owner])
            held = {secret.kind for secret in secrets}
            lacking = [kind for kind in SECRET_KINDS if kind not in held]
            made = await Keyring.new_secrets(service, owner, kinds=lacking) if lacking else []
            await key_wraps.insert_secrets(change, made)
            keyring = await Keyring.start(service, [*secrets, *made])
            published = await public_keys.published(change, owner)
            own = keyring.public_keys(owner)
            await public_keys.publish(
                change, owner, {kind: own[kind] for kind in own.keys() - published.keys()}
            )


async def add_members(house: House, organisation: str, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert members of one organisation (column -> value, without event and seal)."""

    async def do(intent: int) -> None:
        async with house.records.change() as change:
            await members.insert_rows(
                change,
                [
                    rights.sealed_row(house, organisation, "member", {**row, "event": intent})
                    for row in rows
                ],
            )

    touched = _touched([(RecordKind.MEMBER, row["id"], 0) for row in rows], ())
    await recorded(house, _event(house, Action.PROVISION_MEMBER, organisation, touched), do)


async def disable_member(house: House, organisation: str, subject: str) -> bool:
    """Disable a live member; tell whether there was one."""
    async with house.records.look() as connection:
        found = await members.by_subject(connection, organisation, subject)
    if found is None or not found.live:
        return False
    if not rights.holds(house, organisation, "member", found.seal_values, found.seal):
        return False  # A forged row counts for nothing; sealing its end would make it true.
    member = found

    async def do(intent: int) -> None:
        row = dict(zip(RIGHTS["member"], member.seal_values, strict=True))
        row |= {"disabled_at": house.now(), "event": intent}
        sealed = rights.sealed_row(house, organisation, "member", row)
        async with house.records.change() as change:
            await members.disable(change, member.id, row["disabled_at"], intent, sealed["seal"])

    touched = _touched([(RecordKind.MEMBER, member.id, 0)], ())
    await recorded(house, _event(house, Action.DISABLE_MEMBER, organisation, touched), do)
    return True


async def import_case_files(
    house: House, agency: str, batch: Batch, clear: Mapping[UUID, Mapping[str, Any]]
) -> None:
    """Write a whole batch in one transaction, under one intent."""

    async def do(intent: int) -> None:
        sealed = await seal_batch(house, agency, batch)
        async with house.records.change() as change:
            await write_batch(house, change, agency, sealed, clear, intent)

    records = [
        *((RecordKind.CASE_FILE, i, 1) for i in batch.case_files),
        *((RecordKind.DEFENDER, i, 1) for i in batch.defenders),
    ]
    compartments = tuple(sorted(set(Compartment) - {Compartment.RELEASE}))
    if len(records) > RECORDS_PER_EVENT:
        raise ValueError("a batch has more records than one event can name")
    touched = _touched(records, compartments)
    await recorded(house, _event(house, Action.IMPORT, agency, touched), do)


async def import_releases(house: House, agency: str, new: Iterable[NewRelease]) -> None:
    """Seal and write releases of one agency, each under its partner's key."""
    new = list(new)

    async def do(intent: int) -> None:
        rows: list[dict[str, Any]] = []
        wraps = []
        for partner in sorted({n.columns["partner"] for n in new}):
            mine = [n for n in new if n.columns["partner"] == partner]
            bodies, made = await resealing.new_releases(
                house, partner, {n.columns["id"]: n.body for n in mine}, RELEASE_BODY
            )
            wraps += made
            rows += [
                rights.sealed_row(
                    house,
                    partner,
                    "release",
                    {**n.columns, "body": bodies[n.columns["id"]], "event": intent},
                )
                for n in mine
            ]
        async with house.records.change() as change:
            origins = [{"release": n.columns["id"], "case_file": n.case_file} for n in new]
            await releases.insert_rows(change, rows, origins)
            await key_wraps.insert_wraps(change, wraps)
            for partner in sorted({n.columns["partner"] for n in new}):
                await tying.settle_releases(house, change, agency, partner)

    touched = _touched(
        [(RecordKind.RELEASE, n.columns["id"], 0) for n in new], (Compartment.RELEASE,)
    )
    await recorded(house, _event(house, Action.RELEASE, agency, touched), do)


async def count_references(house: House, given: Mapping[str, int]) -> None:
    """Say how many case references each agency has given so far."""
    async with house.records.change() as change:
        for agency, count in given.items():
            await organisations.count_references(change, agency, count)


def _touched(
    records: Sequence[tuple[RecordKind, UUID, int]], compartments: tuple[Compartment, ...]
) -> Touched:
    return Touched(Decision.ALLOWED, Ground.OWN_AGENCY, None, compartments, (), tuple(records))


def _event(house: House, action: Action, organisation: str, touched: Touched) -> Event:
    return Event(
        at=house.now(),
        request="provisioning",
        actor=None,
        organisation=organisation,
        role=Role.OPERATOR,
        action=action,
        phase=Phase.INTENT,
        purpose=None,
        basis=None,
        decision=Decision.ALLOWED,
        code=None,
        policy=house.gate.policy_hash,
        agencies=(organisation,),
        touched=(touched,),
    )
