"""Deadlines that are open: derived from the records at each look, and stored nowhere twice.

One entry of SOURCES says where deadlines of one clock come from; a slice that has others adds
its entry, with an index that leads with the agency and the date. What is done has no row here.

Only the date from which a clock runs is in the database. How long it runs is configuration, so
it is added here: each source is asked for its next ones by its own date, and they are merged.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    Table,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    literal_column,
    not_,
    null,
    select,
    tuple_,
    union_all,
)

from api.code_lists import CodeLists
from api.database import Connection
from api.store import referral_rights
from api.store.columns import Instant
from api.store.tables import (
    alert,
    assignment,
    break_glass,
    break_glass_review,
    case_file,
    case_file_defender,
    consent,
    emergency_protection,
    erasure,
    plan_step,
    plan_step_done,
    referral,
    referral_right,
    requirement,
)
from api.vocabulary import Action, Urgency


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Where the deadlines of one clock come from.

    Attributes:
        agency: who has to act; nobody else is told.
        counted_from: the moment from which the clock runs.
        added: whether its length is added; else that moment is when it is due.
        open: what holds while it is not done.
        member: whose it is, who is told whatever the role.
        shown_to: else only who may do this to the case file; None: whoever sees it.
        passes: it can be overdue; else it is over by its date, and nobody's to do.
    """

    clock: str
    table: Table
    agency: ColumnElement[Any]
    case_file: ColumnElement[Any]
    counted_from: ColumnElement[Any]
    open: tuple[ColumnElement[bool], ...]
    added: bool = False
    member: ColumnElement[Any] | None = None
    shown_to: Action | None = None
    passes: bool = True

    def length(self, codes: CodeLists) -> timedelta:
        """Tell how long after `counted_from` it is due."""
        return codes.clocks[self.clock].length if self.added else timedelta(0)


#: Text of a partial index, so a literal: a planner does not know what a parameter will be.
_IN_INTAKE = case_file.c.status == literal_column("'intake'", String)

_later = assignment.alias("later")
#: The case file of what is to be erased: of a defender the newest one.
_TO_ERASE = case(
    (erasure.c.kind == literal_column("'case_file'", String), erasure.c.record),
    else_=select(case_file_defender.c.case_file)
    .where(case_file_defender.c.defender == erasure.c.record)
    .order_by(case_file_defender.c.case_file.desc())
    .limit(1)
    .scalar_subquery(),
)

#: The emergency protection for which a paper is asked neither was rejected nor has lapsed.
_STANDS = exists().where(
    emergency_protection.c.id == requirement.c.emergency,
    emergency_protection.c.votes_against < emergency_protection.c.votes_for,
) | exists().where(
    emergency_protection.c.id == requirement.c.emergency,
    emergency_protection.c.decided_at.is_(None),
    emergency_protection.c.ratify_by > bindparam("now", type_=Instant()),
)

SOURCES: tuple[Source, ...] = (
    # Who is assigned anew meanwhile goes on, and what is over by its date is nobody's to do.
    Source(
        "assignment_end",
        assignment,
        assignment.c.agency,
        assignment.c.case_file,
        assignment.c.ends_at,
        (
            assignment.c.ended_at.is_(None),
            assignment.c.event >= literal_column("0"),  # As the index says.
            case_file.c.status != literal_column("'closed'", String),
            not_(
                exists().where(
                    _later.c.case_file == assignment.c.case_file,
                    _later.c.member == assignment.c.member,
                    _later.c.ended_at.is_(None),
                    _later.c.ends_at > assignment.c.ends_at,
                )
            ),
        ),
        member=assignment.c.member,
        shown_to=Action.ASSIGN_CASEWORKER,
        passes=False,
    ),
    # A review is not proven here, as it is where somebody may break glass again: what a forged
    # one hides from this list `break_glass_watch` still tells.
    Source(
        "break_glass_review",
        break_glass,
        break_glass.c.agency,
        break_glass.c.case_file,
        break_glass.c.review_by,
        (
            not_(
                exists().where(
                    break_glass_review.c.break_glass == break_glass.c.id,
                    break_glass_review.c.agency != break_glass.c.agency,
                )
            ),
        ),
        member=break_glass.c.member,
        shown_to=Action.APPROVE_BREAK_GLASS,
    ),
    # What rested on it ended with it; who used it outside of this service has until then.
    Source(
        "consent_withdrawn",
        consent,
        consent.c.agency,
        consent.c.case_file,
        consent.c.stop_by,
        (consent.c.stop_by.is_not(None),),
        member=consent.c.withdrawn_by,
        shown_to=Action.WITHDRAW_CONSENT,
        passes=False,
    ),
    Source(
        "emergency_approval",
        emergency_protection,
        emergency_protection.c.agency,
        emergency_protection.c.case_file,
        emergency_protection.c.approve_by,
        (emergency_protection.c.granted_at.is_(None),),
        member=emergency_protection.c.proposed_by,
        shown_to=Action.APPROVE_EMERGENCY_PROTECTION,
        passes=False,
    ),
    # It lapses by itself then; whoever has to decide hears before.
    Source(
        "emergency_ratification",
        emergency_protection,
        emergency_protection.c.agency,
        emergency_protection.c.case_file,
        emergency_protection.c.ratify_by,
        (
            emergency_protection.c.granted_at.is_not(None),
            emergency_protection.c.decided_at.is_(None),
        ),
        member=emergency_protection.c.proposed_by,
        shown_to=Action.RATIFY_EMERGENCY_PROTECTION,
        passes=False,
    ),
    Source(
        "emergency_requirements",
        requirement,
        requirement.c.agency,
        requirement.c.case_file,
        requirement.c.due_at,
        (requirement.c.met_at.is_(None), _STANDS),
        shown_to=Action.MEET_REQUIREMENT,
    ),
    Source(
        "erasure_decision",
        erasure,
        erasure.c.agency,
        _TO_ERASE,
        erasure.c.requested_at,
        (erasure.c.done_at.is_(None), erasure.c.withdrawn_at.is_(None)),
        added=True,
        member=erasure.c.requested_by,
        shown_to=Action.PREVIEW_ERASURE,
    ),
    *(
        Source(
            f"first_response_{urgency.value}",
            case_file,
            case_file.c.lead_agency,
            case_file.c.id,
            case_file.c.respond_by,
            (_IN_INTAKE, case_file.c.urgency == urgency),
        )
        for urgency in Urgency
    ),
    Source(
        "plan_step",
        plan_step,
        plan_step.c.owner,
        plan_step.c.case_file,
        plan_step.c.due_at,
        (
            not_(
                exists().where(
                    plan_step_done.c.plan_step == plan_step.c.id,
                    plan_step_done.c.agency == plan_step.c.owner,
                )
            ),
        ),
        shown_to=Action.COMPLETE_PLAN_STEP,
    ),
    # Of the giver: to who has not answered yet the case file does not exist.
    Source(
        "referral_answer",
        referral,
        referral.c.giver,
        referral.c.case_file,
        referral.c.until,
        (
            referral.c.ended_at.is_(None),
            not_(exists().where(referral_right.c.referral == referral.c.id)),
        ),
        member=referral.c.proposed_by,
        shown_to=Action.REFER_CASE_FILE,
    ),
)

BY_CLOCK: Mapping[str, Source] = {source.clock: source for source in SOURCES}


class Position(NamedTuple):
    """A place in the order of deadlines, which is total: as these compare."""

    due_at: datetime
    clock: str
    record: UUID


#: Before and after every deadline; far enough from the ends of the calendar to be counted from.
EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(9000, 1, 1, tzinfo=UTC)

_FIRST, _LAST = UUID(int=0), UUID(int=2**128 - 1)
START = Position(EARLIEST, "", _FIRST)


def after_all_at(moment: datetime) -> Position:
    """Give the place behind whatever is due at *moment*."""
    return Position(moment, "~", _LAST)  # No code begins so far back in the alphabet.


class Deadline(NamedTuple):
    """One deadline that is not done."""

    agency: str
    lead_agency: str
    case_file: UUID
    record: UUID
    member: UUID | None
    clock: str
    counted_from: datetime
    due_at: datetime

    @property
    def position(self) -> Position:
        """Its place in the order."""
        return Position(self.due_at, self.clock, self.record)


@dataclass(frozen=True, slots=True)
class Asked:
    """All that decides the text of a statement, and no value.

    Attributes:
        clocks: whose sources are asked.
        mine: those of which only what is of the member `me` is asked.
        scope: which case files, as SQL; None: whichever the agency leads or was referred.
        of_case_file: only of the one in the parameter `case_file`.
        unalerted: only those of which there is no alert of the kind in the parameter `kind`.
        limit: how many at the most.
    """

    clocks: tuple[str, ...]
    mine: frozenset[str] = frozenset()
    scope: ColumnElement[bool] | None = None
    of_case_file: bool = False
    unalerted: bool = False
    limit: int = 100


async def read(
    connection: Connection,
    codes: CodeLists,
    asked: Asked,
    after: Position,
    until: Mapping[str, datetime],
    parameters: Mapping[str, Any],
) -> list[Deadline]:
    """Read the next deadlines behind *after*, first those that are due first.

    Args:
        until: clock -> the last moment at which it may be due; a clock that is not there: any.
        parameters: `agency`, `now`, and what *asked* needs: `me`, `case_file`, `kind`.
    """
    if not asked.clocks:
        return []
    sources = [BY_CLOCK[clock] for clock in asked.clocks]
    given = dict(parameters)
    for n, source in enumerate(sources):
        length = source.length(codes)
        behind = after if source.passes else max(after, after_all_at(parameters["now"]))
        given[f"key_{n}"] = behind.due_at - length
        # Where dates are equal the code decides, and only then the record.
        given[f"id_{n}"] = (
            behind.record
            if source.clock == behind.clock
            else (_LAST if source.clock < behind.clock else _FIRST)
        )
        given[f"until_{n}"] = until.get(source.clock, LATEST) - length
    result = await connection.execute(_statement_of(asked), given)
    found = [
        Deadline._make((*row, row.counted_from + BY_CLOCK[row.clock].length(codes)))
        for row in result.all()
    ]
    return sorted(found, key=lambda one: one.position)[: asked.limit]


@lru_cache(maxsize=256)
def _statement_of(asked: Asked) -> Select[Any]:
    parts = [select(part.subquery()) for part in _parts(asked)]
    return parts[0] if len(parts) == 1 else select(union_all(*parts).subquery())


def _parts(asked: Asked) -> Iterator[Select[Any]]:
    for n, clock in enumerate(asked.clocks):
        source = BY_CLOCK[clock]
        record = source.table.c.id
        rows: Any = source.table
        if source.table is not case_file:
            rows = rows.join(case_file, case_file.c.id == source.case_file)
        here = tuple_(source.counted_from, record)
        there = tuple_(
            bindparam(f"key_{n}", type_=Instant()), bindparam(f"id_{n}", type_=record.type)
        )
        yield (
            select(
                source.agency.label("agency"),
                case_file.c.lead_agency,
                case_file.c.id.label("case_file"),
                record.label("record"),
                (cast(null(), Uuid()) if source.member is None else source.member).label("member"),
                literal_column(f"'{source.clock}'", String).label("clock"),
                source.counted_from.label("counted_from"),
            )
            .select_from(rows)
            .where(
                source.agency == bindparam("agency"),
                here > there,
                source.counted_from <= bindparam(f"until_{n}", type_=Instant()),
                *source.open,
                case_file.c.erased_at.is_(None),
                *_narrowed(asked, source),
            )
            .order_by(source.counted_from, record)
            # In the text, since the planner must know it to walk the index and stop.
            .limit(literal_column(str(int(asked.limit))))
        )


def _narrowed(asked: Asked, source: Source) -> Iterator[ColumnElement[bool]]:
    yield referral_rights.REACHED if asked.scope is None else asked.scope
    if source.clock in asked.mine and source.member is not None:
        yield source.member == bindparam("me")
    if asked.of_case_file:
        yield case_file.c.id == bindparam("case_file", type_=case_file.c.id.type)
    if asked.unalerted:
        yield not_(
            exists().where(
                and_(
                    alert.c.agency == source.agency,
                    alert.c.record == source.table.c.id,
                    alert.c.clock == literal_column(f"'{source.clock}'", String),
                    alert.c.kind == bindparam("kind"),
                    alert.c.counted_from == source.counted_from,
                )
            )
        )
