"""How fast was responded: a row for each code and each way in which it can have gone.

The first response is the step that takes a case file out of intake; its deadline was set when
the case file was opened, by the urgency that it had then.
"""

from collections.abc import Iterable, Mapping

from api.code_lists.labels import Labels
from api.vocabulary import Responded

#: What a person reads behind what is counted.
_LABELS: Mapping[Responded, Labels] = {
    Responded.MET: Labels("tepat waktu", "in time"),
    Responded.LATE: Labels("terlambat", "late"),
    Responded.OPEN: Labels("belum, masih dalam tenggat", "not yet, within its time"),
}


def code_of(code: str, responded: Responded) -> str:
    """Give the code of a row: `urgent:late`."""
    return f"{code}:{responded.value}"


def rows_of(labels: Mapping[str, Labels]) -> dict[str, Labels]:
    """Give the rows of a table by the codes of *labels*."""
    return {
        code_of(code, how): Labels(f"{of.id}: {said.id}", f"{of.en}: {said.en}")
        for code, of in labels.items()
        for how, said in _LABELS.items()
    }


def groups_of(codes: Iterable[str]) -> list[list[str]]:
    """Give the rows of each code, which add up to a number of another table."""
    return [[code_of(code, how) for how in Responded] for code in codes]
