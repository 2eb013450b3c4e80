"""Duplicates within an agency: who may be the same person, and which records were merged."""

from datetime import datetime
from typing import Annotated, cast

import strawberry

from api.casework import duplicates, merge_views, merges
from api.casework.merges import Pair, Revisions
from api.errors import (
    MergeFinal,
    MergeNotOpen,
    MergeNotPossible,
    NotAllowed,
    NotFound,
    PerisaiError,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)
from api.schema import words
from api.schema.agency.changes import REASON_TEXT, ChangeError, told
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import DefenderId, MergeId, MergeState

words.define()

#: Errors that the caller's person can mend; all others fail the field.
MENDABLE = (
    MergeFinal,
    MergeNotOpen,
    MergeNotPossible,
    NotAllowed,
    NotFound,
    RecordErased,
    SecondPersonNeeded,
    StaleRevision,
    ValueInvalid,
)

InputOf = strawberry.argument(description="The change.")


@strawberry.type(
    description="A defender of your agency who may be the same person as another one: compare "
    "before you merge, since a household shares a family card and several people a telephone."
)
class PossibleDuplicate:
    """See `casework.duplicates`."""

    defender_id: strawberry.ID = strawberry.field(description="Id of the defender.")
    case_file_ids: list[strawberry.ID] = strawberry.field(
        description="The case files through which you may open what agrees."
    )
    fields: list[str] = strawberry.field(description="What agrees: nik, phones, familyCard.")


@strawberry.type(description="That two records of your agency are of one person.")
class Merge:
    """See `casework.merge_views.MergeView`."""

    id: strawberry.ID = strawberry.field(description="Id of the merge.")
    kept_id: strawberry.ID = strawberry.field(description="Id of the defender that is kept.")
    duplicate_id: strawberry.ID = strawberry.field(
        description="Id of the other one: it stays as it is, and is not changed."
    )
    state: MergeState = strawberry.field(description="Where it stands.")
    requested_by: strawberry.ID = strawberry.field(
        description="Member who asked for it, by pseudonym."
    )
    requested_at: datetime = strawberry.field(description="When it was asked for.")
    approved_by: strawberry.ID | None = strawberry.field(
        description="Member who approved it, by pseudonym; null while it waits."
    )
    merged_at: datetime | None = strawberry.field(description="Since when it stands.")
    undo_until: datetime | None = strawberry.field(
        description="Until when it can be undone; null while it waits."
    )
    undone_by: strawberry.ID | None = strawberry.field(
        description="Member who undid it, or took it back, by pseudonym."
    )
    undone_at: datetime | None = strawberry.field(description="When that was.")


@strawberry.input(description="Two records of one person within your agency.")
class MergeDefendersInput:
    """See `casework.merges.merge_defenders`."""

    keep: strawberry.ID = strawberry.field(
        description="Id of the defender that is kept; you must be able to open its identity."
    )
    duplicate: strawberry.ID = strawberry.field(
        description="Id of the defender that is merged into it, likewise."
    )
    keep_revision: int = strawberry.field(description="The revision of the first that you read.")
    duplicate_revision: int = strawberry.field(
        description="The revision of the second that you read."
    )
    reason_text: str = strawberry.field(description=REASON_TEXT)


@strawberry.input(description="A merge that a colleague asked for and that you approve.")
class ApproveMergeInput:
    """See `casework.merges.approve_merge`."""

    merge_id: strawberry.ID = strawberry.field(description="Id of the merge.")
    keep_revision: int = strawberry.field(
        description="The revision that you read of the defender that is kept."
    )
    duplicate_revision: int = strawberry.field(
        description="The revision that you read of the duplicate."
    )


@strawberry.input(description="A merge that is to be undone.")
class UndoMergeInput:
    """See `casework.merges.undo_merge`."""

    merge_id: strawberry.ID = strawberry.field(description="Id of the merge.")


@strawberry.type(description="How a step of a merge went.")
class MergePayload:
    """Payload."""

    merge_id: strawberry.ID | None = strawberry.field(description="Id of the merge.")
    state: MergeState | None = strawberry.field(description="Where it stands now.")
    undo_until: datetime | None = strawberry.field(
        description="Until when it can be undone, where it was approved."
    )
    errors: list[ChangeError] = strawberry.field(description="Why nothing changed.")


def _failed(error: PerisaiError) -> MergePayload:
    errors = [told(error)]
    return MergePayload(merge_id=None, state=None, undo_until=None, errors=errors)


def _made(merge_id: object, state: MergeState, undo_until: datetime | None = None) -> MergePayload:
    made = strawberry.ID(str(merge_id))
    return MergePayload(merge_id=made, state=state, undo_until=undo_until, errors=[])


@strawberry.type(description="What a caseworker may ask about duplicates.")
class MergeQueries:
    """A part of the root of the agency face."""

    @strawberry.field(
        description="Who of your agency has the NIK, a telephone number or the family card of a "
        "defender of yours, too: among those whose searched compartment you may open, as in "
        "`findDefenders`. What you may not open is not compared."
    )
    async def duplicates_of(
        self,
        info: PerisaiInfo,
        defender_id: Annotated[
            strawberry.ID, strawberry.argument(description="Id of your defender.")
        ],
        first: Annotated[int, strawberry.argument(description="How many at the most, 1 to 20.")],
    ) -> list[PossibleDuplicate]:
        """Search."""
        context = info.context
        defender = DefenderId(uuid_of(defender_id))
        found = await duplicates.duplicates_of(context.house, context.caller, defender, first)
        return cast(list[PossibleDuplicate], found)

    @strawberry.field(
        description="The newest merges of your agency, those that wait and that were undone, too, "
        "where you may open both identities; for supervisors and agency leads. Opens nothing."
    )
    async def merges(
        self,
        info: PerisaiInfo,
        first: Annotated[int, strawberry.argument(description="How many at the most, 1 to 100.")],
    ) -> list[Merge]:
        """List them."""
        context = info.context
        found = await merge_views.merges_of(context.house, context.caller, first)
        return cast(list[Merge], found)


@strawberry.type(description="What becomes of duplicates.")
class MergeChanges:
    """Part of the root of changes of the agency face."""

    @strawberry.mutation(
        description="Ask that two records of one person be merged; a second supervisor or the "
        "agency's lead approves. Nothing is moved: both stay as they are, for whom they open."
    )
    async def merge_defenders(
        self,
        info: PerisaiInfo,
        input: Annotated[MergeDefendersInput, InputOf],  # noqa: A002
    ) -> MergePayload:
        """Ask."""
        context = info.context
        pair = Pair(uuid_of(input.keep), uuid_of(input.duplicate))
        revisions = Revisions(input.keep_revision, input.duplicate_revision)
        try:
            made = await merges.merge_defenders(
                context.house, context.caller, pair, revisions, input.reason_text
            )
        except MENDABLE as error:
            return _failed(error)
        return _made(made, MergeState.WAITING)

    @strawberry.mutation(
        description="Approve a merge that a colleague asked for. It can be undone for some days."
    )
    async def approve_merge(
        self,
        info: PerisaiInfo,
        input: Annotated[ApproveMergeInput, InputOf],  # noqa: A002
    ) -> MergePayload:
        """Approve."""
        context = info.context
        merge_id = MergeId(uuid_of(input.merge_id))
        revisions = Revisions(input.keep_revision, input.duplicate_revision)
        try:
            made = await merges.approve_merge(context.house, context.caller, merge_id, revisions)
        except MENDABLE as error:
            return _failed(error)
        return _made(merge_id, MergeState.STANDS, made.undo_until)

    @strawberry.mutation(
        description="Undo a merge, or take back or decline one that waits: both records are as if "
        "it had never been."
    )
    async def undo_merge(
        self,
        info: PerisaiInfo,
        input: Annotated[UndoMergeInput, InputOf],  # noqa: A002
    ) -> MergePayload:
        """Undo."""
        context = info.context
        merge_id = MergeId(uuid_of(input.merge_id))
        try:
            await merges.undo_merge(context.house, context.caller, merge_id)
        except MENDABLE as error:
            return _failed(error)
        return _made(merge_id, MergeState.UNDONE)
