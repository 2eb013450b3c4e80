"""Whom an agency tells its liaison of, and what an asker may have sealed that is no identifier."""

from typing import Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.casework.house import House
from api.casework.matched import SENT, Found, best_of, open_sent, seal_sent
from api.casework.trust import Pinned
from api.crypto.envelopes import seal_envelope
from api.crypto.framing import frame
from api.crypto.sharing import OVERHEAD, SharingKey
from api.errors import SealBroken

KEY = SharingKey(b"\x07" * 32)
ROW: dict[str, Any] = {
    "id": UUID(int=1),
    "asker": "komnas-ham",
    "recipient": "lpsk",
    "event": 12,
}
SIZE = 6_144
INFO = frame(b"perisai match v1", (1).to_bytes(16), b"komnas-ham", b"lpsk", (12).to_bytes(8))
A, B, C = (UUID(int=n) for n in (1, 2, 3))


class OneKey:
    """A house of which nothing is used but one key."""

    @property
    def keyring(self) -> "OneKey":
        return self

    def sharing_key(self, _owner: str) -> SharingKey:
        return KEY


HOUSE = cast(House, OneKey())
TO = Pinned(b"", KEY.public)

values = st.text(min_size=1, max_size=30)
pairs = st.lists(st.tuples(st.sampled_from(sorted(SENT.values())), values), max_size=41)


@given(pairs)
def test_what_is_sent_is_read_and_as_long_whatever_it_is(sent: list[tuple[str, str]]) -> None:
    sealed = seal_sent(sent, ROW, TO)

    assert len(sealed) == SIZE + OVERHEAD
    assert open_sent(HOUSE, {**ROW, "sealed": sealed}) == sent


def test_the_most_that_a_defender_can_have_fits() -> None:
    longest = [("nik", "3" * 16)]
    longest += [("phone", "+" + "6" * 15)] * 20
    longest += [("email", "e" * 254)] * 20

    assert len(seal_sent(longest, ROW, TO)) == SIZE + OVERHEAD


@given(st.binary(max_size=60))
def test_bytes_that_are_no_identifiers_are_refused_or_read_as_words(plain: bytes) -> None:
    sealed = seal_envelope(plain, SIZE, INFO, KEY.public)
    try:
        found = open_sent(HOUSE, {**ROW, "sealed": sealed})
    except SealBroken:
        return
    assert {field for field, _ in found} <= set(SENT.values())
    assert (frame(*[w.encode() for pair in found for w in pair]) if found else b"") == plain


@pytest.mark.parametrize(
    "plain",
    [
        frame(b"nik"),
        frame(b"full_name", b"Siti"),
        frame(b"nik", b""),
        frame(b"nik", b"\xff"),
        frame(b"nik", b"1")[:-1],
        b"\x00",
    ],
)
def test_what_is_no_list_of_identifiers_is_refused(plain: bytes) -> None:
    sealed = seal_envelope(plain, SIZE, INFO, KEY.public)

    with pytest.raises(SealBroken):
        open_sent(HOUSE, {**ROW, "sealed": sealed})


@pytest.mark.parametrize(
    ("known", "best"),
    [
        ([], Found(None)),
        ([(A, "phone")], Found(A, ("phone",))),
        ([(A, "phone"), (B, "phone")], Found(B, ("phone",))),
        ([(A, "phone"), (A, "email"), (B, "phone")], Found(A, ("email", "phone"))),
        ([(A, "nik"), (B, "phone"), (B, "email")], Found(A, ("nik",))),
        ([(A, "nik"), (B, "nik"), (B, "phone"), (C, "phone")], Found(B, ("nik", "phone"))),
    ],
)
def test_one_is_chosen_by_the_nik_then_by_the_most_then_the_newest(
    known: list[tuple[UUID, str]], best: Found
) -> None:
    assert best_of(known) == best
    assert best_of(known[::-1]) == best
