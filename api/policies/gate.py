"""The only place where it is decided whether someone may, and the only maker of a Permit.

A verdict is a pure function of the policy text and of facts, so it is kept under
both. A gate belongs to one event loop; it takes no lock. The policy may be exchanged at any
moment, so each request has a gate of its own, which shares what the process remembers and
never decides under two.
"""

import time
from collections.abc import Callable, Collection, Hashable, Iterable, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, Never, TypeVar, cast

from sqlalchemy import ColumnElement

from api.errors import PermitExpired, PolicyChanged, PolicyFailed
from api.policies.engine import COMPARTMENT, GROUND, Policy
from api.policies.facts import ROW_OF, CaseFileFacts, Row, Who
from api.policies.scope import plan_of, predicate
from api.vocabulary import Action, Compartment, Ground, Reason

#: Seconds from the verdicts to the last opening (docs/architecture.md, "One request").
PERMIT_SECONDS: Final = 3.0

#: Most verdicts kept for one question, about 200 bytes each. An agency has at most
#: 512 kinds of caller, 16 kinds of case file of its own and 8 compartments.
KEPT_VERDICTS: Final = 100_000

#: Where several grounds hold, the one that the event names: the narrowest.
_NARROWEST_FIRST: Final = (
    Ground.ADDRESSEE,
    Ground.ASSIGNED,
    Ground.DELEGATED,
    Ground.SUPERVISING,
    Ground.OVERSIGHT,
    Ground.MANDATED,
    # Named only where nothing of every day grants it.
    Ground.BREAK_GLASS,
    Ground.REFERRAL_ACCEPTED,
    Ground.OWN_AGENCY,
)

_GATE: Final = object()

_K = TypeVar("_K", bound=Hashable)
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Allowed:
    """Yes, for this ground."""

    ground: Ground


@dataclass(frozen=True, slots=True)
class Refused:
    """No, for this reason."""

    reason: Reason


Verdict = Allowed | Refused


class Permit:
    """Proof that the gate allowed these keys a moment ago. Made by `Gate.permit` only."""

    __slots__ = ("_allowed", "_clock", "_deadline", "_refused")

    def __init__(
        self,
        token: object,
        allowed: frozenset[Hashable],
        refused: int,
        clock: Callable[[], float],
    ) -> None:
        """Refuse every maker but the gate."""
        if token is not _GATE:
            raise PolicyFailed
        self._allowed = allowed
        self._refused = refused
        self._clock = clock
        self._deadline = clock() + PERMIT_SECONDS

    def check(self, *keys: Hashable) -> None:
        """Pass while the permit is fresh and covers all of *keys*.

        Raises:
            PermitExpired: 3 s have passed.
            PolicyFailed: one of *keys* was not allowed in this pass.
        """
        if self._clock() >= self._deadline:
            raise PermitExpired
        if not self._allowed.issuperset(keys):
            raise PolicyFailed

    def __repr__(self) -> str:
        """Show counts only; a key may name a record."""
        return f"<permit: {len(self._allowed)} allowed, {self._refused} refused>"

    def __reduce__(self) -> str:
        """Refuse to be pickled or copied: a permit is of this process and this moment."""
        raise PolicyFailed


@dataclass(frozen=True, slots=True)
class _Unsettled:
    """Stands for the policy of a request that does not know yet which one it has."""

    hash: str

    def answers(self, *_args: object) -> Never:
        raise PolicyFailed

    conditions_on = answers


class Gate:
    """Answers questions on facts under one policy.

    Every question is refused unless a rule allows it, and every failure of the
    engine raises PolicyFailed: nothing is ever allowed by an error.
    """

    def __init__(
        self,
        policy: Policy,
        clock: Callable[[], float] = time.monotonic,
        *,
        witnessed: Callable[[], bool] = lambda: True,
        unwitnessed_stops: Collection[Compartment] = (),
    ) -> None:
        """Decide under *policy*.

        Args:
            clock: monotonic, in seconds.
            witnessed: whether the access log is witnessed, at this moment.
            unwitnessed_stops: what opens for nobody while it is not.
        """
        self._clock = clock
        #: Whatever goes beyond the policy, as an emergency access would, asks this first.
        self.witnessed = witnessed
        self._unwitnessed_stops = frozenset(unwitnessed_stops)
        #: Of the gate of one request, the one of the process; else None.
        self._of: Gate | None = None
        self._settled = False
        self._decide_under(policy)

    def adopt(self, policy: Policy) -> None:
        """Decide under *policy* from now on, in the whole process; no verdict is kept.

        Requests that decided before go on under the policy under which they did.
        """
        (self._of or self)._decide_under(policy)

    def of_request(self) -> "Gate":
        """Give a gate for one request, which decides under one policy, from `settle` on.

        Before that it raises PolicyFailed whatever it is asked.
        """
        mine = copy(self)
        mine._of, mine._settled = self._of or self, False
        mine._decide_under(cast("Policy", _Unsettled(self.policy_hash)))
        return mine

    def under(self, policy: Policy) -> "Gate":
        """Give a gate that decides as this one would under *policy*."""
        other = copy(self)
        other._of, other._settled = None, False
        other._decide_under(policy)
        return other

    def settle(self) -> None:
        """Decide, in this request, under the policy that the process has now.

        A gate of the whole process has nothing to settle.

        Raises:
            PolicyChanged: something was decided under another one in this request.
        """
        if self._of is None:
            return
        if not self._settled:
            self._share(self._of)
            self._settled = True
        elif self.policy_hash != self._of.policy_hash:
            raise PolicyChanged

    def _decide_under(self, policy: Policy) -> None:
        self._policy = policy
        self.policy_hash: str = policy.hash
        # One memo a question: the names of a compartment and of an action may be equal.
        self._seen: dict[tuple[str, str], Verdict] = {}
        self._opened: dict[tuple[str, Compartment, str], Verdict] = {}
        self._changed: dict[tuple[str, Action, str], Verdict] = {}
        self._scopes: dict[
            tuple[str, Compartment | None, int],
            tuple[Mapping[str, ColumnElement[Any]], ColumnElement[bool]],
        ] = {}

    def _share(self, other: "Gate") -> None:
        """Decide as *other* does now, and remember together."""
        self._policy, self.policy_hash = other._policy, other.policy_hash
        self._seen, self._opened = other._seen, other._opened
        self._changed, self._scopes = other._changed, other._scopes

    @property
    def policy(self) -> Policy:
        """The policy in force, for who explains an answer; only the gate decides by it."""
        return self._policy

    def see(self, who: Who, row: Row) -> Verdict:
        """Does *row* exist for *who*? For a partner and an officer this is reading it."""
        try:
            return self._seen[who.key, row.key]
        except (KeyError, AttributeError):
            pass
        _must_be_facts(who, row)
        verdict = self._decide_see(who, row)
        _keep(self._seen, (who.key, row.key), verdict)
        return verdict

    def open(self, who: Who, compartment: Compartment, row: Row) -> Verdict:
        """May *who* read what is sealed in *compartment* of *row*?

        That is the policy's answer, unless the compartment is stopped at the moment.
        """
        try:
            verdict = self._opened[who.key, compartment, row.key]
        except (KeyError, AttributeError):
            verdict = self._decided_open(who, compartment, row)
        if type(verdict) is Refused:
            return verdict
        return self.unless_stopped(compartment, verdict)

    def unless_stopped(self, compartment: Compartment, verdict: Verdict) -> Verdict:
        """Give *verdict*, or refuse what may not open while the access log has no witnesses.

        What the policy refuses keeps its reason, and is never remembered with this one.
        """
        if (
            type(verdict) is Allowed
            and (compartment in self._unwitnessed_stops or verdict.ground is Ground.BREAK_GLASS)
            and not self.witnessed()
        ):
            return Refused(Reason.LOG_NOT_WITNESSED)
        return verdict

    def _decided_open(self, who: Who, compartment: Compartment, row: Row) -> Verdict:
        _must_be_facts(who, row)
        if type(compartment) is not Compartment:
            raise PolicyFailed
        verdicts = self._decide_open(who, row)
        for each, verdict in verdicts.items():
            _keep(self._opened, (who.key, each, row.key), verdict)
        return verdicts[compartment]

    def change(self, who: Who, action: Action, row: Row) -> Verdict:
        """May *who* do *action* to *row*? The compartments it touches are asked by `open`.

        For OPEN_CASE_FILE *row* is the case file to be. An action that is no
        change of a case file is refused.
        """
        try:
            return self._changed[who.key, action, row.key]
        except (KeyError, AttributeError):
            pass
        _must_be_facts(who, row)
        if type(action) is not Action:
            raise PolicyFailed
        verdict = self._decide_change(who, action, row)
        _keep(self._changed, (who.key, action, row.key), verdict)
        return verdict

    def permit(self, verdicts: Mapping[_K, Verdict]) -> Permit:
        """Make the permit of one pass.

        *verdicts* maps what the caller will open, for example (record,
        compartment), to what `see` or `open` said of it just now.
        """
        allowed = frozenset(key for key, verdict in verdicts.items() if type(verdict) is Allowed)
        return Permit(_GATE, allowed, len(verdicts) - len(allowed), self._clock)

    def scope(
        self,
        who: Who,
        question: Literal["see", "open"],
        columns: Mapping[str, ColumnElement[Any]],
        compartment: Compartment | None = None,
    ) -> ColumnElement[bool]:
        """Say in SQL which rows *who* may see, or whose *compartment* they may open.

        *columns* gives the expression for every field of the row's facts, a flag
        as a boolean expression (a column, an EXISTS); it is one lasting mapping that
        nobody changes, with bound parameters for what differs between requests.
        The scope narrows; each row that comes back is decided again on its own facts.

        Raises:
            PolicyFailed: the policy cannot be said in SQL, or a column is missing.
        """
        if question not in ("see", "open") or (question == "open") != (compartment is not None):
            raise PolicyFailed
        _must_be_caller(who)
        key = (who.key, compartment, id(columns))
        known = self._scopes.get(key)
        if known is None:
            # One object for one scope: statements are kept by it. Holding *columns*
            # keeps their id, which is in the key, from being used again.
            said = predicate(plan_of(self._policy, who, compartment), columns)
            known = (columns, said)
            _keep(self._scopes, key, known)
        return known[1]

    def _decide_see(self, who: Who, row: Row) -> Verdict:
        answers = self._policy.answers("see", who, row, GROUND)
        if answers:
            return _allowed(ground for (ground,) in answers)
        return self._refused(
            # These two say nothing of the row, so they may be told of any.
            (Reason.ROLE_DOES_NOT_FIT, "role_fits", (who,)),
            (Reason.PURPOSE_DOES_NOT_FIT, "purpose_fits", (who,)),
            # For the log: who is tied is answered as if there were nothing.
            (Reason.CONFLICT_OF_INTEREST, "untied", (row,)),
            otherwise=Reason.NOT_IN_REACH,
        )

    def _decide_open(self, who: Who, row: Row) -> dict[Compartment, Verdict]:
        """Decide all compartments in one question: they share most of its work."""
        seen = self.see(who, row)
        if type(seen) is Refused:
            return dict.fromkeys(Compartment, seen)
        grounds: dict[str, list[str]] = {}
        for compartment, ground in self._policy.answers("open", who, COMPARTMENT, row, GROUND):
            grounds.setdefault(compartment, []).append(ground)
        if not grounds.keys() <= set(Compartment):
            raise PolicyFailed
        # Where one compartment opens there is a ground and clearance: the others are not held.
        conditions = (
            (Reason.NOT_ASSIGNED, "grounded", (who, row)),
            (Reason.CLEARANCE_TOO_LOW, "cleared", (who, row)),
        )
        refused = self._refused(
            *(() if grounds else conditions), otherwise=Reason.COMPARTMENT_NOT_HELD
        )
        return {
            each: _allowed(grounds[each]) if each in grounds else refused for each in Compartment
        }

    def _decide_change(self, who: Who, action: Action, row: Row) -> Verdict:
        seen = self.see(who, row)
        if type(seen) is Refused:
            return seen
        answers = self._policy.answers("change", who, action.value, row, GROUND)
        if answers:
            return _allowed(ground for (ground,) in answers)
        if type(row) is CaseFileFacts and row.closed:
            reopened = replace(row, closed=False)
            if self._policy.answers("change", who, action.value, reopened, GROUND):
                return Refused(Reason.CASE_FILE_CLOSED)
        return self._refused(
            (Reason.ROLE_DOES_NOT_FIT, "duty", (who, action.value)),
            (Reason.PURPOSE_DOES_NOT_FIT, "serves", (who, action.value)),
            (Reason.NOT_ASSIGNED, "grounded_to_change", (who, action.value, row)),
            (Reason.CLEARANCE_TOO_LOW, "cleared", (who, row)),
            # To write where nothing opens, as by a delegation of which nothing is left.
            otherwise=Reason.COMPARTMENT_NOT_HELD,
        )

    def _refused(
        self, *conditions: tuple[Reason, str, tuple[object, ...]], otherwise: Reason
    ) -> Refused:
        """Refuse for the first condition (reason, rule, arguments) that does not hold."""
        for reason, rule, args in conditions:
            if not self._policy.answers(rule, *args):
                return Refused(reason)
        return Refused(otherwise)


def _allowed(grounds: Iterable[str]) -> Allowed:
    """Allow on the narrowest of *grounds*, of which there is at least one.

    Raises:
        PolicyFailed: the policy names a ground that the vocabulary does not know.
    """
    found = set(grounds)
    if not found <= set(Ground):
        raise PolicyFailed
    return Allowed(next(ground for ground in _NARROWEST_FIRST if ground in found))


def _must_be_caller(who: object) -> None:
    """Refuse all but the known classes, exactly: a derived one could lie about its key."""
    if type(who) not in ROW_OF:
        raise PolicyFailed


def _must_be_facts(who: object, row: object) -> None:
    _must_be_caller(who)
    if type(row) not in ROW_OF.values():
        raise PolicyFailed


def _keep(memo: dict[_K, _V], key: _K, value: _V) -> None:
    """Remember *value*; a full memo starts again, which costs time only."""
    if len(memo) >= KEPT_VERDICTS:
        memo.clear()
    memo[key] = value
