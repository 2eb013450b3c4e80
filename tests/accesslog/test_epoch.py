"""The document of an epoch: what two persons sign, and nothing that one of them could."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.epoch import (
    Epoch,
    approve,
    approver_key,
    digest,
    next_origin,
    open_epoch,
    read_epoch,
)
from api.accesslog.note import COSIGNATURE, ED25519, VerifierKey, sign_note
from api.crypto.signatures import SigningKey
from api.errors import NoteInvalid
from api.vocabulary import EpochReason

LOG, P, Q, R = (SigningKey.from_seed(bytes([n]) * 32) for n in range(4))
ORIGIN = "perisai.example/log"
EPOCH = Epoch(
    VerifierKey(ORIGIN, ED25519, LOG.public),
    1000,
    b"\x01" * 32,
    VerifierKey(f"{ORIGIN}/epoch-2", ED25519, LOG.public),
    900,
    b"\x02" * 32,
    date(2026, 11, 26),
    EpochReason.DISK_FAILURE,
)
KNOWN = (approver_key("lpsk/one", P), approver_key("komnas-ham/two", Q))
BOTH = approve(approve(str(EPOCH), "lpsk/one", P), "komnas-ham/two", Q)


def test_two_approvers_in_any_order_are_enough() -> None:
    other = approve(approve(str(EPOCH), "komnas-ham/two", Q), "lpsk/one", P)

    assert open_epoch(BOTH, KNOWN) == EPOCH
    assert open_epoch(other, KNOWN) == EPOCH
    assert read_epoch(str(EPOCH)) == read_epoch(BOTH) == EPOCH
    assert digest(BOTH) != digest(other)


@pytest.mark.parametrize(
    "document",
    [
        str(EPOCH),
        approve(str(EPOCH), "lpsk/one", P),
        approve(str(EPOCH), "komnas-ham/two", Q),
        approve(approve(str(EPOCH), "lpsk/one", P), "nobody/knows", R),
        approve(approve(str(EPOCH), "lpsk/one", P), "komnas-ham/two", R),
        approve(approve(str(EPOCH), "lpsk/one", P), "komnas-ham/two", P),
        approve(approve(str(EPOCH), "lpsk/one", R), "komnas-ham/two", R),
        sign_note(str(EPOCH), "lpsk/one", P, P),  # twice by one
    ],
)
def test_one_alone_one_twice_and_a_stranger_are_not_two(document: str) -> None:
    with pytest.raises(NoteInvalid):
        open_epoch(document, KNOWN)


def test_one_person_with_two_names_or_two_keys_is_not_two() -> None:
    names = (approver_key("lpsk/one", P), approver_key("lpsk/other", P))
    document = approve(approve(str(EPOCH), "lpsk/one", P), "lpsk/other", P)
    with pytest.raises(NoteInvalid):
        open_epoch(document, names)

    keys = (approver_key("lpsk/one", P), approver_key("lpsk/one", Q))
    with pytest.raises(NoteInvalid):
        open_epoch(sign_note(str(EPOCH), "lpsk/one", P, Q), keys)


def test_the_signing_key_of_the_log_is_no_approver() -> None:
    signer = approver_key("lpsk/signer", LOG)
    document = approve(approve(str(EPOCH), "lpsk/signer", LOG), "lpsk/one", P)

    with pytest.raises(NoteInvalid):
        open_epoch(document, (*KNOWN, signer))
    # With two others besides it does no harm.
    document = approve(BOTH, "lpsk/signer", LOG)
    assert open_epoch(document, (*KNOWN, signer)) == EPOCH


def test_a_witness_is_no_approver() -> None:
    witnesses = tuple(VerifierKey(key.name, COSIGNATURE, key.public) for key in KNOWN)
    with pytest.raises(NoteInvalid):
        open_epoch(BOTH, witnesses)


def test_nobody_signs_a_document_twice_and_a_changed_one_loses_its_signatures() -> None:
    with pytest.raises(NoteInvalid):
        approve(BOTH, "lpsk/one", P)
    changed = BOTH.replace("\n900\n", "\n901\n")
    assert changed != BOTH
    with pytest.raises(NoteInvalid):
        open_epoch(changed, KNOWN)


@given(st.data())
def test_no_changed_letter_passes(data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(BOTH) - 1))
    changed = (
        BOTH[:at] + chr(ord(BOTH[at]) ^ data.draw(st.sampled_from([1, 2, 4]))) + BOTH[at + 1 :]
    )

    with pytest.raises(NoteInvalid):
        open_epoch(changed, KNOWN)


@pytest.mark.parametrize("name", ["", "Sari", "a b", "a+b", "é", "-x", "a" * 65, "a\n"])
def test_an_approver_is_called_by_an_office(name: str) -> None:
    with pytest.raises(NoteInvalid):
        approver_key(name, P)


def test_each_epoch_has_its_own_name() -> None:
    assert next_origin(ORIGIN) == f"{ORIGIN}/epoch-2"
    assert next_origin(f"{ORIGIN}/epoch-2") == f"{ORIGIN}/epoch-3"
    assert next_origin(f"{ORIGIN}/epoch-9") == f"{ORIGIN}/epoch-10"


_KEYS = st.sampled_from([LOG.public, P.public, Q.public])
_NAMES = st.from_regex(r"[a-z0-9./-]{1,20}", fullmatch=True)


@given(
    name=_NAMES,
    old=_KEYS,
    new=_KEYS,
    sizes=st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1)),
    roots=st.tuples(st.binary(min_size=32, max_size=32), st.binary(min_size=32, max_size=32)),
    on=st.dates(),
    reason=st.sampled_from(EpochReason),
)
def test_what_is_printed_is_read(
    name: str,
    old: bytes,
    new: bytes,
    sizes: tuple[int, int],
    roots: tuple[bytes, bytes],
    on: date,
    reason: EpochReason,
) -> None:
    epoch = Epoch(
        VerifierKey(name, ED25519, old),
        sizes[0],
        roots[0],
        VerifierKey(next_origin(name), ED25519, new),
        sizes[1],
        roots[1],
        on,
        reason,
    )

    assert Epoch.parse(str(epoch)) == epoch


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("perisai-log-epoch/v1", "perisai-log-epoch/v2"),
        ("/epoch-2", "/epoch-3"),
        ("\n1000\n", "\n01000\n"),
        ("\n1000\n", "\n9223372036854775808\n"),
        ("\n1000\n", "\n-1\n"),
        ("2026-11-26", "2026-11-31"),
        ("2026-11-26", "20261126"),
        ("disk_failure", "boredom"),
        ("disk_failure\n", "disk_failure\n\n"),
        ("disk_failure\n", "disk_failure"),
        ("AQEB", "AQE"),
    ],
)
def test_nothing_else_is_a_document(old: str, new: str) -> None:
    text = str(EPOCH)
    assert old in text
    with pytest.raises(NoteInvalid):
        Epoch.parse(text.replace(old, new))
