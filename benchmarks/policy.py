"""What deciding costs: a page of 100 case files, 10 sealed fields each, every field asked.

Every one of the 1,000 questions is put to the gate, though casework asks only once for
rows with equal facts. The rows are of all kinds that a page can have. The peers
(benchmarks/policy_peers.py) keep their answers as the gate does: by the facts, all
compartments of a case file at once. Warm, that leaves the same look-up on both sides;
cold, with nothing kept, it shows the engines.
"""

import gc
import statistics
from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle, islice, product
from time import process_time
from typing import Any

from api.policies.engine import Policy
from api.policies.facts import CaseFileFacts, CaseworkerFacts
from api.policies.gate import Allowed, Gate, Verdict
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import CASEWORK_ROLES, Compartment, Purpose, Sensitivity
from benchmarks.machine import Pace
from benchmarks.policy_peers import Decide, casbin, cedar, naive
from benchmarks.turns import in_turns, repeated
from benchmarks.values import Value

#: Targets, in milliseconds.
WARM_LIMIT = 0.2
COLD_LIMIT = 60.0

ROWS = 100
FIELDS = (
    "account",
    "dateOfBirth",
    "emails",
    "fullName",
    "gender",
    "homeAddress",
    "nik",
    "phones",
    "presentLocation",
    "sexualViolenceForms",
)

WARM_UP = 10
ROUNDS = 60
#: Pages within a round of the warm ones.
PAGES = 20
ROUNDS_COLD = 20
#: A page of the naive takes a second.
ROUNDS_NAIVE = 5

_SEALED = CASE_FILE_FIELDS | DEFENDER_FIELDS
COMPARTMENTS = tuple(_SEALED[name].compartment for name in FIELDS)

#: Who asks: an officer to whom some of the page is assigned.
WHO = CaseworkerFacts("komnas-ham", "case_officer", 3, True, "protection")

Page = Callable[[], object]


def rows() -> list[CaseFileFacts]:
    """Make a page: the agency's own case files of all 16 kinds, and four that were referred."""
    own = [
        CaseFileFacts("komnas-ham", int(level), assigned, supervising)
        for level, assigned, supervising in product(Sensitivity, (True, False), (True, False))
    ]
    referred = [
        CaseFileFacts.as_referred("lpsk", 3, assigned, False, shared)
        for assigned, shared in product(
            (True, False), (("identity", "contact"), ("identity", "narrative", "gender_violence"))
        )
    ]
    # Not one object for equal facts: each row has facts of its own, as if it were read.
    return [_again(facts) for facts in islice(cycle(own + referred), ROWS)]


def _again(facts: CaseFileFacts) -> CaseFileFacts:
    values = {name: getattr(facts, name) for name in facts.__slots__}
    return CaseFileFacts(**values)


def decided(gate: "Gate | Kept", page: list[CaseFileFacts]) -> list[Any]:
    """Ask for every field of every row."""
    ask = gate.open
    return [ask(WHO, c, row) for row in page for c in COMPARTMENTS]


def yes(verdicts: list[Verdict]) -> list[bool]:
    """Say of each verdict what a peer can say."""
    return [type(verdict) is Allowed for verdict in verdicts]


class Kept:
    """A peer's answers, kept as the gate keeps its own."""

    def __init__(self, decide: Decide) -> None:
        self._decide = decide
        self._opened: dict[tuple[str, Compartment, str], bool] = {}

    def forget(self) -> None:
        self._opened.clear()

    def open(self, who: CaseworkerFacts, compartment: Compartment, row: CaseFileFacts) -> bool:
        try:
            return self._opened[who.key, compartment, row.key]
        except KeyError:
            pass
        answers = self._decide(who, row)
        for each, answer in answers.items():
            self._opened[who.key, each, row.key] = answer
        return answers[compartment]


async def warm_ms() -> list[Value]:
    """Decide a page of which every kind was decided before."""
    gate, page = Gate(Policy.shipped()), rows()
    return [_timed("warm_ms", lambda: decided(gate, page), WARM_LIMIT, PAGES, ROUNDS)]


async def cold_ms() -> list[Value]:
    """Decide a page right after a policy was adopted: nothing is known."""
    policy, page = Policy.shipped(), rows()
    return [_timed("cold_ms", lambda: decided(Gate(policy), page), COLD_LIMIT, 1, ROUNDS_COLD)]


def _timed(name: str, page: Page, limit: float, pages: int, rounds: int) -> Value:
    """Give the median of *rounds*, in milliseconds for one page.

    By the processor's clock: what only computes is not the slower for its neighbours.
    The *limit* is for the machine of `benchmarks.machine`.
    """
    page()
    gc.collect()
    gc.freeze()
    taken, pace = [], Pace()
    for _ in range(rounds):
        start = process_time()
        for _ in range(pages):
            page()
        taken.append((process_time() - start) / pages * 1000)
        pace.turn()
    gc.unfreeze()
    return Value(f"policy.{name}", statistics.median(taken), "ms", limit * pace.slowness)


async def vs_cedarpy() -> list[Value]:
    """Compare with Cedar, whose policies are parsed once, and whose answers are kept."""
    return await _against("cedarpy", cedar)


async def vs_pycasbin() -> list[Value]:
    """Compare with Casbin's fast enforcer, whose answers are kept."""
    return await _against("pycasbin", casbin)


async def _against(peer: str, made: Callable[[Policy], Decide]) -> list[Value]:
    policy = Policy.shipped()
    gate, page = Gate(policy), rows()
    decide = made(policy)
    check(gate, decide)
    kept = Kept(decide)
    assert decided(kept, page) == yes(decided(gate, page)), f"policy.vs_{peer}"
    warm = await in_turns(
        repeated(PAGES, lambda: decided(kept, page)),
        repeated(PAGES, lambda: decided(gate, page)),
        warm_up=WARM_UP,
        rounds=ROUNDS,
        clock=process_time,
    )

    def theirs() -> None:
        kept.forget()
        decided(kept, page)

    cold = await in_turns(
        repeated(1, theirs),
        repeated(1, lambda: decided(Gate(policy), page)),
        warm_up=1,
        rounds=ROUNDS_COLD,
        clock=process_time,
    )
    _tell(f"vs_{peer}", f"{peer} {version(peer)}", warm.first / PAGES, warm.second / PAGES)
    _tell(f"vs_{peer}.cold", peer, cold.first, cold.second)
    return [
        Value(f"policy.vs_{peer}", warm.ratio, "x"),
        Value(f"policy.vs_{peer}.cold", cold.ratio, "x"),
    ]


async def vs_naive_oso() -> list[Value]:
    """Compare with Oso's own `authorize_field` for each field of each row."""
    policy = Policy.shipped()
    gate, page = Gate(policy), rows()
    authorized = naive(policy)

    def theirs() -> list[bool]:
        return [authorized(WHO, row, field) for row in page for field in FIELDS]

    assert theirs() == yes(decided(gate, page)), "policy.vs_naive_oso"
    measured = await in_turns(
        repeated(1, theirs),
        repeated(1, lambda: decided(gate, page)),
        warm_up=1,
        rounds=ROUNDS_NAIVE,
        clock=process_time,
    )
    _tell("vs_naive_oso", f"oso {version('oso')}", measured.first, measured.second)
    return [Value("policy.vs_naive_oso", measured.ratio, "x", above=1.0)]


def check(gate: Gate, decide: Decide) -> None:
    """Make sure that a peer decides the same, for callers of every kind and not only this one."""
    callers = [
        CaseworkerFacts("komnas-ham", role.value, clearance, trained, purpose.value)
        for role, clearance, trained, purpose in product(
            sorted(CASEWORK_ROLES),
            (2, 4),
            (True, False),
            (Purpose.PROTECTION, Purpose.SUPERVISION, Purpose.QUALITY_REVIEW),
        )
    ]
    for who, row in product(callers, dict.fromkeys(rows())):
        answers = decide(who, row)
        for compartment in Compartment:
            ours = type(gate.open(who, compartment, row)) is Allowed
            if answers.get(compartment, False) is not ours:
                raise SystemExit(f"A peer decides otherwise: {who}, {compartment.value}, {row}")


def _tell(name: str, peer: str, theirs: float, ours: float) -> None:
    """Print the medians behind a ratio as a comment."""
    print(f"# policy.{name}: {peer} {theirs * 1000:.3f} ms against {ours * 1000:.3f} ms")
