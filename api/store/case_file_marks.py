"""Marks of case files: they differ after each change of the file or of what belongs to it.

A mark is made of revisions and counts, so that one statement compares many case files and
reads nothing that is sealed. Rights and keys are no part of it.
"""

from collections.abc import Collection
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, select

from api.database import Connection
from api.store.tables import attachment, case_file, case_file_defender, defender, note


class Mark(NamedTuple):
    """What a change of one case file makes another.

    Attributes:
        revision: of the case file; an erasure counts as a change.
        defenders: the revisions of its defenders, together.
        notes, attachments: how many there are.
    """

    revision: int
    defenders: int
    notes: int
    attachments: int


_MARKS = select(
    case_file.c.id,
    case_file.c.revision,
    select(func.coalesce(func.sum(defender.c.revision), 0))
    .select_from(case_file_defender.join(defender, defender.c.id == case_file_defender.c.defender))
    .where(case_file_defender.c.case_file == case_file.c.id)
    .scalar_subquery(),
    select(func.count()).where(note.c.case_file == case_file.c.id).scalar_subquery(),
    select(func.count()).where(attachment.c.case_file == case_file.c.id).scalar_subquery(),
).where(case_file.c.id.in_(bindparam("ids", expanding=True)))


async def read(connection: Connection, case_files: Collection[UUID]) -> dict[UUID, Mark]:
    """Read the marks of *case_files*, whoever may see them; what is not there has none."""
    result = await connection.execute(_MARKS, {"ids": sorted(case_files)})
    return {case_file_id: Mark(*marks) for case_file_id, *marks in result.all()}
