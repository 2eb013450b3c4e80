"""The policy file: read strictly, and the quorum that it asks for."""

from itertools import combinations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.cosignature import witness_key
from api.accesslog.note import ED25519, VerifierKey
from api.accesslog.witness_policy import MAX_POLICY, WitnessPolicy
from api.crypto.signatures import SigningKey
from api.errors import RefusesToStart


def public(number: int) -> bytes:
    return SigningKey.from_seed(bytes([number]) * 32).public


LOG = f"log {VerifierKey('perisai.example/log', ED25519, public(0))}"
WITNESS = {
    name: f"witness {name} {witness_key(f'witness.example/{name}', public(number))}"
    for number, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3"), 1)
}
#: The example of c2sp.org/tlog-policy: two of one operator's and any of another's.
EXAMPLE = "\n".join(
    [
        "# two operators",
        LOG,
        "",
        *(f"{line} https://{name.lower()}.example" for name, line in WITNESS.items()),
        "  group X-witnesses\t2 X1 X2 X3  ",
        "group Y-witnesses any Y1 Y2 Y3",
        "group X-and-Y all X-witnesses Y-witnesses",
        "quorum X-and-Y",
        "",
    ]
)


def test_the_example_of_the_specification_is_read() -> None:
    policy = WitnessPolicy.parse(EXAMPLE)

    assert [key.name for key in policy.logs] == ["perisai.example/log"]
    assert [one.name for one in policy.witnesses] == list(WITNESS)
    assert policy.witnesses[0].url == "https://x1.example"
    assert policy.witnesses[0].key == witness_key("witness.example/X1", public(1))
    for count in range(7):
        for names in combinations(WITNESS, count):
            enough = sum(n[0] == "X" for n in names) >= 2 and any(n[0] == "Y" for n in names)
            assert (policy.since(dict.fromkeys(names, 7)) is not None) is enough


@given(st.dictionaries(st.sampled_from(list(WITNESS)), st.integers(0, 50)))
def test_a_quorum_is_as_old_as_the_oldest_word_that_it_needs(moments: dict[str, int]) -> None:
    policy = WitnessPolicy.parse(EXAMPLE)

    since = policy.since(moments)

    # Straight from the meaning: the latest moment from which on a quorum has spoken.
    def later(at: int) -> set[str]:
        return {name for name, moment in moments.items() if moment >= at}

    fit = [
        at
        for at in range(51)
        if len(later(at) & {"X1", "X2", "X3"}) >= 2 and later(at) & {"Y1", "Y2", "Y3"}
    ]
    assert since == max(fit, default=None)


def test_one_witness_can_be_the_quorum_and_none_can() -> None:
    one = WitnessPolicy.parse(f"{WITNESS['X1']}\n{WITNESS['X2']}\nquorum X1")
    none = WitnessPolicy.parse("quorum none\n")

    assert one.since({"X1": 3, "X2": 9}) == 3
    assert one.since({"X2": 9}) is None
    assert none.witnesses == ()


two = f"{WITNESS['X1']}\n{WITNESS['X2']}\n"
REFUSED = {
    "": "no quorum",
    two: "no quorum",
    f"{two}quorum X3": "Line 3 .* not defined above",
    f"{two}quorum X1\nquorum X2": "Line 4 .* already",
    f"quorum X1\n{two}": "Line 1 .* not defined above",
    "quorum": "Line 1 .* no log, witness, group or quorum",
    "quorum none none": "no log, witness",
    "witness X1": "no log, witness",
    f"{WITNESS['X1']} https://a b": "no log, witness",
    "Quorum none": "no log, witness",
    "log": "no log, witness",
    f"log {LOG}": "Line 1 .* no Ed25519 verifier key",
    f"{LOG}\n{LOG}": "Line 2 .* listed twice",
    f"log {WITNESS['X1'].split()[2]}": "another kind",
    f"witness X1 {LOG.split()[1]}": "another kind",
    f"{two}witness X9 {WITNESS['X1'].split()[2]}": "Line 3 .* listed twice",
    f"{two}witness X1 {WITNESS['X3'].split()[2]}": "Line 3 .* name is taken",
    f"witness none {WITNESS['X3'].split()[2]}": "name is taken",
    f"{two}group g 2 X1": "Line 3 .* higher than",
    f"{two}group g 0 X1 X2": "no number from 1",
    f"{two}group g 01 X1 X2": "no number from 1",
    f"{two}group g +1 X1 X2": "no number from 1",
    f"{two}group g ٢ X1 X2": "no number from 1",
    f"{two}group g ALL X1 X2": "no number from 1",
    f"{two}group g all": "no log, witness",
    f"{two}group g all X1 X1": "in a group already",
    f"{two}group g all X1\ngroup h all X1 X2": "Line 4 .* in a group already",
    f"{two}group g all X1 g": "not defined above",
    f"{two}group g all X1 none": "not defined above",
    f"{two}group X1 all X2": "name is taken",
    f"{two}group none all X2": "name is taken",
    f"{two}quorum X1\r\n": "control character",
    f"{two}\x00": "control character",
    f"{two}quorum\u00a0X1": "no log, witness",
    f"{two}quorum X1 # the first": "no log, witness",
}


@pytest.mark.parametrize("text", REFUSED)
def test_a_policy_that_says_anything_else_is_refused(text: str) -> None:
    with pytest.raises(RefusesToStart, match=f"(?s){REFUSED[text]}"):
        WitnessPolicy.parse(text)


def test_a_refusal_shows_nothing_of_the_file() -> None:
    with pytest.raises(RefusesToStart) as refused:
        WitnessPolicy.parse("password hunter2\n")

    assert "hunter2" not in str(refused.value)


def test_a_policy_is_read_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "policy"
    path.write_text(EXAMPLE, encoding="utf-8")

    assert WitnessPolicy.load(path) == WitnessPolicy.parse(EXAMPLE)
    path.write_text("#" * (MAX_POLICY + 1))
    with pytest.raises(RefusesToStart, match="cannot be read"):
        WitnessPolicy.load(path)
    with pytest.raises(RefusesToStart, match="cannot be read"):
        WitnessPolicy.load(tmp_path / "gone")
