"""All meaningful facts, for a policy to be asked about: every caller with every row.

How they are cut, and why nothing is lost by it:

- agencies whose files state the same rules but for their slug are one: the first stands
  for all. It meets its own case files and those of one other agency. Where a rule names
  an agency outside its own head, nothing is cut and all agencies meet;
- a clearance and a sensitivity matter by their order only, unless a rule compares one of
  them with a number or by another operator than `<=`: then all values are taken;
- facts that differ only in what cannot matter to a question are asked once (asking.py),
  and counted each;
- of a referral it is asked with nothing shared and with all, on every ground, and with
  each compartment alone where all else holds;
- of a delegation and of a broken glass, which name something: with all named, and each
  compartment alone; of all that grants, each alone and all together, with a tie and without;
  where the clearance does not reach, all together;
- without the training on gender-based violence, which matters to one compartment, these are
  asked all named only, and all together with a tie;
- a role that does no casework is asked where all else holds;
- "referred" of a case file of the own agency, which never is, and an agency without a
  file, which has no ground whatever the row says, are asked where all else holds;
- "closed", which only ever is a fact of a case file of the own agency, is asked with nothing
  else, with what lets somebody work on it, and with all together;
- outsiders meet case files of the lowest sensitivity only: they have no clearance.

What is left over the cap is thinned evenly, and that is said.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice, product
from typing import Final, NamedTuple

from api.errors import PolicyFailed
from api.policies.asking import Asked, Situation
from api.policies.editing import Rules
from api.policies.facts import (
    FIELD_TYPES,
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    Row,
    SecurityOfficerFacts,
    Who,
)
from api.policies.grammar import Call, Comparison, Path, Rule
from api.policies.lint import SHARED_FILES
from api.vocabulary import CASEWORK_ROLES, Compartment, Purpose, Role, Sensitivity

#: Most decisions of one check, unless more are asked for.
CAP: Final = 500_000

#: Compartments that a referral can name.
SHAREABLE: Final = tuple(sorted(set(Compartment) - {Compartment.RELEASE}))

_FLAGS: Final = (False, True)
_LEVELS: Final = tuple(level.value for level in Sensitivity)
_NOBODY: Final = "an-agency-without-a-file"

#: What is enumerated of each class; a field that is not here stops the check, so that a
#: new fact cannot be forgotten.
_ENUMERATED: Final = {
    "Caseworker": {"agency", "role", "clearance", "trained", "purpose"},
    "Partner": {"purpose"},
    "SecurityOfficer": {"agency"},
    "CaseFile": {"lead_agency", "sensitivity", "assigned", "supervising", "referred"}
    | {"tied", "delegated", "break_glass", "second_person", "closed"}
    | {
        f"{names}_{compartment}"
        for names in ("shares", "delegates", "unlocks")
        for compartment in SHAREABLE
    },
    "Release": {"addressed", "live", "for_purpose", "tied"},
    "Event": {"own_actor", "own_record", "break_glass"},
}


class Cut(NamedTuple):
    """What is enumerated.

    Attributes:
        agencies: each with the agencies whose case files it meets.
        cleared: pairs of clearance and sensitivity.
        stands_for: agency -> those that it stands for, itself among them.
    """

    agencies: tuple[tuple[str, tuple[str, ...]], ...]
    cleared: tuple[tuple[int, int], ...]
    stands_for: dict[str, tuple[str, ...]]


def cut_of(*policies: Rules) -> Cut:
    """Say what must be enumerated so that nothing of any of *policies* is missed."""
    every = [rule for rules in policies for each in rules.values() for rule in each]
    slugs = sorted({name for rules in policies for name in rules} - SHARED_FILES)
    if any(_names_an_agency(rule, slugs) for rule in every):
        others = {slug: tuple(slugs) for slug in slugs}
        alike: dict[str, tuple[str, ...]] = {slug: (slug,) for slug in slugs}
    else:
        alike = _alike(policies, slugs)
        others = {slug: (slug, _other(slug, slugs)) for slug in alike}
    return Cut(
        # Who has no file of its own, too: it meets what an agency with one leads.
        (*others.items(), (_NOBODY, (_NOBODY, *slugs[:1]))),
        tuple(product(_LEVELS, _LEVELS)) if any(map(_weighs, every)) else ((2, 2), (2, 3)),
        {**alike, _NOBODY: (_NOBODY,)},
    )


def _other(slug: str, slugs: Sequence[str]) -> str:
    return next((each for each in slugs if each != slug), "another-agency")


def _alike(policies: Sequence[Rules], slugs: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Group the agencies whose files say the same in each policy, by the first of each group."""

    def stated(slug: str) -> str:
        files = [[r._replace(line=0) for r in rules.get(slug, ())] for rules in policies]
        return repr(files).replace(repr(slug), "SLUG")

    groups: dict[str, list[str]] = {}
    for slug in slugs:
        groups.setdefault(stated(slug), []).append(slug)
    return {group[0]: tuple(group) for group in groups.values()}


def _names_an_agency(rule: Rule, slugs: Sequence[str]) -> bool:
    """Tell whether *rule* knows an agency but as that of its own callers (the lint's form)."""
    texts: set[object] = {parameter.constant for parameter in rule.parameters}
    for goal in rule.goals:
        texts |= set(goal.arguments) if isinstance(goal, Call) else {goal.right}
    if rule.name != "ground":
        texts |= {value for parameter in rule.parameters for _, value in parameter.values}
    return not texts.isdisjoint(slugs)


def _weighs(rule: Rule) -> bool:
    """Tell whether more than the order of a clearance and a sensitivity matters to *rule*."""
    levels = {"clearance", "sensitivity"}
    return (
        any(name in levels for parameter in rule.parameters for name, _ in parameter.values)
        or any(
            isinstance(goal, Comparison)
            and goal.left.field in levels
            and (goal.operator != "<=" or not isinstance(goal.right, Path))
            for goal in rule.goals
        )
        or any(
            argument.field in levels
            for goal in rule.goals
            if isinstance(goal, Call)
            for argument in goal.arguments
            if isinstance(argument, Path)
        )
    )


def pairs(cut: Cut) -> Iterator[tuple[Who, Row]]:
    """Enumerate every caller with every row.

    Raises:
        PolicyFailed: there is a fact that this module does not enumerate.
    """
    if {name: set(fields) for name, fields in FIELD_TYPES.items()} != _ENUMERATED:
        raise PolicyFailed
    roles = [role.value for role in Role]
    purposes = [purpose.value for purpose in Purpose]
    for agency, leads in cut.agencies:
        files = {
            (trained, pair): list(_case_files(agency, leads, pair[1], pair[1] <= pair[0], trained))
            for trained, pair in product(_FLAGS, cut.cleared)
        }
        for role, purpose in product(roles, purposes):
            works = role in CASEWORK_ROLES
            for trained, pair in product(_FLAGS, cut.cleared) if works else [(True, (2, 2))]:
                who = CaseworkerFacts(agency, role, pair[0], trained, purpose)
                yield from product([who], files[trained, pair])
            yield from product([who], _other_rows())
    for outsider in (
        *map(PartnerFacts, purposes),
        *(SecurityOfficerFacts(agency) for agency, _ in cut.agencies),
    ):
        for agency, leads in cut.agencies:
            yield from product([outsider], _case_files(agency, leads, _LEVELS[0], True, True))
        yield from product([outsider], _other_rows())


def _case_files(
    agency: str, leads: Sequence[str], level: int, cleared: bool, trained: bool
) -> Iterator[CaseFileFacts]:
    """Enumerate the case files of *leads* as they can stand to a caseworker of *agency*.

    Args:
        cleared: a caller is cleared for *level*, so that nothing but the rest can refuse.
    """
    for lead in leads:
        if agency == _NOBODY:
            yield CaseFileFacts(lead, level, **_EVERYTHING)
            continue
        for flags in product(_FLAGS, _FLAGS):
            yield CaseFileFacts(lead, level, *flags)
            if lead != agency:
                for shared in ((), SHAREABLE):
                    yield CaseFileFacts.as_referred(lead, level, *flags, shared)
        referred = {} if lead == agency else _names("referred", "shares", SHAREABLE)
        for way in _WAYS if cleared else (_EVERYTHING,):
            yield CaseFileFacts(lead, level, **_NOT_ASSIGNED | referred | way)
        if not cleared:
            continue
        for way in (*_TIED, *_ONE_BY_ONE) if trained else _TIED[-1:]:
            yield CaseFileFacts(lead, level, **_NOT_ASSIGNED | referred | way)
        if lead == agency:
            yield CaseFileFacts.as_referred(lead, level, True, True, SHAREABLE)
            for way in _CLOSED if trained else _CLOSED[-1:]:
                yield CaseFileFacts(lead, level, **_NOT_ASSIGNED | way)
            continue
        yield CaseFileFacts(lead, level, **_EVERYTHING)
        for compartment in SHAREABLE:
            one = _names("referred", "shares", (compartment,))
            yield CaseFileFacts(lead, level, **_EVERYTHING | one)


def _names(right: str, names: str, compartments: Sequence[str]) -> dict[str, bool]:
    """Give the fields of a right that names these compartments."""
    return {right: True} | {f"{names}_{compartment}": True for compartment in compartments}


_NOT_ASSIGNED: Final = {"assigned": False, "supervising": False}
_ASSIGNED: Final = {"assigned": True}
_SUPERVISING: Final = {"supervising": True}
_DELEGATED: Final = _names("delegated", "delegates", SHAREABLE)
_BROKEN: Final = _names("break_glass", "unlocks", SHAREABLE)
_TOGETHER: Final = {"second_person": True}
_EVERYTHING: Final = _ASSIGNED | _SUPERVISING | _DELEGATED | _BROKEN | _TOGETHER

#: What grants beside an assignment and its supervision, each by itself and all together.
_WAYS: Final = (
    _DELEGATED,
    _BROKEN,
    _TOGETHER,
    *(way | _TOGETHER for way in (_ASSIGNED, _SUPERVISING, _DELEGATED | _BROKEN)),
    _EVERYTHING,
)
_TIED: Final = tuple({"tied": True} | way for way in ({}, _ASSIGNED, _SUPERVISING, *_WAYS))
_CLOSED: Final = tuple(
    {"closed": True} | way for way in ({}, _ASSIGNED, _SUPERVISING, _DELEGATED, _EVERYTHING)
)
_ONE_BY_ONE: Final = tuple(
    _names(right, names, named)
    for right, names in (("delegated", "delegates"), ("break_glass", "unlocks"))
    for named in ((compartment,) for compartment in SHAREABLE)
)


def _other_rows() -> Iterator[ReleaseFacts | EventFacts]:
    yield from (ReleaseFacts(*flags) for flags in product(_FLAGS, repeat=4))
    yield from (EventFacts(*flags) for flags in product(_FLAGS, repeat=3))


def thinned(cut: Cut, decisions_each: int, cap: int = CAP) -> tuple[list[tuple[Who, Row]], int]:
    """Give the pairs whose decisions keep within *cap*, and 1 in how many of all they are."""
    every = list(pairs(cut))
    step = math.ceil(len(every) * decisions_each / cap)
    return list(islice(every, 0, None, step)), step


def situations(
    asked: Asked, every: Sequence[tuple[Who, Row]], progress: Callable[[int], None]
) -> Iterator[Situation]:
    """Ask about each of *every*; *progress* is told after each how many are done."""
    for done, (who, row) in enumerate(every, 1):
        yield asked.situation(who, row)
        progress(done)
