"""A change of the agency that leads a case file: its rows, and which rows go over with it.

A table whose rows the lead agency seals must stand in HANDED, or they count for nothing once
another agency leads; a table by which is decided whether it may, in STAYING. Tests compare this
with the tables.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Table, Uuid, bindparam, delete, exists, insert, select, update

from api.crypto.sharing import Share
from api.database import Connection
from api.store.referrals import ShareRow
from api.store.tables import (
    RIGHTS,
    adversary,
    adversary_tag,
    assessment,
    attachment,
    case_file,
    case_file_defender,
    closing,
    consent,
    defender,
    defender_merge,
    defender_tag,
    emergency_protection,
    erasure,
    incident,
    lead_acceptance,
    lead_handover,
    lead_proposal,
    lead_share,
    legal_hold,
    measure,
    note,
    plan_step,
    plan_step_done,
    reason,
    referral,
    requirement,
    step,
    tie,
    triage,
)

Row = dict[str, Any]

_FILE = bindparam("case_file", type_=Uuid())
_LINKED = select(case_file_defender.c.defender).where(case_file_defender.c.case_file == _FILE)


@dataclass(frozen=True, slots=True)
class Part:
    """The rows of one table that are about the case file `case_file`.

    Attributes:
        key: the columns that name a row.
        agency: the column that names whose it is; None: it says so nowhere but in its seal.
    """

    table: Table
    among: ColumnElement[bool]
    key: tuple[str, ...] = ("id",)
    agency: str | None = None


def _part(table: Table, agency: str | None = None) -> Part:
    return Part(table, table.c.case_file == _FILE, agency=agency)


def _about(table: Table, agency: str | None = None) -> Part:
    record = table.c.record
    return Part(table, (record == _FILE) | record.in_(_LINKED), agency=agency)


#: What the lead agency seals, and the next one seals anew.
HANDED: tuple[Part, ...] = (
    Part(case_file, case_file.c.id == _FILE, agency="lead_agency"),
    Part(
        case_file_defender,
        case_file_defender.c.case_file == _FILE,
        ("case_file", "defender"),
    ),
    _part(adversary),
    _part(assessment),
    _part(attachment),
    _part(closing, "agency"),
    _part(consent, "agency"),
    _part(incident),
    _about(legal_hold, "agency"),
    _part(note),
    _part(reason),
    _part(step),
    # Of partners: who of the old agency is tied is nobody's matter in the next one.
    Part(tie, (tie.c.case_file == _FILE) & tie.c.partner.is_not(None), agency="agency"),
    _part(triage),
)

#: What stays each agency's own, and may stand in the way.
STAYING: tuple[Part, ...] = (
    Part(
        defender_merge,
        defender_merge.c.kept.in_(_LINKED) | defender_merge.c.duplicate.in_(_LINKED),
        agency="agency",
    ),
    _part(emergency_protection, "agency"),
    _about(erasure, "agency"),
    _part(measure, "agency"),
    _part(plan_step, "agency"),
    Part(
        plan_step_done,
        plan_step_done.c.plan_step.in_(
            select(plan_step.c.id).where(plan_step.c.case_file == _FILE)
        ),
        ("plan_step", "agency"),
        "agency",
    ),
    _part(referral, "giver"),
    _part(requirement, "agency"),
)

_PROPOSAL = (*RIGHTS["lead_proposal"], "signature", "seal")
_ACCEPTANCE = (*RIGHTS["lead_acceptance"], "signature", "seal")
_HANDOVER = (*RIGHTS["lead_handover"], "signature", "seal")


class Steps(NamedTuple):
    """How far one change of the lead came, as read; None where it did not come so far."""

    proposal: Row | None
    acceptance: Row | None
    handover: Row | None


async def steps_of(connection: Connection, referral_id: UUID) -> Steps:
    """Read what there is of the change that one referral brings."""
    rows: list[Row | None] = []
    for table, names in (
        (lead_proposal, _PROPOSAL),
        (lead_acceptance, _ACCEPTANCE),
        (lead_handover, _HANDOVER),
    ):
        found = await connection.execute(
            select(*(table.c[name] for name in names)).where(table.c.referral == referral_id)
        )
        row = found.one_or_none()
        rows.append(None if row is None else dict(zip(names, row, strict=True)))
    return Steps(*rows)


async def proposals_of(connection: Connection, referrals: Collection[UUID]) -> dict[UUID, Row]:
    """Read which of *referrals* propose another lead, by referral."""
    found = await connection.execute(
        select(*(lead_proposal.c[name] for name in _PROPOSAL)).where(
            lead_proposal.c.referral.in_(list(referrals))
        )
    )
    rows = [dict(zip(_PROPOSAL, row, strict=True)) for row in found.all()]
    return {row["referral"]: row for row in rows}


async def insert_proposal(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert the giver's proposal (column -> value)."""
    await change.execute(insert(lead_proposal), dict(row))


async def insert_acceptance(change: Connection, row: Mapping[str, Any]) -> None:
    """Insert the recipient's acceptance (column -> value)."""
    await change.execute(insert(lead_acceptance), dict(row))


async def write_taken(change: Connection, row: Mapping[str, Any]) -> None:
    """Write that the recipient took the case file over, with the seal that covers it."""
    values = {name: row[name] for name in ("taken_at", "taken_event", "signature", "seal")}
    await change.execute(
        update(lead_acceptance).where(lead_acceptance.c.referral == row["referral"]).values(values)
    )


async def replace_handover(
    change: Connection, row: Mapping[str, Any], shares: Sequence[Share]
) -> None:
    """Put the giver's handover, and the keys of attachments, into the place of an older one."""
    for table in (lead_handover, lead_share):
        await change.execute(delete(table).where(table.c.referral == row["referral"]))
    await change.execute(insert(lead_handover), dict(row))
    if shares:
        await change.execute(
            insert(lead_share),
            [
                {
                    "referral": share.terms.referral,
                    "record": share.terms.record,
                    "compartment": share.terms.compartment.value,
                    "version": share.terms.version,
                    "commitment": share.terms.commitment,
                    "sealed": share.sealed,
                    "signature": share.signature,
                }
                for share in shares
            ],
        )


async def shares_of(connection: Connection, referral_id: UUID) -> list[ShareRow]:
    """Read the keys of attachments that are on their way."""
    found = await connection.execute(
        select(*(lead_share.c[name] for name in ShareRow._fields))
        .where(lead_share.c.referral == referral_id)
        .order_by(lead_share.c.record, lead_share.c.version)
    )
    return [ShareRow(*row) for row in found.all()]


async def delete_shares(change: Connection, referral_id: UUID) -> None:
    """Delete them: they were taken, or nobody takes them any more."""
    await change.execute(delete(lead_share).where(lead_share.c.referral == referral_id))


async def read(connection: Connection, part: Part, case_file_id: UUID) -> list[Row]:
    """Read the rows of *part*: what their seals cover, and the seals; in one order."""
    names = (*RIGHTS[part.table.name], "seal")
    found = await connection.execute(
        select(*(part.table.c[name] for name in names))
        .where(part.among)
        .order_by(*(part.table.c[name] for name in part.key)),
        {"case_file": case_file_id},
    )
    return [dict(zip(names, row, strict=True)) for row in found.all()]


async def reseal(change: Connection, part: Part, rows: Sequence[Row]) -> None:
    """Write whose *rows* are now, with the seal that says so."""
    if not rows:
        return
    table = part.table
    written = ["seal", *([] if part.agency is None else [part.agency])]
    if table is case_file:
        written.append("event")
    await change.execute(
        update(table)
        .where(*(table.c[name] == bindparam(f"b_{name}") for name in part.key))
        .values({name: bindparam(f"b_{name}") for name in written}),
        [{f"b_{name}": row[name] for name in (*part.key, *written)} for row in rows],
    )


async def move(change: Connection, case_file_id: UUID, giver: str, recipient: str) -> None:
    """Let the defenders be *recipient*'s, and take away what *giver* finds them by."""
    given = {"case_file": case_file_id}
    await change.execute(
        update(defender)
        .where(defender.c.id.in_(_LINKED), defender.c.agency == giver)
        .values(agency=recipient),
        given,
    )
    await change.execute(
        update(case_file).where(case_file.c.id == _FILE).values(revision=case_file.c.revision + 1),
        given,
    )
    await change.execute(
        delete(defender_tag).where(
            defender_tag.c.defender.in_(_LINKED), defender_tag.c.agency == giver
        ),
        given,
    )
    await change.execute(
        delete(adversary_tag).where(
            adversary_tag.c.case_file == _FILE, adversary_tag.c.agency == giver
        ),
        given,
    )


async def people_of(connection: Connection, case_file_id: UUID) -> list[UUID]:
    """Name the defenders of a case file who are not erased."""
    found = await connection.execute(
        select(defender.c.id)
        .where(defender.c.id.in_(_LINKED), defender.c.erased_at.is_(None))
        .order_by(defender.c.id),
        {"case_file": case_file_id},
    )
    return list(found.scalars())


async def are_elsewhere(connection: Connection, case_file_id: UUID) -> bool:
    """Tell whether a defender of a case file is in another one, too."""
    other = case_file_defender.alias("other")
    found = await connection.scalar(
        select(exists().where(other.c.defender.in_(_LINKED), other.c.case_file != _FILE)),
        {"case_file": case_file_id},
    )
    return bool(found)


async def is_led_by(connection: Connection, case_file_id: UUID, agency: str) -> bool:
    """Tell whether the row of a case file, which proves nothing here, says that *agency* leads."""
    found = await connection.execute(
        select(case_file.c.id).where(
            case_file.c.id == case_file_id, case_file.c.lead_agency == agency
        )
    )
    return found.first() is not None
