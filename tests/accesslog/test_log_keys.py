"""Which key counts at which size: what each checkpoint claims, and who may claim it."""

import dataclasses
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.accesslog.checkpoint import Checkpoint
from api.accesslog.epoch import Epoch, approve
from api.accesslog.log_keys import LogKeys, change_line, epoch_line
from api.accesslog.note import COSIGNATURE, ED25519, VerifierKey
from api.crypto.signatures import SigningKey
from api.errors import LogBroken, NoteInvalid
from api.vocabulary import EpochReason

ORIGIN = "perisai.example/log"
SECOND = "perisai.example/log/epoch-2"
A, B, C, EVIL, P, Q = (SigningKey.from_seed(bytes([n]) * 32) for n in range(6))


def vkey(key: SigningKey, name: str = ORIGIN) -> VerifierKey:
    return VerifierKey(name, ED25519, key.public)


def root(size: int) -> bytes:
    return size.to_bytes(32, "big")


def note(size: int, *keys: SigningKey, lines: tuple[str, ...] = (), origin: str = ORIGIN) -> str:
    return Checkpoint(origin, size, root(size), lines).sign(*keys)


def change(size: int, old: SigningKey, new: SigningKey, *by: SigningKey) -> str:
    return note(size, *(by or (old, new)), lines=(change_line(vkey(old), vkey(new)),))


#: A signs up to 10, then B; B up to 20, then C.
CHAIN = [note(5, A), change(10, A, B), note(15, B), change(20, B, C), note(25, C)]


def learnt(notes: list[str], *trusted: SigningKey) -> LogKeys:
    keys = LogKeys([vkey(key) for key in trusted], [APPROVER_P, APPROVER_Q])
    keys.learn(notes)
    return keys


def sizes(keys: LogKeys, notes: list[str]) -> list[int]:
    return [keys.open(one).size for one in notes]


@pytest.mark.parametrize("trusted", [(A,), (B,), (C,), (A, B), (C, A), (A, B, C)])
def test_whoever_trusts_one_key_of_the_chain_can_check_all_of_it(
    trusted: tuple[SigningKey, ...],
) -> None:
    keys = learnt(CHAIN, *trusted)

    assert sizes(keys, CHAIN) == [5, 10, 15, 20, 25]
    assert keys.present == (vkey(C),)
    assert keys.epochs == ()


@pytest.mark.parametrize("trusted", [(A,), (B,), (A, B)])
@pytest.mark.parametrize("size", [11, 15, 1_000])
def test_after_the_change_the_old_key_alone_is_a_fault_that_is_named(
    trusted: tuple[SigningKey, ...], size: int
) -> None:
    keys = learnt(CHAIN, *trusted)

    with pytest.raises(LogBroken, match=f"checkpoint {size}: it is signed by a key that does not"):
        keys.open(note(size, A))


@pytest.mark.parametrize("trusted", [(A,), (B,), (A, B)])
def test_before_the_change_the_new_key_alone_is_a_fault_too(
    trusted: tuple[SigningKey, ...],
) -> None:
    keys = learnt(CHAIN, *trusted)

    with pytest.raises(LogBroken, match="checkpoint 9"):
        keys.open(note(9, B))
    assert keys.open(note(10, B)).size == 10
    assert keys.open(note(10, A)).size == 10


@pytest.mark.parametrize("by", [(A,), (EVIL,), (EVIL, EVIL)])
def test_a_change_that_not_both_keys_sign_changes_nothing(by: tuple[SigningKey, ...]) -> None:
    claimed = change(10, A, EVIL, *by)
    keys = learnt([claimed], A)

    assert keys.present == (vkey(A),)
    with pytest.raises((LogBroken, NoteInvalid)):
        keys.open(claimed)
    with pytest.raises(NoteInvalid):
        keys.open(note(11, EVIL))
    assert keys.open(note(11, A)).size == 11


def test_a_signature_that_somebody_adds_to_a_note_is_no_change() -> None:
    """Two signatures alone say nothing: the old key must have named the new one."""
    keys = learnt([note(10, A, EVIL)], A)

    with pytest.raises(NoteInvalid):
        keys.open(note(11, EVIL))


def test_a_key_that_was_followed_begins_nothing_any_more() -> None:
    later = change(12, A, EVIL)
    keys = learnt([*CHAIN, later], A)

    assert keys.present == (vkey(C),)
    with pytest.raises(LogBroken, match="checkpoint 12"):
        keys.open(later)
    with pytest.raises(NoteInvalid):
        keys.open(note(13, EVIL))
    # Nor may it take in a key that has its place already.
    again = change(30, EVIL, C)
    keys = learnt([*CHAIN, again], A)
    assert sizes(keys, CHAIN) == [5, 10, 15, 20, 25]
    with pytest.raises(NoteInvalid):
        keys.open(note(29, EVIL))


def test_a_change_that_was_cut_off_and_said_again_is_one() -> None:
    again = change(12, A, B)
    keys = learnt([change(10, A, B), again, note(13, B)], A)

    assert sizes(keys, [again, note(13, B)]) == [12, 13]
    with pytest.raises(LogBroken, match="checkpoint 11"):
        keys.open(note(11, A))


def test_changes_are_learnt_in_any_order_and_more_than_once() -> None:
    keys = LogKeys([vkey(A)])
    for one in [*reversed(CHAIN), *CHAIN]:
        keys.learn([one])

    assert sizes(keys, CHAIN) == [5, 10, 15, 20, 25]


def test_the_keys_of_another_log_and_of_witnesses_count_for_nothing() -> None:
    other = VerifierKey("another.example/log", ED25519, A.public)
    witness = VerifierKey(ORIGIN, COSIGNATURE, B.public)
    keys = LogKeys([vkey(A), other, witness])

    assert keys.present == (vkey(A),)
    with pytest.raises(LogBroken, match="another log's name"):
        keys.open(note(1, A, origin="another.example/log"))
    with pytest.raises(NoteInvalid):
        keys.open(note(1, B, origin="another.example/log"))
    with pytest.raises(NoteInvalid):
        LogKeys([]).open(note(1, A))


@pytest.mark.parametrize(
    "line",
    [
        "perisai-log-",
        "perisai-log-key",
        "perisai-log-key rubbish rubbish",
        f"perisai-log-key {vkey(A)}",
        f"perisai-log-key {vkey(A)} {vkey(A)}",
        f"perisai-log-key {vkey(A)} {vkey(B, SECOND)}",
        f"perisai-log-other {vkey(A)} {vkey(B)}",
        "perisai-log-epoch",
        "perisai-log-epoch rubbish",
        "perisai-log-epoch cnViYmlzaA==",
    ],
)
def test_a_line_of_ours_that_says_nothing_true_is_a_fault(line: str) -> None:
    said = note(10, A, B, lines=(line,))
    keys = learnt([said], A)

    assert keys.present == (vkey(A),)
    with pytest.raises(LogBroken, match="checkpoint 10"):
        keys.open(said)


def test_lines_of_others_are_none_of_our_business() -> None:
    said = note(10, A, lines=("example-extension 1",))

    assert learnt([said], A).open(said).extensions == ("example-extension 1",)


@given(st.lists(st.integers(0, 3), min_size=1, max_size=4), st.integers(0, 45))
def test_at_each_size_exactly_the_key_of_that_size_counts(changes: list[int], size: int) -> None:
    """An independent reading: a list of (first size, key), walked from the start."""
    chain = [SigningKey.from_seed(bytes([100 + n]) * 32) for n in range(len(changes) + 1)]
    places, at = [], 0
    for step in changes:
        at += step * 2 + 3
        places.append(at)
    notes = [
        change(place, old, new) for place, old, new in zip(places, chain, chain[1:], strict=False)
    ]
    keys = learnt(notes, chain[len(changes) // 2])

    for number, key in enumerate(chain):
        first = 0 if number == 0 else places[number - 1]
        last = places[number] if number < len(places) else 10**6
        try:
            keys.open(note(size, key))
            counted = True
        except LogBroken:
            counted = False
        assert counted is (first <= size <= last)


# -- epochs -----------------------------------------------------------------------

APPROVER_P, APPROVER_Q = vkey(P, "lpsk/approver-1"), vkey(Q, "komnas-ham/approver-1")
EPOCH = Epoch(
    vkey(A),
    40,
    root(40),
    vkey(A, SECOND),
    30,
    root(30),
    date(2026, 11, 26),
    EpochReason.DISK_FAILURE,
)


def approved(epoch: Epoch = EPOCH) -> str:
    document = approve(str(epoch), APPROVER_P.name, P)
    return approve(document, APPROVER_Q.name, Q)


def begun(size: int = 31, document: str | None = None, key: SigningKey = A) -> str:
    line = epoch_line(approved() if document is None else document)
    return note(size, key, lines=(line,), origin=SECOND)


def test_an_approved_epoch_leads_from_the_old_name_to_the_new_one() -> None:
    first = begun()
    for trusted in (vkey(A), vkey(A, SECOND)):
        keys = LogKeys([trusted], [APPROVER_P, APPROVER_Q])
        keys.learn([note(20, A), first])

        assert keys.open(note(30, A)).size == 30
        assert keys.open(first).origin == SECOND
        assert keys.open(note(32, A, origin=SECOND)).size == 32
        [found] = keys.epochs
        assert (found.size, found.epoch) == (31, EPOCH)
        assert keys.roots == {30: root(30)}
        for wrong in (note(31, A), note(40, A), note(30, A, origin=SECOND)):
            with pytest.raises(LogBroken, match="does not count"):
                keys.open(wrong)


def test_an_epoch_may_follow_a_change_of_keys_and_a_change_an_epoch() -> None:
    epoch = dataclasses.replace(EPOCH, old=vkey(B), new=vkey(B, SECOND))
    line = change_line(vkey(B, SECOND), vkey(C, SECOND))
    notes = [
        change(10, A, B),
        begun(31, approved(epoch), B),
        note(35, B, C, lines=(line,), origin=SECOND),
    ]
    keys = learnt(notes, A)

    assert sizes(keys, notes) == [10, 31, 35]
    assert keys.present == (vkey(C, SECOND),)
    with pytest.raises(LogBroken):
        keys.open(note(36, B, origin=SECOND))


def test_without_the_keys_of_approvers_an_epoch_is_a_fault() -> None:
    first = begun()
    for approvers in ((), (APPROVER_P,), (APPROVER_P, vkey(EVIL, APPROVER_Q.name))):
        keys = LogKeys([vkey(A), vkey(A, SECOND)], approvers)
        keys.learn([first])

        assert keys.epochs == ()
        with pytest.raises(LogBroken, match="no approved epoch leads to that"):
            keys.open(first)
    keys = LogKeys([vkey(A, SECOND)])
    keys.learn([first])
    with pytest.raises(LogBroken, match="not approved by two known approvers"):
        keys.open(first)


@pytest.mark.parametrize(
    "first",
    [
        begun(30),  # it adds nothing to what was restored
        begun(31, key=EVIL),
        begun(31, str(EPOCH)),
        begun(31, approve(str(EPOCH), APPROVER_P.name, P)),
        begun(31, approved().replace("disk_failure", "tampering")),
        note(31, A, lines=(epoch_line(approved()),)),  # under the old name
    ],
)
def test_a_first_checkpoint_that_does_not_fit_its_document_begins_no_epoch(first: str) -> None:
    keys = learnt([first], A)

    assert keys.epochs == ()
    with pytest.raises((LogBroken, NoteInvalid)):
        keys.open(first)


def test_a_second_document_for_the_same_epoch_is_a_fault() -> None:
    other = begun(35, approved(dataclasses.replace(EPOCH, old_size=31)))
    keys = learnt([begun(), other], A)

    assert keys.open(begun()).size == 31
    with pytest.raises(LogBroken, match="epoch is not approved"):
        keys.open(other)
