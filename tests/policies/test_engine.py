"""A policy loads as a whole or not at all, tells nothing of what it decides, and reaches no Python.

This is also the test of oso with cffi 2 (docs/decisions/0002): it imports,
loads, decides and frees through the foreign function interface.
"""

import gc
import warnings
from hashlib import sha256

import cffi
import pytest
from polar import ffi

from api.errors import PolicyFailed, PolicyRefused
from api.policies import engine
from api.policies.engine import COMPARTMENT, GROUND, ROW, Policy, shipped_texts
from api.policies.facts import CaseFileFacts, CaseworkerFacts

SARI = CaseworkerFacts("komnas-ham", "case_officer", 3, False, "protection")
START = 'who.role = "case_officer"'
HERS = CaseFileFacts("komnas-ham", 3, True, False)


def with_more(text: str, name: str = "base") -> dict[str, str]:
    texts = shipped_texts()
    texts[name] += text
    return texts


def unlinted(text: str) -> Policy:
    """Load a text that the lint would refuse, to see that the engine refuses as well."""
    oso, _ = engine._loaded({"base": text})
    return Policy(oso, "")


def test_oso_decides_with_cffi_2(policy):
    assert int(cffi.__version__.split(".")[0]) >= 2

    for _ in range(200):
        assert policy.answers("see", SARI, HERS, GROUND) == {("own_agency",)}
    gc.collect()  # Every query frees its memory in Rust.
    assert ("identity", "assigned") in policy.answers("open", SARI, COMPARTMENT, HERS, GROUND)


def test_the_hash_names_every_text_and_its_file():
    texts = shipped_texts()
    digest = sha256()
    for name, text in sorted(texts.items()):
        for part in (name.encode(), text.encode()):
            digest.update(len(part).to_bytes(8, "big") + part)

    assert Policy.load(texts).hash == digest.hexdigest() == Policy.shipped().hash
    assert Policy.load(dict(reversed(texts.items()))).hash == digest.hexdigest()
    assert Policy.load(with_more("# one more word\n")).hash != digest.hexdigest()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('extra(who: Caseworker) if casework_role("supervisor");\n', "who"),  # singleton: a warning
        ('?= casework_role("operator");\n', "inline test"),
        ('?= not casework_role("supervisor");\n', "inline test"),
        ("?= see(\n", "expected"),
        ('extra("x") if nowhere("x");\n', "nowhere"),
        ('?= not role_fits(new Caseworker(agency: "x", role: "guard", clearance: 1, '
         'trained: true, purpose: "intake"));\n', "load"),
    ],
)  # fmt: skip
def test_a_warning_an_error_or_a_failed_test_refuses_the_whole_policy(text, named):
    with pytest.raises(PolicyRefused) as refused:
        Policy.load(with_more(text))

    assert named in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_python_warning_at_load_refuses_the_policy(monkeypatch):
    loaded = engine._loaded

    def warn(texts):
        warnings.warn("something is deprecated", DeprecationWarning, stacklevel=1)
        return loaded(texts)

    monkeypatch.setattr(engine, "_loaded", warn)
    with pytest.raises(PolicyRefused):
        Policy.shipped()


@pytest.mark.parametrize("name", ["POLAR_LOG", "POLAR_EXPLAIN"])
def test_an_engine_that_would_print_what_it_decides_is_not_started(name):
    for value in ("1", "trace", "now", ""):
        with pytest.raises(PolicyRefused):
            Policy.load(shipped_texts(), {name: value})
    Policy.load(shipped_texts(), {name: "0"})


@pytest.mark.parametrize("missing", ["base", "partners"])
def test_a_missing_file_is_noticed(missing):
    """Nothing in base needs partners.polar: without it the policy loads, with another hash."""
    texts = shipped_texts()
    del texts[missing]

    if missing == "base":
        with pytest.raises(PolicyRefused):
            Policy.load(texts)
    else:
        assert Policy.load(texts).hash != Policy.shipped().hash


def test_loading_and_deciding_print_nothing(capfd):
    policy = Policy.shipped()
    policy.answers("open", SARI, COMPARTMENT, HERS, GROUND)
    policy.conditions_on(CaseFileFacts, "see", SARI, ROW, GROUND)

    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("args", [(), (SARI,), (SARI, HERS, HERS, GROUND)])
def test_an_unknown_question_fails_instead_of_answering(policy, args, capfd):
    with pytest.raises(PolicyFailed) as failed:
        policy.answers("nobody_asked_this", *args)

    assert str(failed.value) == PolicyFailed.message
    assert failed.value.__suppress_context__
    assert capfd.readouterr() == ("", "")


def test_any_exception_of_the_engine_becomes_a_bare_refusal(policy, monkeypatch):
    for kind in (RuntimeError, AssertionError, KeyError, OSError):

        def fail(*_args, kind=kind):
            raise kind("sari")

        monkeypatch.setattr(ffi.Polar, "new_query_from_term", fail)
        for ask in (
            lambda: policy.answers("see", SARI, HERS, GROUND),
            lambda: policy.conditions_on(CaseFileFacts, "see", SARI, ROW, GROUND),
        ):
            with pytest.raises(PolicyFailed) as failed:
                ask()
            assert "sari" not in str(failed.value)
            assert failed.value.__suppress_context__


@pytest.mark.parametrize(
    "body",
    [
        'who.agency.upper() = "LPSK"',  # a method of a text
        "who.of(who) = 1",  # a method of ours
        "who.__class__ = who.__class__",
        "who.key = who.key",  # what is no declared field
        'who.polar_name = "Caseworker"',
        "who.missing = 1",
        'x = new CaseFile(lead_agency: "lpsk", sensitivity: 1, assigned: true, supervising: true)'
        " and x.assigned = true",
        "x = new String() and x = x",
        "print(who)",
        "x in who and x = x",
        "debug()",
        "who < who",
    ],
)
def test_polar_text_reaches_no_python_even_past_the_lint(body, capfd):
    policy = unlinted(f"see(who: Caseworker) if {START} and {body};")
    assert unlinted(f"see(who: Caseworker) if {START};").answers("see", SARI)

    with pytest.raises(PolicyFailed):
        policy.answers("see", SARI)

    printed = capfd.readouterr()
    assert "komnas-ham" not in printed.out + printed.err


def test_an_answer_that_is_no_text_fails(policy):
    number = unlinted("see(_: Caseworker, ground) if ground = 3;")
    nothing = unlinted("see(_: Caseworker, _ground);")
    the_caller = unlinted("see(who: Caseworker, ground) if ground = who;")

    for odd in (number, nothing, the_caller):
        with pytest.raises(PolicyFailed):
            odd.answers("see", SARI, GROUND)
