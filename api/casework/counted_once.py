"""Which case files are counted already, since another one is about the same person.

Two agencies that confirmed to each other that they know a person, or one that merged two
records, may have a case file each of what happened once. Those that were opened in the same
month count once: a column of a month is made of that month alone (`publishing`), and a person
who comes back in another month comes with something new. Nothing here reads a record.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

#: Code and month: a cell of a table.
Cell = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Linked:
    """A case file with the defenders in it that are in any pair, and what it is counted by."""

    id: UUID
    opened_on: date
    people: frozenset[UUID]
    codes: frozenset[str]


def counted_twice(
    files: Sequence[Linked], pairs: Iterable[tuple[UUID, UUID]], several: bool
) -> Mapping[Cell, int]:
    """Say how much to take off each cell in which the same was counted more than once.

    Args:
        pairs: two records of one person.
        several: a case file has several codes, and those of the same count once in each cell;
            else it has one, and the case file that counts is the one that was opened first.
    """
    over: Counter[Cell] = Counter()
    for month, same in _groups(files, pairs):
        counts = _counting(same)
        for file in same:
            if file.id not in counts:
                over.update((code, month) for code in file.codes)
        if several:
            # Where no case file that counts has a code, one of the others stands for it.
            theirs = {code for file in same if file.id in counts for code in file.codes}
            others = {code for file in same for code in file.codes} - theirs
            over.subtract((code, month) for code in others)
    return {cell: count for cell, count in over.items() if count}


def _counting(same: Sequence[Linked]) -> set[UUID]:
    """Give those that count: all of the one record that stands in most, of equals the first.

    Several case files about one record were opened as several, whoever else knows the person.
    """
    of_record: defaultdict[UUID, list[Linked]] = defaultdict(list)
    for file in sorted(same, key=_first):
        for person in file.people:
            of_record[person].append(file)
    best = min(of_record.values(), key=lambda files: (-len(files), _first(files[0])))
    return {file.id for file in best}


def _first(file: Linked) -> tuple[date, UUID]:
    return file.opened_on, file.id


def _groups(
    files: Sequence[Linked], pairs: Iterable[tuple[UUID, UUID]]
) -> Iterator[tuple[int, Sequence[Linked]]]:
    """Give the case files of one month that are about the same people, where there are several."""
    known = list(pairs)
    months: defaultdict[int, list[Linked]] = defaultdict(list)
    for file in files:
        months[file.opened_on.month].append(file)
    for month, opened in months.items():
        person_of = _joined([*known, *(file.people for file in opened)])
        groups: defaultdict[UUID, list[Linked]] = defaultdict(list)
        for file in opened:
            groups[person_of(min(file.people))].append(file)
        yield from ((month, same) for same in groups.values() if len(same) > 1)


def _joined(together: Iterable[Collection[UUID]]) -> Callable[[UUID], UUID]:
    """Join those that stand together, and theirs; give what names one of each group."""
    above: dict[UUID, UUID] = {}

    def top(one: UUID) -> UUID:
        while (next_one := above.setdefault(one, one)) != one:
            above[one] = above[next_one]
            one = next_one
        return one

    for some in together:
        first, *others = some
        for other in others:
            above[top(other)] = top(first)
    return top
