"""Events for the tests: one to write quickly, and a strategy for all that there can be."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import strategies as st

from api.accesslog.event import Event, Touched
from api.vocabulary import (
    Action,
    Compartment,
    Decision,
    Ground,
    LegalBasis,
    Outcome,
    Phase,
    Purpose,
    Reason,
    RecordKind,
    Role,
)

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
SARI = UUID("0192f0c1-0000-7000-8000-000000000001")
WAYAN = UUID("0192f0c1-0000-7000-8000-000000000002")


def record(number: int) -> UUID:
    """Give the id of a made-up record."""
    return UUID(int=(0x0192F0C2 << 96) + number)


def read_of(
    number: int = 0,
    *,
    actor: UUID = SARI,
    organisation: str = "komnas-ham",
    agencies: tuple[str, ...] = ("komnas-ham",),
    decision: Decision = Decision.DISCLOSED,
    action: Action = Action.READ,
) -> Event:
    """Give an event in which one defender was read, *number* seconds after noon."""
    return Event(
        at=NOON + timedelta(seconds=number),
        request=f"{number:032x}",
        actor=actor,
        organisation=organisation,
        role=Role.CASE_OFFICER,
        action=action,
        phase=Phase.WHOLE,
        purpose=Purpose.PROTECTION,
        basis=LegalBasis.PUBLIC_TASK,
        decision=decision,
        code=None,
        policy="ab" * 32,
        agencies=agencies,
        touched=(
            Touched(
                decision=decision,
                ground=Ground.ASSIGNED,
                reason=None,
                compartments=(Compartment.CONTACT, Compartment.IDENTITY),
                fields=("fullName", "phone"),
                records=((RecordKind.DEFENDER, record(number), 3),),
            ),
        ),
    )


def refusal(number: int = 0) -> Event:
    """Give the event of somebody who could not sign in."""
    return Event(
        at=NOON + timedelta(seconds=number),
        request=f"{number:032x}",
        actor=None,
        organisation=None,
        role=None,
        action=Action.SIGN_IN,
        phase=Phase.WHOLE,
        purpose=None,
        basis=None,
        decision=Decision.REFUSED,
        code="TOKEN_EXPIRED",
        policy=None,
        agencies=(),
    )


def _maybe(strategy: st.SearchStrategy[object]) -> st.SearchStrategy[object]:
    return st.none() | strategy


WORDS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}", fullmatch=True)
WORD_SETS = st.lists(WORDS, max_size=5).map(tuple)
NUMBERS = st.integers(min_value=0, max_value=2**63 - 1)

TOUCHED = st.builds(
    Touched,
    decision=st.sampled_from(Decision),
    ground=_maybe(st.sampled_from(Ground)),
    reason=_maybe(st.sampled_from(Reason)),
    compartments=st.lists(st.sampled_from(Compartment), max_size=4).map(tuple),
    fields=WORD_SETS,
    records=st.lists(st.tuples(st.sampled_from(RecordKind), st.uuids(), NUMBERS), max_size=4).map(
        tuple
    ),
)
EVENTS = st.builds(
    Event,
    at=st.datetimes(timezones=st.just(UTC)),
    request=WORDS,
    actor=_maybe(st.uuids()),
    organisation=_maybe(WORDS),
    role=_maybe(st.sampled_from(Role)),
    action=st.sampled_from(Action),
    phase=st.sampled_from(Phase),
    purpose=_maybe(st.sampled_from(Purpose)),
    basis=_maybe(st.sampled_from(LegalBasis)),
    decision=st.sampled_from(Decision),
    code=_maybe(WORDS),
    policy=_maybe(WORDS),
    agencies=WORD_SETS,
    touched=st.lists(TOUCHED, max_size=3).map(tuple),
    intent=_maybe(NUMBERS),
    outcome=_maybe(st.sampled_from(Outcome)),
    count=_maybe(NUMBERS),
    step=_maybe(st.integers(-(2**63), 2**63 - 1).filter(bool)),
    previous=_maybe(WORDS),
    commitment=_maybe(st.binary(min_size=32, max_size=32).map(bytes.hex)),
)
