"""Reasons in words for a change: the log holds a commitment, the case file the sealed text.

Who gives a reason needs no right to open the narrative: nothing is shown to them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_bytes
from uuid import UUID

from uuid_utils.compat import uuid7

from api.accesslog.commitment import OPENING_SIZE, commitment
from api.casework import resealing, rights, values
from api.casework.house import House
from api.database import Connection
from api.errors import ValueInvalid
from api.store import reasons
from api.store.sealed_fields import REASON_FIELDS
from api.vocabulary import MemberId

#: Characters of a reason at the most: a paragraph, not an account.
REASON_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Given:
    """A reason as it was given, before it is sealed.

    Attributes:
        opening: randomness of its own, without which nobody can try texts.
        commitment: for the event, in hex.
    """

    id: UUID
    text: str = field(repr=False)
    opening: bytes = field(repr=False)
    commitment: str


def given(text: str | None) -> Given | None:
    """Check a reason and commit to it; None where none was given.

    Raises:
        ValueInvalid: empty or longer than REASON_MOST.
    """
    if text is None:
        return None
    checked = values.text(text)
    if len(checked) > REASON_MOST:
        raise ValueInvalid
    opening = token_bytes(OPENING_SIZE)
    return Given(uuid7(), checked, opening, commitment(opening, checked))


async def write(
    house: House,
    transaction: Connection,
    owner: str,
    of: Mapping[str, UUID],
    author: MemberId,
    now: datetime,
    intent: int,
    reason: Given,
) -> None:
    """Write *reason* under the narrative key that *owner* holds; the case file is locked.

    Args:
        of: `case_file`, and `record`: what is changed.

    Raises:
        As `resealing.seal_under`.
    """
    plain = {"text": reason.text, "opening": reason.opening.hex()}
    sealed = await resealing.seal_under(
        house,
        transaction,
        owner,
        of["case_file"],
        reason.id,
        {f: plain[f.column] for f in REASON_FIELDS.values()},
    )
    row = {
        "id": reason.id,
        **of,
        "author": author,
        "written_at": now,
        "event": intent,
        **sealed,
    }
    await reasons.insert_row(transaction, rights.sealed_row(house, owner, "reason", row))
