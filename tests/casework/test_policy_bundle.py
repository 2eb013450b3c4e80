"""The bundle of a signed policy: what is printed is read, and nothing else is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.note import COSIGNATURE, VerifierKey, sign_note
from api.casework.policy_bundle import (
    LONGEST,
    Bundle,
    Signed,
    Signers,
    Statement,
    approve,
    draft,
    open_signed,
    signer_key,
)
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid
from api.policies.engine import hash_of

AUTHOR, APPROVER, STRANGER = (SigningKey.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
SARI, BUDI, NOBODY = "lpsk/author-1", "komnas-ham/approver-1", "komnas-ham/approver-2"
AUTHOR_KEY, APPROVER_KEY = signer_key(SARI, AUTHOR), signer_key(BUDI, APPROVER)
HERE = "perisai.example/log"
SIGNERS = Signers(HERE, (AUTHOR_KEY,), (APPROVER_KEY,))
#: Whoever may sign as either.
BOTH = Signers(HERE, (AUTHOR_KEY, APPROVER_KEY), (AUTHOR_KEY, APPROVER_KEY))
TEXTS = {"base": "allow(_);\n", "lpsk": "# é\n"}
OLD = "ab" * 32


def made(number: int = 1, **but: object) -> Bundle:
    return approve(drafted(number, **but), BUDI, APPROVER)


def drafted(number: int = 1, **but: object) -> Bundle:
    said: dict[str, object] = {"installation": HERE, "replaces": OLD, "name": SARI, "key": AUTHOR}
    said |= but
    return draft(TEXTS, number=number, **said)  # type: ignore[arg-type]


def refused(note: str, signers: Signers = SIGNERS) -> None:
    with pytest.raises(NoteInvalid):
        open_signed(note, signers)


def test_the_bytes_are_those_of_the_format() -> None:
    bundle = made(7)

    text, signatures = bundle.note.split("\n\n")
    assert text.split("\n") == [
        "perisai-policy/v1", HERE, "7", OLD, hash_of(TEXTS), str(AUTHOR_KEY),
    ]  # fmt: skip
    assert [line.split(" ")[1] for line in signatures.splitlines()] == [SARI, BUDI]
    read = json.loads(str(bundle))
    assert read == {"note": bundle.note, "texts": TEXTS}
    assert str(bundle) == json.dumps(read, ensure_ascii=False, sort_keys=True, indent=1) + "\n"


def test_what_is_printed_is_read() -> None:
    for bundle in (drafted(), made(2), made(999_999_999)):
        assert Bundle.parse(str(bundle).encode()) == bundle
        assert Bundle.of_row(bundle.note, bundle.printed_texts) == bundle


def test_who_signed_is_told_by_ids_of_keys() -> None:
    signed = open_signed(made(7).note, SIGNERS)

    assert signed == Signed(Statement(HERE, 7, OLD, hash_of(TEXTS), AUTHOR_KEY), APPROVER_KEY)
    assert signed.words == (
        f"approver:{APPROVER_KEY.key_id.hex()}",
        f"author:{AUTHOR_KEY.key_id.hex()}",
        "number:7",
    )


def test_no_bit_of_it_can_be_changed() -> None:
    whole = str(made()).encode()
    for place in range(len(whole) * 8):
        changed = bytearray(whole)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(NoteInvalid):
            open_signed(Bundle.parse(bytes(changed)).note, SIGNERS)


def test_no_bit_of_a_row_can_be_changed() -> None:
    bundle = made()
    for place in range(len(bundle.note)):
        changed = bundle.note[:place] + chr(ord(bundle.note[place]) ^ 1) + bundle.note[place + 1 :]
        with pytest.raises(NoteInvalid):
            open_signed(Bundle.of_row(changed, bundle.printed_texts).note, SIGNERS)
    for value in (None, 1, b"x", "", "{}", "[]", bundle.printed_texts.encode(), "null", "\ud800"):
        with pytest.raises(NoteInvalid):
            Bundle.of_row(bundle.note, value)
        with pytest.raises(NoteInvalid):
            Bundle.of_row(value, bundle.printed_texts)


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"\xff", b"[" * 100_000, b"null",
        json.dumps({"note": 1, "texts": {}}).encode(),
        b'{"note": "x", "texts": {"base": "x"}}',
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(content: bytes) -> None:
    with pytest.raises(NoteInvalid):
        Bundle.parse(content)


def test_a_bundle_in_another_spelling_or_too_long_is_refused() -> None:
    bundle = made()
    whole = json.loads(str(bundle))
    long = Bundle(bundle.note, {"base": "#" * LONGEST})
    for other in (
        json.dumps(whole), str(bundle) + "\n", json.dumps({**whole, "more": 1}, indent=1) + "\n",
        str(long), str(bundle).replace("allow", "deny"),
    ):  # fmt: skip
        with pytest.raises(NoteInvalid):
            Bundle.parse(other.encode())


@pytest.mark.parametrize(
    "but",
    [
        {"installation": "two words"}, {"installation": ""}, {"installation": "a+b"},
        {"number": 0}, {"number": -1}, {"number": 10**9},
        {"replaces": "AB" * 32}, {"replaces": "ab" * 31}, {"name": "Sari Dewi"},
    ],
)  # fmt: skip
def test_what_no_statement_can_say_is_not_signed(but: dict[str, object]) -> None:
    with pytest.raises(NoteInvalid):
        drafted(**but)  # type: ignore[arg-type]


@given(st.text(max_size=300))
def test_any_other_text_is_no_statement(text: str) -> None:
    with pytest.raises(NoteInvalid):
        Statement.parse(text)


# -- who signed -----------------------------------------------------------------------------


def test_one_signature_is_not_enough() -> None:
    refused(drafted().note)
    refused(drafted().note, BOTH)


def test_the_same_person_twice_is_not_two() -> None:
    for name, key in ((SARI, AUTHOR), (NOBODY, AUTHOR), (SARI, STRANGER)):
        with pytest.raises(NoteInvalid):
            approve(drafted(), name, key)
        text = str(drafted().statement)
        note = drafted().note + sign_note(text, name, key)[len(text) + 1 :]
        everybody = (AUTHOR_KEY, signer_key(name, key))
        refused(note, Signers(HERE, everybody, everybody))


def test_roles_cannot_be_swapped() -> None:
    text, signatures = made().note.split("\n\n")
    first, second = signatures.splitlines()
    for signers in (SIGNERS, BOTH):
        refused(f"{text}\n\n{second}\n{first}\n", signers)
        refused(made().note.replace(str(AUTHOR_KEY), str(APPROVER_KEY)), signers)
        refused(f"{text}\n\n{first}\n{first}\n", signers)
    # Who may do either signs as the one or the other; here the other way round.
    other = approve(drafted(name=BUDI, key=APPROVER), SARI, AUTHOR)
    assert open_signed(other.note, BOTH).approver == AUTHOR_KEY
    refused(other.note)


def test_only_who_is_known_counts_each_for_the_own_part() -> None:
    for signers in (
        Signers(HERE),
        Signers(HERE, (AUTHOR_KEY,)),
        Signers(HERE, (), (APPROVER_KEY,)),
        Signers(HERE, (APPROVER_KEY,), (AUTHOR_KEY,)),
        Signers(HERE, (signer_key(SARI, STRANGER),), (APPROVER_KEY,)),
        Signers(HERE, (AUTHOR_KEY,), (signer_key(BUDI, STRANGER),)),
        Signers(HERE, (AUTHOR_KEY,), (signer_key(NOBODY, APPROVER),)),
        Signers("other.example/log", (AUTHOR_KEY,), (APPROVER_KEY,)),
        Signers(HERE, (AUTHOR_KEY,), (VerifierKey(BUDI, COSIGNATURE, APPROVER_KEY.public),)),
    ):
        refused(made().note, signers)


def test_three_signatures_are_one_too_many() -> None:
    text = str(made().statement)
    more = sign_note(text, NOBODY, STRANGER)[len(text) + 1 :]

    refused(made().note + more)
    with pytest.raises(NoteInvalid):
        approve(made(), NOBODY, STRANGER)


def test_nobody_approves_what_its_author_did_not_sign() -> None:
    text = str(drafted().statement)
    for note in (sign_note(text, SARI, STRANGER), sign_note(text, NOBODY, AUTHOR)):
        with pytest.raises(NoteInvalid):
            approve(Bundle(note, TEXTS), BUDI, APPROVER)


def test_a_signature_of_one_number_or_policy_is_none_of_another() -> None:
    first, second = made(1), made(2)
    for other in (second, made(1, replaces="cd" * 32), made(1, installation="x.example")):
        text, _ = other.note.split("\n\n")
        _, signatures = first.note.split("\n\n")
        refused(f"{text}\n\n{signatures}")
