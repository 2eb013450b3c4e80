"""What an agency asks about erasures: what one would take, and what waits for a second person."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import strawberry

from api.casework import erasure_preview
from api.schema import words
from api.schema.context import PerisaiInfo, uuid_of
from api.vocabulary import ErasureReason, HoldReason, RecordKind

words.define()

KindOf = Annotated[
    RecordKind, strawberry.argument(description="DEFENDER or CASE_FILE; nothing else is erased.")
]
RecordOf = Annotated[strawberry.ID, strawberry.argument(description="Id of the record.")]


@strawberry.type(description="So many rows of one table, or keys of one organisation.")
class ErasureCount:
    """A count."""

    name: str = strawberry.field(description="The table, or the slug of the organisation.")
    rows: int = strawberry.field(description="How many.")


@strawberry.type(description="What an erasure would take now. Nothing was opened or changed.")
class ErasurePreview:
    """See `casework.erasure_preview.Preview`."""

    parts: list[ErasureCount] = strawberry.field(description="What would go, by table.")
    wraps: list[ErasureCount] = strawberry.field(
        description="The keys that would go, by organisation: others have some where it was shared."
    )
    releases: int = strawberry.field(
        description=(
            "Redacted views made from its case files that live on: they are sealed under keys "
            "of partners and hold no identity."
        )
    )
    defenders_remaining: int = strawberry.field(
        description="Of a case file: defenders in no other one, who must be erased first."
    )
    holds: int = strawberry.field(
        description="Legal holds that stand on it or on what belongs with it, and forbid it."
    )
    erased: bool = strawberry.field(description="Whether it is erased already.")


@strawberry.type(description="A request to erase a record that waits for a second person.")
class Erasure:
    """An open request."""

    id: strawberry.ID = strawberry.field(description="Id of the request.")
    kind: RecordKind = strawberry.field(description="The kind of the record.")
    record: strawberry.ID = strawberry.field(description="Id of the record.")
    reason: ErasureReason = strawberry.field(description="Why it is to be erased.")
    requested_by: strawberry.ID = strawberry.field(description="Who asked, by pseudonym.")
    requested_at: datetime = strawberry.field(description="When.")


@strawberry.type(description="A legal hold that stands: it forbids an erasure.")
class LegalHold:
    """A hold that stands."""

    id: strawberry.ID = strawberry.field(description="Id of the hold.")
    kind: RecordKind = strawberry.field(description="The kind of the record.")
    record: strawberry.ID = strawberry.field(description="Id of the record.")
    reason: HoldReason = strawberry.field(description="Why it must be kept.")
    placed_by: strawberry.ID = strawberry.field(description="Who placed it, by pseudonym.")
    placed_at: datetime = strawberry.field(description="When.")
    until: datetime | None = strawberry.field(description="When it ends by itself, if it does.")


@strawberry.type(description="What waits in your agency: at most 100 of each, newest first.")
class ErasuresWaiting:
    """See `casework.erasure_preview.Waiting`."""

    erasures: list[Erasure] = strawberry.field(description="Requests that are open.")
    legal_holds: list[LegalHold] = strawberry.field(description="Legal holds that stand.")


@strawberry.type(description="Questions about erasures.")
class ErasureQueries:
    """Part of the root of the agency face."""

    @strawberry.field(
        description="What the erasure of a record would take now: counts only, and in the log."
    )
    async def erasure_preview(
        self, info: PerisaiInfo, kind: KindOf, record_id: RecordOf
    ) -> ErasurePreview | None:
        """Count."""
        context = info.context
        found = await erasure_preview.preview(
            context.house, context.caller, (kind, uuid_of(record_id))
        )
        return ErasurePreview(
            parts=[ErasureCount(name=c.table, rows=c.rows) for c in found.parts],
            wraps=[ErasureCount(name=c.table, rows=c.rows) for c in found.wraps],
            releases=found.releases,
            defenders_remaining=found.defenders_remaining,
            holds=found.holds,
            erased=found.erased,
        )

    @strawberry.field(description="The requests and legal holds that are open in your agency.")
    async def erasures(self, info: PerisaiInfo) -> ErasuresWaiting | None:
        """List."""
        context = info.context
        waiting = await erasure_preview.waiting(context.house, context.caller)
        return ErasuresWaiting(
            erasures=[
                Erasure(
                    reason=ErasureReason(row["reason"]),
                    requested_by=strawberry.ID(str(row["requested_by"])),
                    requested_at=row["requested_at"],
                    **_named(row),
                )
                for row in waiting.erasures
            ],
            legal_holds=[
                LegalHold(
                    reason=HoldReason(row["reason"]),
                    placed_by=strawberry.ID(str(row["placed_by"])),
                    placed_at=row["placed_at"],
                    until=row["until"],
                    **_named(row),
                )
                for row in waiting.holds
            ],
        )


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": strawberry.ID(str(row["id"])),
        "kind": RecordKind(row["kind"]),
        "record": strawberry.ID(str(row["record"])),
    }
