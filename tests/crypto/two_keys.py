"""One AES-GCM ciphertext for two keys: GHASH solved for one block.

AES-GCM commits to no key. Its tag is a polynomial over GF(2^128) in the ciphertext,
evaluated at a point that the key gives, plus a mask that the key gives; two keys make two
equations for one tag, and a free block of ciphertext solves them (NIST SP 800-38D, 6.3
and 6.4; Grubbs, Lu, Ristenpart, "Message Franking via Committing Authenticated
Encryption", CRYPTO 2017).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

#: Bytes of a block.
BLOCK = 16
#: x^128 + x^7 + x^2 + x + 1, the highest power dropped, bits in the order of SP 800-38D.
_REDUCTION = 0xE1 << 120


def multiply(x: int, y: int) -> int:
    """Multiply two blocks (SP 800-38D, 6.3, algorithm 1)."""
    product = 0
    for bit in range(127, -1, -1):
        if x >> bit & 1:
            product ^= y
        y = y >> 1 ^ (_REDUCTION if y & 1 else 0)
    return product


def power(x: int, exponent: int) -> int:
    """Raise a block to a power; the one is the block whose first bit is set."""
    result = 1 << 127
    while exponent:
        if exponent & 1:
            result = multiply(result, x)
        x = multiply(x, x)
        exponent >>= 1
    return result


def inverse(x: int) -> int:
    """Give what *x* must be multiplied with for the one (Fermat, in a field of 2^128)."""
    return power(x, 2**128 - 2)


@dataclass(frozen=True)
class Side:
    """One of the two keys, and the associated data under which it is to open."""

    key: bytes
    associated: bytes


def ciphertext_for(
    sides: Sequence[Side], nonce: bytes, blocks: Sequence[bytes | None]
) -> tuple[bytes, int]:
    """Make a ciphertext with its tag that opens under both *sides*, and the tag as a number.

    Args:
        nonce: 12 bytes.
        blocks: of ciphertext, 16 bytes each; one is None, for which is solved.
    """
    free = blocks.index(None)
    known = [int.from_bytes(block or bytes(BLOCK)) for block in blocks]
    points = [int.from_bytes(_aes(side.key, bytes(BLOCK))) for side in sides]
    # The free block is multiplied once for itself, once for each block after it, and
    # once for the lengths.
    exponent = len(blocks) - free + 1
    tags = [
        _ghash(point, side.associated, known)
        ^ int.from_bytes(_aes(side.key, nonce + (1).to_bytes(4)))
        for side, point in zip(sides, points, strict=True)
    ]
    slope = power(points[0], exponent) ^ power(points[1], exponent)
    known[free] = multiply(tags[0] ^ tags[1], inverse(slope))
    tag = tags[0] ^ multiply(known[free], power(points[0], exponent))
    return b"".join(block.to_bytes(BLOCK) for block in (*known, tag)), tag


def _ghash(point: int, associated: bytes, ciphertext: Sequence[int]) -> int:
    padded = associated + bytes(-len(associated) % BLOCK)
    blocks = [int.from_bytes(padded[i : i + BLOCK]) for i in range(0, len(padded), BLOCK)]
    lengths = (8 * len(associated)) << 64 | 8 * BLOCK * len(ciphertext)
    total = 0
    for block in (*blocks, *ciphertext, lengths):
        total = multiply(total ^ block, point)
    return total


def _aes(key: bytes, block: bytes) -> bytes:
    encryptor = Cipher(algorithms.AES(key), modes.ECB()).encryptor()  # noqa: S305  # one block
    return encryptor.update(block) + encryptor.finalize()
