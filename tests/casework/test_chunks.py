"""A list is cut into events that a leaf can hold, and no record is lost or named twice."""

from uuid import UUID

import pytest

from api.accesslog.event import MAX_LEAF, Touched, encode
from api.casework.chunks import RECORDS_PER_EVENT, Record, chunks
from api.vocabulary import Compartment, Decision, Ground, Reason, RecordKind
from tests.accesslog.events import read_of


def records(count: int) -> tuple[Record, ...]:
    return tuple((RecordKind.LEGAL_HOLD, UUID(int=n), 2**31 - 1) for n in range(count))


def listed(count: int) -> Touched:
    return Touched(Decision.DISCLOSED, Ground.REFERRAL_ACCEPTED, None, (), (), records(count))


@pytest.mark.parametrize(
    ("count", "events"), [(0, 1), (1, 1), (990, 1), (991, 2), (1001, 2), (2500, 3), (100_000, 102)]
)
def test_a_list_of_any_length_is_whole_in_as_few_events_as_hold_it(count: int, events: int) -> None:
    cut = list(chunks([listed(count)]))

    assert len(cut) == events
    named = [record for chunk in cut for one in chunk for record in one.records]
    assert tuple(named) == records(count)
    assert all(sum(len(one.records) for one in chunk) <= RECORDS_PER_EVENT for chunk in cut)


def test_every_chunk_is_short_enough_for_a_leaf() -> None:
    """The longest words and numbers, in groups of one record: nothing is longer."""
    group = Touched(
        Decision.WITHHELD,
        Ground.REFERRAL_ACCEPTED,
        Reason.PURPOSE_DOES_NOT_FIT,
        tuple(Compartment),
        ("sexualViolenceForms", "sealedCategories", "presentLocation", "dateOfBirth"),
        records(1),
    )

    for chunk in chunks([listed(5_000), *[group] * 500]):
        event = read_of()
        body = encode(type(event)(**{**_fields(event), "touched": chunk}), bytes(16))
        assert len(body) <= MAX_LEAF


def test_what_touched_nothing_is_an_event_all_the_same() -> None:
    refused = Touched(Decision.REFUSED, None, Reason.ROLE_DOES_NOT_FIT, (), (), ())

    assert list(chunks([])) == [()]
    assert list(chunks([refused])) == [(refused,)]


def _fields(event: object) -> dict[str, object]:
    return {name: getattr(event, name) for name in event.__slots__}  # type: ignore[attr-defined]  # a dataclass with slots
