"""A backup of the whole key file, which a quorum of custodians opens until it expires.

The content is sealed under a random key that exists in shares only (FORMAT.md, "Key
backup"). The expiry is kept by this software and by nothing stronger: whoever holds
enough shares, the backup and another program opens it on any day. Custodians
therefore destroy their shares when the keys in it are retired.
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.crypto.framing import frame
from api.crypto.key_file import Randomness
from api.crypto.key_shares import IDENTIFIERS, SECRET_SIZE, Share, combined, split
from api.errors import RefusesToStart

_MAGIC = b"perisai backup\x01\n"
# magic, made and expires (seconds since 1970), identifier, shares, threshold, length of owners
_FIXED = struct.Struct(">16sqqHBBI")
_NONCE = 12

#: Longest backup that is read, in bytes: a key file has at most 1 MiB.
LONGEST = 2 << 20

#: How far two clocks may be apart.
_LEEWAY = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Notice:
    """What a backup says of itself in clear; true only once it was opened.

    Attributes:
        identifier: which shares open it, 0 to 32767.
    """

    made: datetime
    expires: datetime
    identifier: int
    shares: int
    threshold: int
    owners: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Backup:
    """A backup that was just made; its shares are printed and forgotten."""

    data: bytes
    notice: Notice
    shares: tuple[str, ...]

    def __repr__(self) -> str:
        """Show which it is, without its shares."""
        return f"<key backup {self.notice.identifier}>"


def make(
    payload: bytes,
    owners: Sequence[str],
    *,
    made: datetime,
    lifetime: timedelta,
    shares: int,
    threshold: int,
    randomness: Randomness,
) -> Backup:
    """Seal *payload* under a new key, and split that.

    Raises:
        RefusesToStart: a number of shares that cannot be.
    """
    # Whole seconds, as they are written; the lifetime starts with the older of the two.
    made = made.astimezone(UTC).replace(microsecond=0)
    identifier = int.from_bytes(randomness(2)) % IDENTIFIERS
    notice = Notice(made, made + lifetime, identifier, shares, threshold, tuple(owners))
    key = randomness(SECRET_SIZE)
    words = split(key, shares, threshold, identifier)
    return Backup(sealed(payload, notice, key, randomness(_NONCE)), notice, tuple(words))


def sealed(payload: bytes, notice: Notice, key: bytes, nonce: bytes) -> bytes:
    """Write the bytes of a backup."""
    owners = frame(*(owner.encode() for owner in notice.owners))
    header = _FIXED.pack(
        _MAGIC,
        int(notice.made.timestamp()),
        int(notice.expires.timestamp()),
        notice.identifier,
        notice.shares,
        notice.threshold,
        len(owners),
    )
    header += owners + nonce
    return header + AESGCM(key).encrypt(nonce, payload, header)


def notice_of(data: bytes, now: datetime) -> Notice:
    """Read what the backup says of itself, and refuse it where that is enough to.

    Raises:
        RefusesToStart: it is no backup, it expired, or the clock is behind it.
    """
    _, notice = _parts(data)
    if now >= notice.expires:
        raise RefusesToStart(
            f"The backup of {notice.made:%Y-%m-%d} expired on {notice.expires:%Y-%m-%d}. "
            "Use a newer one, and destroy this one and its shares."
        )
    if now < notice.made - _LEEWAY:
        raise RefusesToStart(
            f"The backup was made on {notice.made:%Y-%m-%d %H:%M}, but the clock says "
            f"{now:%Y-%m-%d %H:%M}. Set the clock."
        )
    return notice


def check_share(notice: Notice, share: Share) -> None:
    """Tell whether *share* is one of this backup's, as far as it can be told alone.

    Raises:
        RefusesToStart: it is not.
    """
    if (share.identifier, share.threshold) != (notice.identifier, notice.threshold):
        raise RefusesToStart(
            f"Share {share.number} is of the backup {share.identifier}, not of {notice.identifier}."
        )


def opened(data: bytes, shares: Sequence[Share], now: datetime) -> bytes:
    """Open the backup; give its payload.

    Raises:
        RefusesToStart: as `notice_of` and `check_share`; too few shares; or a byte of
            the backup was changed.
    """
    notice = notice_of(data, now)
    for share in shares:
        check_share(notice, share)
    return opened_with(data, combined(shares))


def opened_with(data: bytes, key: bytes) -> bytes:
    """Open the backup with its key; its notice is true if this gives anything.

    Raises:
        RefusesToStart: another key, or a byte was changed.
    """
    header, _ = _parts(data)
    try:
        return AESGCM(key).decrypt(header[-_NONCE:], data[len(header) :], header)
    except InvalidTag:
        raise RefusesToStart(
            "The backup does not open: it was changed, or the shares are of another one."
        ) from None


def _parts(data: bytes) -> tuple[bytes, Notice]:
    """Take the header off, and read it."""
    try:
        magic, made, expires, identifier, shares, threshold, length = _FIXED.unpack_from(data)
        end = _FIXED.size + length
        header = data[: end + _NONCE]
        if magic == _MAGIC and len(header) == end + _NONCE and len(data) <= LONGEST:
            return header, Notice(
                datetime.fromtimestamp(made, UTC),
                datetime.fromtimestamp(expires, UTC),
                identifier,
                shares,
                threshold,
                tuple(_unframed(data[_FIXED.size : end])),
            )
    except (struct.error, OverflowError, ValueError, OSError):
        pass  # A moment that no calendar has, or text that is none.
    raise RefusesToStart("This is not a key backup of Perisai, or it was changed.")


def _unframed(framed: bytes) -> Iterator[str]:
    while framed:
        end = 4 + int.from_bytes(framed[:4])
        if end > len(framed):
            raise ValueError("a part is cut off")
        yield framed[4:end].decode()
        framed = framed[end:]
