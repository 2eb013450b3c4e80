"""The scope in SQL and the decision on facts are one and the same, whatever the policy says."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Integer,
    MetaData,
    String,
    Table,
    column,
    exists,
    insert,
    select,
)

from api.errors import PolicyFailed
from api.policies import engine as policy_engine
from api.policies.engine import Policy, shipped_texts
from api.policies.facts import (
    CaseFileFacts,
    CaseworkerFacts,
    EventFacts,
    PartnerFacts,
    ReleaseFacts,
    SecurityOfficerFacts,
)
from api.policies.gate import Allowed, Gate
from api.policies.scope import plan_of
from api.vocabulary import Compartment, Purpose, Role

AGENCIES = ("komnas-ham", "komnas-perempuan", "lpsk")
FLAGS = (False, True)
CALLER, COLLEAGUE = 1, 2

#: What every shareable compartment is called.
SHARED = sorted(set(Compartment) - {Compartment.RELEASE})
#: Facts that the store says in other ways, and this test as columns.
PLAIN = (
    "tied", "delegated", "break_glass", "second_person",
    *(f"{names}_{each.value}" for names in ("delegates", "unlocks") for each in SHARED),
)  # fmt: skip

METADATA = MetaData()
case_file = Table(
    "scope_case_file",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("lead_agency", String(40), nullable=False),
    Column("sensitivity", Integer, nullable=False),
    *(Column(name, Boolean, nullable=False) for name in PLAIN),
)
assignment = Table(
    "scope_assignment",
    METADATA,
    Column("case_file", ForeignKey("scope_case_file.id"), primary_key=True),
    Column("member", Integer, primary_key=True),
    Column("live", Boolean, nullable=False),
)
right = Table(
    "scope_right",
    METADATA,
    Column("case_file", ForeignKey("scope_case_file.id"), primary_key=True),
    Column("compartments", String(120), nullable=False),
)
release = Table(
    "scope_release",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("addressed", Boolean, nullable=False),
    Column("for_purpose", Boolean, nullable=False),
    Column("live", Boolean, nullable=False),
    Column("tied", Boolean, nullable=False),
)
#: As the store says it: what is assigned is no column but an EXISTS.
COLUMNS = {
    "lead_agency": case_file.c.lead_agency,
    "sensitivity": case_file.c.sensitivity,
    "assigned": exists().where(
        assignment.c.case_file == case_file.c.id,
        assignment.c.member == CALLER,
        assignment.c.live,
    ),
    "supervising": exists().where(
        assignment.c.case_file == case_file.c.id,
        assignment.c.member != CALLER,
        assignment.c.live,
    ),
}
COLUMNS |= {name: case_file.c[name] for name in PLAIN}
COLUMNS["referred"] = exists().where(right.c.case_file == case_file.c.id)
for each in SHARED:
    COLUMNS[f"shares_{each.value}"] = exists().where(
        right.c.case_file == case_file.c.id, right.c.compartments.contains(f",{each.value},")
    )
#: Every case file there can be, by its id; those that were referred once each way.
CASE_FILES = dict(
    enumerate(
        [
            *(CaseFileFacts(*each) for each in product(AGENCIES, (1, 2, 3, 4), FLAGS, FLAGS)),
            *(
                CaseFileFacts.as_referred(*each, shares)
                for each in product(("komnas-ham", "lpsk"), (3,), (True,), FLAGS)
                for shares in ((), ("contact", "identity"), SHARED)
            ),
            *(
                replace(CaseFileFacts.as_referred(lead, 3, False, False, SHARED), **facts)
                for lead in ("komnas-ham", "lpsk")
                for facts in (
                    {"tied": True, "assigned": True},
                    {"delegated": True, "delegates_identity": True},
                    {"break_glass": True, "unlocks_contact": True},
                    {"second_person": True, "supervising": True},
                )
            ),
        ]
    )
)

case_file_callers = st.builds(
    CaseworkerFacts,
    st.sampled_from(AGENCIES),
    st.sampled_from([role.value for role in Role]),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([purpose.value for purpose in Purpose]),
)
once_for_all_examples = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture
def records(engine: Engine) -> Engine:
    """Every case file, with live and with ended assignments of the caller and of a colleague."""
    METADATA.drop_all(engine)
    METADATA.create_all(engine)
    with engine.begin() as connection:
        for number, file in CASE_FILES.items():
            connection.execute(
                insert(case_file).values(
                    id=number,
                    lead_agency=file.lead_agency,
                    sensitivity=file.sensitivity,
                    **{name: getattr(file, name) for name in PLAIN},
                )
            )
            if file.referred:
                shares = [c.value for c in SHARED if getattr(file, f"shares_{c.value}")]
                connection.execute(
                    insert(right).values(case_file=number, compartments=f",{','.join(shares)},")
                )
            for member, live in ((CALLER, file.assigned), (COLLEAGUE, file.supervising)):
                if live or number % 2:
                    connection.execute(
                        insert(assignment).values(case_file=number, member=member, live=live)
                    )
        for number, flags in enumerate(product(FLAGS, repeat=4)):
            said = dict(zip(("addressed", "live", "for_purpose", "tied"), flags, strict=True))
            connection.execute(insert(release).values(id=number, **said))
    return engine


def in_scope(records, gate, who, compartment=None):
    question = "see" if compartment is None else "open"
    where = gate.scope(who, question, COLUMNS, compartment)
    with records.connect() as connection:
        return set(connection.scalars(select(case_file.c.id).where(where)))


def decided(gate, who, compartment=None):
    return {
        number
        for number, file in CASE_FILES.items()
        if isinstance(
            gate.see(who, file) if compartment is None else gate.open(who, compartment, file),
            Allowed,
        )
    }


@pytest.mark.long
@once_for_all_examples
@given(who=case_file_callers)
def test_the_scope_holds_exactly_what_the_shipped_policy_allows(records, gate, who):
    assert in_scope(records, gate, who) == decided(gate, who)
    for compartment in Compartment:
        assert in_scope(records, gate, who, compartment) == decided(gate, who, compartment)


@pytest.mark.parametrize(("role", "purpose", "some"), [
    ("case_officer", "protection", True),
    ("supervisor", "supervision", True),
    ("case_officer", "supervision", False),
    ("operator", "protection", False),
])  # fmt: skip
def test_the_scope_is_neither_empty_nor_all(records, gate, role, purpose, some):
    """The property above would hold of two adapters that allow nothing."""
    who = CaseworkerFacts("lpsk", role, 3, True, purpose)

    assert len(in_scope(records, gate, who)) == (16 + 12 + 6 if some else 0)
    # Its own, six referred ones among them (which never are), and of another's those
    # four of which the identity is shared; of both one that was delegated, and to who
    # supervises one that a second person looks at.
    expected = (
        {"case_officer": 6 + 6 + 4 + 2, "supervisor": 9 + 6 + 4 + 4}.get(role, 0) if some else 0
    )
    assert len(in_scope(records, gate, who, Compartment.IDENTITY)) == expected


conditions = st.one_of(
    st.builds("file.sensitivity {} {}".format, st.sampled_from(["=", "<", "<=", ">", ">="]),
              st.one_of(st.integers(0, 5).map(str), st.just("who.clearance"))),
    st.builds("file.{} = {}".format,
              st.sampled_from(["assigned", "supervising", "referred", "shares_identity"]),
              st.one_of(st.sampled_from(["true", "false"]), st.just("who.trained"))),
    st.sampled_from([
        "file.lead_agency = who.agency", 'file.lead_agency = "lpsk"', "cleared(who, file)",
        "supervises(who.role, who.purpose)", 'file.lead_agency = who.role',
    ]),
)  # fmt: skip
rules = st.lists(
    st.tuples(
        st.sampled_from(["own_agency", "assigned", "supervising", "referral_accepted"]),
        st.lists(conditions, min_size=1, max_size=4),
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.long
@once_for_all_examples
@given(who=case_file_callers, rules=rules, reach=st.lists(conditions, min_size=1, max_size=2))
def test_the_scope_holds_exactly_what_any_policy_in_the_language_allows(records, who, rules, reach):
    texts = {name: text.split("\n?=")[0] for name, text in shipped_texts().items()}
    base = "\n".join(
        line for line in shipped_texts()["base"].splitlines() if not line.startswith("?=")
    )
    own = "in_own_agency(who: Caseworker, file: CaseFile) if "
    before, after = base.split(own)
    body = " and ".join(["any(who, file)", *reach])
    texts["base"] = before + own + body + ";" + after.split(";", 1)[1]
    texts["base"] += "\nany(_: Caseworker, _: CaseFile);\n"  # Else `who` may stay unused.
    texts["komnas-ham"] = "".join(
        f'ground(who: Caseworker{{agency: "komnas-ham"}}, "{ground}", file: CaseFile) if '
        f"{' and '.join(['any(who, file)', *body])};\n"
        for ground, body in rules
    )
    # Someone whom the role and the purpose do not stop already.
    who = CaseworkerFacts("komnas-ham", "supervisor", who.clearance, who.trained, "supervision")
    gate = Gate(Policy.load(texts))

    assert in_scope(records, gate, who) == decided(gate, who)
    for compartment in (Compartment.IDENTITY, Compartment.GENDER_VIOLENCE):
        assert in_scope(records, gate, who, compartment) == decided(gate, who, compartment)


def test_a_partner_and_an_officer_have_their_scope_too(records, gate):
    partner = PartnerFacts("protection")
    columns = {name: release.c[name] for name in ("addressed", "live", "for_purpose", "tied")}
    with records.connect() as connection:
        where = gate.scope(partner, "see", columns)
        found = set(connection.scalars(select(release.c.id).where(where)))
        none = gate.scope(partner, "open", columns, Compartment.RELEASE)
        assert connection.scalars(select(release.c.id).where(none)).all() == []
        # The same flags stand for an event's.
        officer = SecurityOfficerFacts("lpsk")
        events = {
            "own_actor": release.c.addressed,
            "own_record": release.c.live,
            "break_glass": release.c.for_purpose,
        }
        where = gate.scope(officer, "see", events)
        seen = set(connection.scalars(select(release.c.id).where(where)))

    releases = enumerate(ReleaseFacts(*each) for each in product(FLAGS, repeat=4))
    assert len(found) == 1
    assert found == {n for n, each in releases if isinstance(gate.see(partner, each), Allowed)}
    events = enumerate(EventFacts(*each) for each in product(FLAGS, repeat=3))
    # The row with these flags, whatever the fourth: numbers 2n and 2n + 1.
    assert seen == {2, 3} | set(range(4, 16))
    assert {n // 2 for n in seen} == {
        n for n, each in events if isinstance(gate.see(officer, each), Allowed)
    }


def test_changing_one_rule_changes_the_sql_with_no_edit_in_python(gate):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    texts = shipped_texts()
    rule = "in_own_agency(who: Caseworker, file: CaseFile) if file.lead_agency = who.agency"
    assert rule in texts["base"]
    texts["base"] = texts["base"].replace(rule, rule + " and file.sensitivity <= 2")
    # The agencies' own tests say that existence does not depend on sensitivity.
    texts = {name: text.replace("sensitivity: 4", "sensitivity: 2") for name, text in texts.items()}
    texts = {name: text.replace("sensitivity: 3", "sensitivity: 2") for name, text in texts.items()}

    def sql(asked: Gate) -> str:
        where = asked.scope(who, "see", COLUMNS)
        said = str(where.compile(compile_kwargs={"literal_binds": True}))
        # What both alternatives ask stands once, after them.
        ways, untied = said.rsplit(" AND ", 1)
        assert untied == "NOT scope_case_file.tied"
        own, referred = ways.removeprefix("(").removesuffix(")").split(" OR ")
        assert "scope_right" in referred
        return own

    assert sql(gate) == "scope_case_file.lead_agency = 'lpsk'"
    assert sql(Gate(Policy.load(texts))) == (
        "scope_case_file.lead_agency = 'lpsk' AND scope_case_file.sensitivity <= 2"
    )


def test_the_engine_is_asked_for_a_scope_once(policy, monkeypatch):
    gate = Gate(policy)
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    first = gate.scope(who, "see", COLUMNS)

    monkeypatch.setattr(Policy, "conditions_on", None)  # Asking again would fail.
    again = gate.scope(
        CaseworkerFacts("lpsk", "case_officer", 3, False, "protection"), "see", COLUMNS
    )

    assert first is again  # So that a statement made with it can be kept as well.


def test_other_columns_have_a_scope_of_their_own(gate):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    other = {**COLUMNS, "lead_agency": column("agency", String)}

    assert "scope_case_file.lead_agency" in str(gate.scope(who, "see", COLUMNS))
    assert "agency = " in str(gate.scope(who, "see", other)).replace("lead_agency = ", "")
    assert "scope_case_file.lead_agency" in str(gate.scope(who, "see", COLUMNS))


def test_a_new_policy_forgets_the_scopes_of_the_old_one(gate, policy):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    first = gate.scope(who, "see", COLUMNS)

    gate.adopt(policy)

    assert gate.scope(who, "see", COLUMNS) is not first


def test_scopes_of_two_compartments_are_not_mixed(gate):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")

    wheres = [
        str(gate.scope(who, "open", COLUMNS, each))
        for each in (Compartment.IDENTITY, Compartment.WHEREABOUTS, Compartment.IDENTITY)
    ]

    assert wheres[0] == wheres[2] != wheres[1]


def test_a_question_and_its_compartment_go_together(gate):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    for question, compartment in (
        ("open", None),
        ("see", Compartment.IDENTITY),
        ("change", None),
        ("", None),
    ):
        with pytest.raises(PolicyFailed):
            gate.scope(who, question, COLUMNS, compartment)


def test_a_missing_column_or_a_flag_that_is_no_boolean_gives_no_scope(gate):
    who = CaseworkerFacts("lpsk", "case_officer", 3, False, "protection")
    for name in ("lead_agency", "sensitivity", "assigned"):
        some = {key: value for key, value in COLUMNS.items() if key != name}
        with pytest.raises(PolicyFailed):
            gate.scope(who, "open", some, Compartment.IDENTITY)
    with pytest.raises(PolicyFailed):
        gate.scope(who, "open", {**COLUMNS, "assigned": column("n", Integer)}, Compartment.IDENTITY)


@pytest.mark.parametrize(
    "body",
    [
        "3 > file.sensitivity",
        "who.clearance >= file.sensitivity",
        "file.sensitivity != 3",
        'not file.lead_agency = "lpsk"',
        "not cleared(who, file)",
        "file.assigned = file.supervising",
        "file.lead.agency = who.agency",
        "file.sensitivity = true",
        'file.sensitivity = "3"',
        'file.lead_agency < "m"',
        "file.unknown = true",
        "file = who",
        "file.lead_agency = who",
        'file.lead_agency in [who.agency]',
        "file.tags matches String",
        'x in file.tags and x = "a"',
        "file matches CaseFile{sensitivity: 2}",
        "file matches Release",
    ],
)  # fmt: skip
def test_what_cannot_be_said_exactly_is_never_said_even_past_the_lint(body):
    """Either the engine and this adapter refuse, or the plan is the same plain conditions."""
    text = (
        "cleared(who: Caseworker, file: CaseFile) if file.sensitivity <= who.clearance;\n"
        f'see(who: Caseworker, file: CaseFile, "own_agency") if who.trained = true and {body};'
    )
    oso, _ = policy_engine._loaded({"base": text})
    who = CaseworkerFacts("lpsk", "case_officer", 3, True, "protection")

    try:
        plan = plan_of(Policy(oso, ""), who, None)
    except PolicyFailed:
        return
    assert plan == {
        "file.lead_agency in [who.agency]": ((("lead_agency", "=", "lpsk"),),),
        "file matches CaseFile{sensitivity: 2}": ((("sensitivity", "=", 2),),),
    }.get(body, ())
