"""A share opens for its recipient, on its terms, signed by its giver, and not otherwise."""

import pickle
from dataclasses import dataclass
from uuid import UUID

import pytest

from api.crypto.data_keys import DataKey, commitment
from api.crypto.fingerprints import fingerprint, same_fingerprint
from api.crypto.rights import RightsKey, signed_message
from api.crypto.sharing import Share, SharingKey, Terms, give, take
from api.crypto.signatures import SigningKey
from api.errors import SealBroken
from api.vocabulary import Compartment

RECORD, REFERRAL, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
SECRET = bytes(range(32))
RIGHT = signed_message("referral", [REFERRAL, "lpsk"])


@dataclass
class Two:
    """The keys of a giver and of a recipient."""

    signing: SigningKey
    sharing: SharingKey


@pytest.fixture
def two() -> Two:
    return Two(SigningKey.from_seed(b"s" * 32), SharingKey(b"x" * 32))


def given(two: Two, right: bytes = RIGHT) -> Share:
    key = DataKey(RECORD, Compartment.CONTACT, 3, SECRET)
    return give(key, "komnas-ham", "lpsk", (REFERRAL, 41), right, two.signing, two.sharing.public)


def test_the_recipient_gets_the_key_that_was_given(two: Two) -> None:
    key = take(given(two), RIGHT, two.signing.public, two.sharing)

    assert (key.record, key.compartment, key.version) == (RECORD, Compartment.CONTACT, 3)
    assert key.secret == SECRET


def test_no_two_shares_of_one_key_are_alike(two: Two) -> None:
    assert given(two).sealed != given(two).sealed


@pytest.mark.parametrize(
    "change",
    [
        {"giver": "komnas-perempuan"},
        {"recipient": "komnas-perempuan"},
        {"referral": OTHER},
        {"event": 42},
        {"event": -1},
        {"event": 2**64},
        {"record": OTHER},
        {"compartment": Compartment.IDENTITY},
        {"version": 4},
        {"version": 2**32},
        {"commitment": commitment(b"y" * 32)},
    ],
    ids=lambda change: "-".join(f"{k}={v!s:.12}" for k, v in change.items()),
)
@pytest.mark.parametrize("signed_again", [False, True])
def test_a_share_holds_on_its_own_terms_only(
    two: Two, change: dict[str, object], signed_again: bool
) -> None:
    """Even where the giver itself signs the moved terms, the seal is bound to the old ones."""
    share = given(two)
    terms = share.terms._replace(**change)  # type: ignore[arg-type]
    moved = share._replace(terms=terms)
    if signed_again:
        try:
            info = terms.info()
        except OverflowError:
            pass
        else:
            moved = moved._replace(signature=two.signing.sign(signed(info, share.sealed)))

    with pytest.raises(SealBroken):
        take(moved, RIGHT, two.signing.public, two.sharing)


def signed(info: bytes, sealed: bytes, right: bytes = RIGHT) -> bytes:
    from api.crypto.framing import frame

    return frame(b"perisai share signature v1", info, sealed, right)


def test_a_share_is_not_taken_for_another_right(two: Two) -> None:
    wider = signed_message("referral", [REFERRAL, "komnas-perempuan"])
    with pytest.raises(SealBroken):
        take(given(two), wider, two.signing.public, two.sharing)


def test_a_share_of_who_is_not_the_pinned_giver_is_refused(two: Two) -> None:
    """HPKE's base mode lets anybody seal to a public key; the signature does not."""
    stranger = Two(SigningKey.from_seed(b"t" * 32), two.sharing)
    with pytest.raises(SealBroken):
        take(given(stranger), RIGHT, two.signing.public, two.sharing)


def test_a_share_opens_for_no_other_recipient(two: Two) -> None:
    with pytest.raises(SealBroken):
        take(given(two), RIGHT, two.signing.public, SharingKey(b"z" * 32))


def test_a_key_that_is_not_the_announced_one_is_refused(two: Two) -> None:
    """A giver that seals one key and announces another gives none."""
    from api.crypto.sharing import _SUITE, X25519PublicKey

    terms = Terms("a", "b", REFERRAL, 1, RECORD, Compartment.CONTACT, 1, commitment(b"o" * 32))
    public = X25519PublicKey.from_public_bytes(two.sharing.public)
    for inside in (SECRET, SECRET[:31], b""):
        sealed = _SUITE.encrypt(inside, public, terms.info())
        share = Share(terms, sealed, two.signing.sign(signed(terms.info(), sealed)))
        with pytest.raises(SealBroken):
            take(share, RIGHT, two.signing.public, two.sharing)


@pytest.mark.parametrize("cut", [0, 1, 31, 32, 33, 79])
def test_a_share_that_was_cut_or_changed_is_refused(two: Two, cut: int) -> None:
    share = given(two)
    flipped = bytearray(share.sealed)
    flipped[cut] ^= 1
    for sealed in (share.sealed[:cut], bytes(flipped)):
        for signature in (share.signature, two.signing.sign(signed(share.terms.info(), sealed))):
            with pytest.raises(SealBroken):
                take(
                    share._replace(sealed=sealed, signature=signature),
                    RIGHT,
                    two.signing.public,
                    two.sharing,
                )


@pytest.mark.parametrize("public", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)])
def test_nothing_is_sealed_to_what_is_no_key(two: Two, public: bytes) -> None:
    key = DataKey(RECORD, Compartment.CONTACT, 1, SECRET)
    with pytest.raises(SealBroken):
        give(key, "a", "b", (REFERRAL, 1), RIGHT, two.signing, public)


def test_a_sharing_key_and_a_share_show_nothing(two: Two) -> None:
    share = given(two)
    assert repr(two.sharing) == f"{two.sharing}" == "<sharing key>"
    assert repr(share) == f"<share of contact of {RECORD}>"
    with pytest.raises(TypeError):
        pickle.dumps(two.sharing)


def test_a_signed_right_is_never_a_mac_and_the_reverse() -> None:
    values = [REFERRAL, "lpsk"]
    assert not RightsKey(b"k" * 32).holds("referral", values, signed_message("referral", values))
    assert signed_message("referral", values) != signed_message("referral_right", values)


def test_a_fingerprint_names_owner_and_both_keys() -> None:
    made = fingerprint("lpsk", b"1" * 32, b"2" * 32)
    others = (
        fingerprint("komnas-ham", b"1" * 32, b"2" * 32),
        fingerprint("lpsk", b"3" * 32, b"2" * 32),
        fingerprint("lpsk", b"2" * 32, b"1" * 32),
    )
    assert len(made.split()) == 8
    assert same_fingerprint(made, made.upper().replace(" ", ":"))
    assert not any(same_fingerprint(made, other) for other in others)
    assert not same_fingerprint(made, made[:-1])
    assert not same_fingerprint(made, "")
