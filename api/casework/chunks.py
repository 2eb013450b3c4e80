"""How what was touched is cut into events: a leaf is bounded, a list is not."""

from collections.abc import Iterator, Sequence
from uuid import UUID

from api.accesslog.event import Touched
from api.vocabulary import RecordKind

#: One event names at most this many records; a longer list is several events.
RECORDS_PER_EVENT = 1000

#: What a group of records costs an event beside its records, counted in records: its
#: words may be as long as some records (FORMAT.md of the access log).
GROUP_WEIGHT = 10

Record = tuple[RecordKind, UUID, int]


def chunks(touched: Sequence[Touched]) -> Iterator[tuple[Touched, ...]]:
    """Cut so that no event weighs more than RECORDS_PER_EVENT records.

    Gives one chunk at least: that nothing was found is an event too.
    """
    chunk: list[Touched] = []
    room = RECORDS_PER_EVENT
    for one in touched:
        records = one.records
        room -= GROUP_WEIGHT
        if chunk and room < 1:
            yield tuple(chunk)
            chunk, room = [], RECORDS_PER_EVENT - GROUP_WEIGHT
        while len(records) > room:
            chunk.append(_with(one, records[:room]))
            records = records[room:]
            yield tuple(chunk)
            chunk, room = [], RECORDS_PER_EVENT - GROUP_WEIGHT
        if records or not one.records:
            chunk.append(_with(one, records))
            room -= len(records)
    if chunk or not touched:
        yield tuple(chunk)


def _with(one: Touched, records: tuple[Record, ...]) -> Touched:
    if len(records) == len(one.records):
        return one
    return Touched(one.decision, one.ground, one.reason, one.compartments, one.fields, records)
