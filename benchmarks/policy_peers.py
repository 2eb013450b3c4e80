"""The rules about reading a compartment, said to other engines, for benchmarks/policy.py.

What is a table in base.polar (which role reads what on which ground, for which purposes)
is asked of the loaded policy, so that it is the same table; the rules around it are
written out here in the words of each peer, as one who knows it would. Each answers yes
or no, and names no ground and no reason, so it does less than the gate.
"""

from collections.abc import Callable, Mapping
from typing import Any

import cedarpy
from casbin import FastEnforcer
from casbin.model import FastModel
from casbin.persist.adapters import StringAdapter
from oso import Oso
from oso.exceptions import ForbiddenError
from polar.variable import Variable

from api.policies.engine import Policy, shipped_texts
from api.policies.facts import CLASSES, CaseFileFacts, CaseworkerFacts, Facts
from api.policies.facts import FIELD_TYPES as FACTS
from api.store.sealed_fields import CASE_FILE_FIELDS, DEFENDER_FIELDS
from api.vocabulary import Compartment

Table = frozenset[tuple[str, ...]]

#: Decides every compartment of one case file for one caller; what is not there is refused.
Decide = Callable[[CaseworkerFacts, CaseFileFacts], Mapping[Compartment, bool]]


def _table(policy: Policy, rule: str, columns: int) -> list[tuple[str, ...]]:
    return sorted(policy.answers(rule, *(Variable(f"column_{n}") for n in range(columns))))


# -- Cedar ------------------------------------------------------------------------------

_CEDAR = """permit (principal == Caseworker::"it", action == Action::"open", resource) when {{
  principal.role == "{role}" && {purposes}.contains(principal.purpose) &&
  {compartments}.contains(context.compartment) && {ground} &&
  (context.compartment != "gender_violence" || principal.trained) &&
  (resource.lead_agency == principal.agency ||
    resource.referred && resource.shares.contains(context.compartment)) &&
  resource.sensitivity <= principal.clearance
}};
"""


def cedar(policy: Policy) -> Decide:
    """Ask Cedar once for all compartments of a case file; the policies are parsed before."""
    fits: dict[str, list[str]] = {}
    for role, purpose in _table(policy, "purpose_of", 2):
        fits.setdefault(role, []).append(purpose)
    supervises: dict[str, list[str]] = {}
    for role, purpose in _table(policy, "supervises", 2):
        supervises.setdefault(role, []).append(purpose)
    reads: dict[tuple[str, str], list[str]] = {}
    for role, compartment, ground in _table(policy, "reads", 3):
        reads.setdefault((role, ground), []).append(compartment)
    parsed = cedarpy.PolicySet.from_str(
        "".join(
            _CEDAR.format(
                role=role,
                purposes=_words(fits[role] if ground == "assigned" else supervises.get(role, [])),
                compartments=_words(compartments),
                ground=f"resource.{ground}",
            )
            for (role, ground), compartments in reads.items()
        )
    )

    def decide(who: CaseworkerFacts, row: CaseFileFacts) -> dict[Compartment, bool]:
        shares = [c.value for c in Compartment if getattr(row, f"shares_{c.value}", False)]
        plain = {n: getattr(row, n) for n in FACTS["CaseFile"] if not n.startswith("shares_")}
        entities = [
            _entity("Caseworker", {n: getattr(who, n) for n in FACTS["Caseworker"]}),
            _entity("CaseFile", {**plain, "shares": shares}),
        ]
        asked = [
            {
                "principal": 'Caseworker::"it"',
                "action": 'Action::"open"',
                "resource": 'CaseFile::"it"',
                "context": {"compartment": compartment.value},
            }
            for compartment in Compartment
        ]
        found = cedarpy.is_authorized_batch(asked, parsed, entities)
        return {c: answer.allowed for c, answer in zip(Compartment, found, strict=True)}

    return decide


def _entity(kind: str, attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {"uid": {"type": kind, "id": "it"}, "attrs": attributes, "parents": []}


def _words(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


# -- Casbin -----------------------------------------------------------------------------

_CASBIN = """
[request_definition]
r = role, compartment, who, row

[policy_definition]
p = role, compartment, ground

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.role == p.role && r.compartment == p.compartment && \
fits(r.who, p.ground) && on(r.row, p.ground) && \
(r.compartment != "gender_violence" || r.who.trained) && \
(r.row.lead_agency == r.who.agency || r.row.referred && shares(r.row, r.compartment)) && \
r.row.sensitivity <= r.who.clearance
"""


def casbin(policy: Policy) -> Decide:
    """Ask Casbin once for each compartment, with its fast enforcer: by role and compartment."""
    fits = set(_table(policy, "purpose_of", 2))
    supervises = set(_table(policy, "supervises", 2))
    lines = "\n".join(", ".join(("p", *line)) for line in _table(policy, "reads", 3))
    model = FastModel((0, 1))
    model.load_model_from_text(_CASBIN)
    enforcer = FastEnforcer(model, StringAdapter(lines), cache_key_order=(0, 1))
    enforcer.add_function(
        "fits",
        lambda who, ground: (
            (who.role, who.purpose) in (fits if ground == "assigned" else supervises)
        ),
    )
    enforcer.add_function("on", lambda row, ground: getattr(row, ground))
    enforcer.add_function(
        "shares", lambda row, compartment: getattr(row, f"shares_{compartment}", False)
    )

    def decide(who: CaseworkerFacts, row: CaseFileFacts) -> dict[Compartment, bool]:
        return {c: enforcer.enforce(who.role, c.value, who, row) for c in Compartment}

    return decide


# -- Oso, as its documentation shows it ---------------------------------------------------


def naive(policy: Policy) -> Callable[[Facts, Facts, str], bool]:
    """Ask `authorize_field` of a fresh Oso for every field of every row; nothing is kept.

    The policy is the one that is shipped, with a rule that names each field's compartment.
    """
    assert Policy.shipped().hash == policy.hash
    oso = Oso()
    for name, cls in CLASSES.items():
        oso.register_class(cls, name=name)
    fields = {
        f.name: f.compartment for f in (*CASE_FILE_FIELDS.values(), *DEFENDER_FIELDS.values())
    }
    lines = [f'compartment_of("{name}", "{c.value}");' for name, c in fields.items()]
    rule = """
        allow(_, _, _) if false;
        allow_field(who: Caseworker, "read", file: CaseFile, field) if
            compartment_of(field, compartment) and open(who, compartment, file, _);
    """
    oso.load_str("\n".join([*shipped_texts().values(), rule, *lines]))

    def decide(who: Facts, row: Facts, field: str) -> bool:
        try:
            oso.authorize_field(who, "read", row, field)
        except ForbiddenError:
            return False
        return True

    return decide
