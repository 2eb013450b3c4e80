"""Sharing a data key with another agency, whose process holds none of our keys.

The giver seals the key to the recipient's public key (HPKE, RFC 9180, base mode) and
signs the sealed bytes together with the right for which they are given. HPKE proves
no sender; the signature does. Nothing here knows whom to trust: public keys come from
the caller, who has them pinned.
"""

from typing import Any, Final, NamedTuple, NoReturn, final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from api.crypto.data_keys import KEY_SIZE, DataKey, commitment
from api.crypto.framing import frame
from api.crypto.signatures import SigningKey, signature_holds
from api.errors import SealBroken
from api.vocabulary import Compartment

_SHARE = b"perisai share v1"
_SIGNED = b"perisai share signature v1"

#: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (RFC 9180, 7).
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)

#: Bytes that sealing adds: the encapsulated key, and the tag.
OVERHEAD = 32 + 16

#: Bytes of a sealed key.
SEALED_SIZE = OVERHEAD + KEY_SIZE


@final
class SharingKey:
    """The X25519 private key of one owner. It opens what was sealed to it, and shows nothing.

    Attributes:
        public: the 32 bytes to which others seal.
    """

    __slots__ = ("_key", "public")

    def __init__(self, secret: bytes) -> None:
        """Take the 32 random bytes *secret* (RFC 7748, 5).

        Raises:
            ValueError: of another length.
        """
        self._key = X25519PrivateKey.from_private_bytes(secret)
        self.public = self._key.public_key().public_bytes_raw()

    def open(self, sealed: bytes, info: bytes) -> bytes:
        """Open what was sealed to this key for *info*.

        Raises:
            SealBroken: changed, or sealed to another key or for something else.
        """
        try:
            return _SUITE.decrypt(sealed, self._key, info)
        except (InvalidTag, ValueError):
            raise SealBroken from None

    def __repr__(self) -> str:
        """Show nothing."""
        return "<sharing key>"

    def __reduce_ex__(self, protocol: Any) -> NoReturn:
        """Refuse: a pickle of a key is a leak."""
        raise TypeError("a key is not pickled or copied")


class Terms(NamedTuple):
    """What one share is bound to.

    Attributes:
        event: index of the intent of the referral in the access log.
        version: of the data key.
        commitment: to the data key inside; what comes out must give it.
    """

    giver: str
    recipient: str
    referral: UUID
    event: int
    record: UUID
    compartment: Compartment
    version: int
    commitment: bytes

    def info(self) -> bytes:
        """Give the `info` of HPKE: all of it, framed.

        Raises:
            OverflowError: a number that no share can have.
        """
        return frame(
            _SHARE,
            self.giver.encode(),
            self.recipient.encode(),
            self.referral.int.to_bytes(16),
            self.event.to_bytes(8),
            self.record.int.to_bytes(16),
            self.compartment.encode(),
            self.version.to_bytes(4),
            self.commitment,
        )


class Share(NamedTuple):
    """A data key on its way to another agency.

    Attributes:
        sealed: SEALED_SIZE bytes, which only the recipient opens.
        signature: of the giver, over `sealed`, the terms and the right.
    """

    terms: Terms
    sealed: bytes
    signature: bytes

    def __repr__(self) -> str:
        """Name what it is, without its bytes."""
        return f"<share of {self.terms.compartment} of {self.terms.record}>"


def give(
    key: DataKey,
    giver: str,
    recipient: str,
    referral: tuple[UUID, int],
    right: bytes,
    signing: SigningKey,
    public: bytes,
) -> Share:
    """Seal *key* to *recipient* and sign it.

    Args:
        referral: its id, and the index of its intent.
        right: the message of the right for which the key is given (`signed_message`).
        public: the recipient's public sharing key, which the giver has pinned.

    Raises:
        SealBroken: *public* is no key to which can be sealed.
    """
    terms = Terms(
        giver,
        recipient,
        *referral,
        key.record,
        key.compartment,
        key.version,
        commitment(key.secret),
    )
    info = terms.info()
    sealed = seal_to(public, key.secret, info)
    return Share(terms, sealed, signing.sign(_signed(info, sealed, right)))


def seal_to(public: bytes, plain: bytes, info: bytes) -> bytes:
    """Seal *plain* for *info* to the holder of *public*: OVERHEAD bytes more.

    Raises:
        SealBroken: *public* is no key to which can be sealed.
    """
    try:
        return _SUITE.encrypt(plain, X25519PublicKey.from_public_bytes(public), info)
    except ValueError:  # Of another length, or of low order (RFC 9180, 7.1.4).
        raise SealBroken from None


def take(share: Share, right: bytes, public: bytes, sharing: SharingKey) -> DataKey:
    """Open *share* if its giver signed it for *right*, and it holds the key it says.

    Args:
        public: the giver's public signing key, which the recipient has pinned.

    Raises:
        SealBroken: not signed by the giver for this right; changed, moved or replayed
            from other terms; sealed to another key; or another key than announced.
    """
    try:
        info = share.terms.info()
    except (AttributeError, OverflowError, TypeError):  # SQLite keeps any type anywhere.
        raise SealBroken from None
    if not signature_holds(public, share.signature, _signed(info, share.sealed, right)):
        raise SealBroken
    secret = sharing.open(share.sealed, info)
    if len(secret) != KEY_SIZE or commitment(secret) != share.terms.commitment:
        raise SealBroken
    return DataKey(share.terms.record, share.terms.compartment, share.terms.version, secret)


def _signed(info: bytes, sealed: bytes, right: bytes) -> bytes:
    return frame(_SIGNED, info, sealed, right)
