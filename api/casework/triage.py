"""Triage at the door: from answers to an urgency, and to the agencies that are there for it.

All of it proposes. The caller may set a higher urgency and refers to whom they find right;
only to go below what the answers ask for needs a reason. Nothing here reads a record.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from api.code_lists import CodeLists
from api.code_lists.labels import Labels
from api.code_lists.mandates import Bar, Mandate, Mandates
from api.code_lists.questions import Triage
from api.errors import UrgencyTooLow, ValueInvalid
from api.vocabulary import LoweringReason, TriageAnswer, Urgency

#: The fastest first.
_RANK = {urgency: rank for rank, urgency in enumerate(Urgency)}


@dataclass(frozen=True, slots=True)
class Answered:
    """What was answered at the door.

    Attributes:
        answers: question -> answer, as sent: one question may come twice, which is refused.
        needs: codes of measures that the person asks for. They are kept nowhere.
        lowered: why the urgency is to be lower than the answers ask for.
    """

    answers: Sequence[tuple[str, TriageAnswer]] = field(repr=False)
    needs: Sequence[str] = field(default=(), repr=False)
    lowered: LoweringReason | None = None


@dataclass(frozen=True, slots=True)
class Known:
    """What of a complaint a mandate may be found by: code list -> its codes, and the answers."""

    codes: Mapping[str, frozenset[str]] = field(repr=False)
    answers: Mapping[str, TriageAnswer] = field(repr=False)

    def fits(self, mandate: Mandate) -> bool:
        """Tell whether the complaint has anything that *mandate* is there for."""
        if any(map(self.says_yes, mandate.yes)):
            return True
        return any(
            not codes.isdisjoint(self.codes.get(name, ()))
            for name, codes in mandate.of_list.items()
        )

    def says_yes(self, question: str) -> bool:
        """Tell whether *question* was answered with yes."""
        return self.answers.get(question) is TriageAnswer.YES


@dataclass(frozen=True, slots=True)
class AgencyForIt:
    """An agency that is proposed, or barred, and why."""

    agency: str
    why: Labels


@dataclass(frozen=True, slots=True)
class Proposal:
    """What the answers come to.

    Attributes:
        barred: agencies that cannot take it on.
        measures: codes of what is proposed in their place.
    """

    urgency: Urgency
    agencies: tuple[AgencyForIt, ...]
    barred: tuple[AgencyForIt, ...]
    measures: tuple[str, ...]


def checked(triage: Triage, answers: Sequence[tuple[str, TriageAnswer]]) -> dict[str, TriageAnswer]:
    """Give the answer to every question, in the order of the questions.

    Raises:
        ValueInvalid: a question that is none of ours, or two answers to one.
    """
    given = dict(answers)
    if len(given) < len(answers) or not given.keys() <= triage.questions.keys():
        raise ValueInvalid
    return {code: given.get(code, TriageAnswer.UNKNOWN) for code in triage.questions}


def proposed_urgency(triage: Triage, answers: Mapping[str, TriageAnswer]) -> Urgency:
    """Give the highest urgency that any of *answers* asks for."""
    asked = [triage.questions[code].asks_for.get(answer) for code, answer in answers.items()]
    return min((one for one in asked if one), key=_RANK.__getitem__, default=triage.otherwise)


def chosen_urgency(
    proposed: Urgency, wanted: Urgency | None, lowered: LoweringReason | None
) -> tuple[Urgency, LoweringReason | None]:
    """Give the urgency that counts, and why it is lower than *proposed*, where it is.

    Raises:
        UrgencyTooLow: it would be lower, and no reason says why.
        ValueInvalid: a reason for what is not lower.
    """
    urgency = proposed if wanted is None else wanted
    if _RANK[urgency] <= _RANK[proposed]:
        if lowered is not None:
            raise ValueInvalid
    elif lowered is None:
        raise UrgencyTooLow
    return urgency, lowered


def propose(codes: CodeLists, known: Known) -> Proposal:
    """Propose an urgency, and every agency whose mandate fits and that nothing bars."""
    mandates = codes.mandates
    bars = [bar for bar in mandates.bars if known.says_yes(bar.yes)]
    kept = {bar.agency for bar in bars}
    found: dict[str, list[Labels]] = {}
    for agency, why in _reasons(mandates, known, bars):
        if agency not in kept:
            found.setdefault(agency, []).append(why)
    if not found and mandates.otherwise.agency not in kept:
        found[mandates.otherwise.agency] = [mandates.otherwise.why]
    return Proposal(
        proposed_urgency(codes.triage, known.answers),
        tuple(AgencyForIt(agency, _together(why)) for agency, why in found.items()),
        tuple(AgencyForIt(bar.agency, bar.why) for bar in bars),
        tuple(sorted({measure for bar in bars for measure in bar.measures})),
    )


def _reasons(mandates: Mandates, known: Known, bars: Sequence[Bar]) -> Iterator[tuple[str, Labels]]:
    """Name each agency for each reason: first where a barred one's complaint goes instead."""
    for bar in bars:
        yield from bar.instead.items()
    for mandate in mandates.entries:
        if known.fits(mandate):
            yield mandate.agency, mandate.why


def _together(why: Sequence[Labels]) -> Labels:
    return Labels(" ".join(one.id for one in why), " ".join(one.en for one in why))
