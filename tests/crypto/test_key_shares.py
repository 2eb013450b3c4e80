"""Any quorum of the shares gives the key, and nothing less or else does."""

import hashlib
import hmac
import itertools
import re
import secrets

import pytest
from shamir_mnemonic import Share as Slip39Share
from shamir_mnemonic import generate_mnemonics
from shamir_mnemonic.wordlist import WORDLIST

from api.crypto.key_shares import WORDS, combined, share_of, split
from api.errors import RefusesToStart

SECRET = bytes(range(32))


@pytest.mark.parametrize(("shares", "threshold"), [(2, 2), (3, 2), (5, 3), (16, 16)])
def test_every_quorum_gives_the_key_in_whatever_order(shares: int, threshold: int) -> None:
    words = split(SECRET, shares, threshold, 77)
    for some in itertools.permutations(words, threshold) if shares < 6 else [words]:
        assert combined(share_of(each) for each in some) == SECRET


def test_a_share_has_33_words_and_says_which_it_is() -> None:
    for number, words in enumerate(split(SECRET, 5, 3, 12345), 1):
        share = share_of(words)
        assert len(words.split()) == WORDS
        assert (share.identifier, share.number, share.threshold) == (12345, number, 3)


def product(a: int, b: int) -> int:
    """Multiply in GF(256) modulo x^8 + x^4 + x^3 + x + 1."""
    result = 0
    while b:
        result ^= a if b & 1 else 0
        a = (a << 1) ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return result


def quotient(a: int, b: int) -> int:
    return next(c for c in range(256) if product(b, c) == a)


def interpolated(points: dict[int, bytes], at: int) -> bytes:
    """Give the value at *at* of the polynomials through *points* (Lagrange)."""
    result = bytes(len(next(iter(points.values()))))
    for x, value in points.items():
        basis = 1
        for other in points.keys() - {x}:
            basis = product(basis, quotient(at ^ other, x ^ other))
        result = bytes(r ^ product(v, basis) for r, v in zip(result, value, strict=True))
    return result


def by_hand(shares: list[str]) -> bytes:
    """Recover a key as SLIP-0039 says, with the library's list of words and nothing else of it."""
    points = {}
    for words in shares:
        number = 0
        for word in words.split():
            number = number << 10 | WORDLIST.index(word)
        # Bits: identifier 15, extendable 1, exponent 4, group 4 + 4 + 4, member's number 4,
        # threshold 4, zeros 4, value 256, checksum 30.
        assert number >> 314 & 1 == 1
        assert number >> 310 & 15 == 0
        points[number >> 294 & 15] = (number >> 30 & (1 << 256) - 1).to_bytes(32)
    secret, digest = interpolated(points, 255), interpolated(points, 254)
    assert digest[:4] == hmac.digest(digest[4:], secret, "sha256")[:4]
    left, right = secret[:16], secret[16:]
    for turn in (3, 2, 1, 0):
        mask = hashlib.pbkdf2_hmac("sha256", bytes([turn]), right, 2500, 16)
        left, right = right, bytes(a ^ b for a, b in zip(left, mask, strict=True))
    return right + left


def test_a_reader_made_from_the_text_of_slip_0039_gets_the_same_key() -> None:
    words = split(SECRET, 5, 3, 12345)
    assert by_hand(words[:3]) == by_hand([words[4], words[1], words[2]]) == SECRET


def test_shares_beyond_the_quorum_and_twice_the_same_one_do_not_matter() -> None:
    shares = [share_of(words) for words in split(SECRET, 5, 3, 77)]
    assert combined(shares) == SECRET
    assert combined([shares[0], *shares[2:4], shares[0]]) == SECRET


def test_too_few_shares_are_refused_also_if_one_is_given_twice() -> None:
    shares = [share_of(words) for words in split(SECRET, 5, 3, 77)]
    for some in ([], shares[:1], shares[:2], [shares[0], shares[1], shares[1]]):
        with pytest.raises(RefusesToStart, match="Too few shares"):
            combined(some)


def test_the_shares_of_two_splittings_give_nothing_whatever_their_identifiers() -> None:
    first = [share_of(words) for words in split(SECRET, 5, 3, 77)]
    with pytest.raises(RefusesToStart, match="different backups"):
        combined([*first[:2], share_of(split(SECRET, 5, 3, 78)[2])])
    same_identifier = [share_of(words) for words in split(bytes(32), 5, 3, 77)]
    with pytest.raises(RefusesToStart, match="do not fit together"):
        combined([*first[:2], same_identifier[2]])
    with pytest.raises(RefusesToStart, match="two different shares with the number 1"):
        combined([*first, same_identifier[0]])


def test_the_key_is_in_no_share() -> None:
    for words in split(SECRET, 3, 2, 77):
        assert share_of(words).content.value != SECRET


@pytest.mark.parametrize(("shares", "threshold"), [(5, 1), (1, 1), (5, 0), (2, 3), (17, 3), (0, 0)])
def test_numbers_of_shares_that_protect_nothing_or_cannot_be_are_refused(
    shares: int, threshold: int
) -> None:
    with pytest.raises(RefusesToStart, match="cannot be"):
        split(SECRET, shares, threshold, 77)


def test_a_wrong_missing_swapped_or_unknown_word_is_refused_and_not_repeated() -> None:
    words = split(SECRET, 3, 2, 77)[0].split()
    other = "academic" if words[9] != "academic" else "acid"
    for wrong in (
        [*words[:9], other, *words[10:]],
        words[:-1],
        [*words, words[0]],
        [words[1], words[0], *words[2:]],
        [*words[:9], "perisai", *words[10:]],
        [],
    ):
        with pytest.raises(RefusesToStart) as refusal:
            share_of(" ".join(wrong))
        said = set(re.findall(r"\w+", str(refusal.value)))
        assert not said & (set(words) | {"perisai"})
        assert refusal.value.__cause__ is None
        assert refusal.value.__context__ is None


def test_case_and_white_space_do_not_matter() -> None:
    words = split(SECRET, 3, 2, 77)[0]
    assert share_of(words.upper().replace(" ", " \n\t ")) == share_of(words)


def test_shares_of_something_else_are_refused() -> None:
    for foreign in (
        generate_mnemonics(1, [(2, 3)], secrets.token_bytes(16))[0][0],
        generate_mnemonics(2, [(2, 3), (2, 3)], secrets.token_bytes(32))[0][0],
    ):
        with pytest.raises(RefusesToStart, match="not of a key of Perisai"):
            share_of(foreign)


def test_a_share_shows_none_of_its_words_or_bytes() -> None:
    words = split(SECRET, 3, 2, 77)[0]
    shown = repr(share_of(words))
    assert shown == "Share(identifier=77, number=1, threshold=2)"
    assert isinstance(share_of(words).content, Slip39Share)
