"""A 256-bit key in shares of 33 words, of which some open it: SLIP-0039, one group.

The splitting is the library's (Trezor's reference implementation of SLIP-0039). It
takes no care of side channels, so it runs in an operator's command and never in the
service. Fewer shares than the threshold tell nothing of the key. Its errors quote
words of a share and go no further than this module.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from shamir_mnemonic import EncryptedMasterSecret, MnemonicError, recover_ems, split_ems
from shamir_mnemonic import Share as Slip39Share
from shamir_mnemonic.shamir import ShareGroup

from api.errors import RefusesToStart

#: Bytes of the key that is split.
SECRET_SIZE = 32

#: What SLIP-0039 can number.
MOST_SHARES = 16

#: An identifier has 15 bits.
IDENTIFIERS = 1 << 15

#: Words of each share, of 10 bits: identifier 2, numbers 2, value 26, checksum 3.
WORDS = 33

# No passphrase of SLIP-0039 is used, so its stretching would protect nothing.
_NO_PASSPHRASE = b""
_LEAST_ITERATIONS = 0


@dataclass(frozen=True, slots=True)
class Share:
    """A share whose checksum held.

    Attributes:
        identifier: the same in all shares of one splitting, and hardly in another's.
        number: from 1.
        threshold: how many are needed.
    """

    identifier: int
    number: int
    threshold: int
    content: Slip39Share = field(repr=False)


def split(secret: bytes, shares: int, threshold: int, identifier: int) -> list[str]:
    """Split *secret* (32 bytes) into *shares* of 33 words, of which *threshold* open it.

    Raises:
        RefusesToStart: one share would open it, more are needed than there are, or
            there are more than 16.
    """
    if not 2 <= threshold <= shares <= MOST_SHARES:
        raise RefusesToStart(
            f"{threshold} of {shares} shares cannot be: at least 2 must be needed, "
            f"and there are at most {MOST_SHARES}."
        )
    sealed = EncryptedMasterSecret.from_master_secret(
        secret, _NO_PASSPHRASE, identifier, True, _LEAST_ITERATIONS
    )
    [group] = split_ems(1, [(threshold, shares)], sealed)
    return [share.mnemonic() for share in group]


def share_of(words: str) -> Share:
    """Read a share; case and white space do not matter.

    Raises:
        RefusesToStart: a word is wrong, missing or out of its place, or it is a share
            of something else than a key of ours.
    """
    content = _content_of(words)
    if content is None:
        raise RefusesToStart(
            f"A share does not hold: a word of its {WORDS} is wrong, missing or out of its place."
        )
    if (content.group_count, content.group_threshold, len(content.value)) != (1, 1, SECRET_SIZE):
        raise RefusesToStart("A share is one of SLIP-0039, but not of a key of Perisai.")
    return Share(content.identifier, content.index + 1, content.member_threshold, content)


def combined(shares: Iterable[Share]) -> bytes:
    """Give the secret; more shares than are needed do not matter.

    Raises:
        RefusesToStart: too few, of different splittings, or they do not fit together.
    """
    by_number: dict[int, Share] = {}
    for share in shares:
        if by_number.setdefault(share.number, share) != share:
            raise RefusesToStart(f"There are two different shares with the number {share.number}.")
    given = list(by_number.values())
    if len({share.content.group_parameters() for share in given}) > 1:
        raise RefusesToStart("The shares are of different backups.")
    if not given or len(given) < given[0].threshold:
        needed = f"{given[0].threshold} are needed, " if given else ""
        raise RefusesToStart(f"Too few shares: {needed}{len(given)} different ones were given.")
    secret = _recovered(given[: given[0].threshold])
    if secret is None:
        raise RefusesToStart("The shares do not fit together: one is of another backup.")
    return secret


def _content_of(words: str) -> Slip39Share | None:
    try:
        return Slip39Share.from_mnemonic(words)
    except MnemonicError:
        return None  # Its text, and its trace, hold words of the share.


def _recovered(shares: Sequence[Share]) -> bytes | None:
    group = ShareGroup()
    try:
        for share in shares:
            group.add(share.content)
        return bytes(recover_ems({0: group}).decrypt(_NO_PASSPHRASE))
    except MnemonicError:
        return None
