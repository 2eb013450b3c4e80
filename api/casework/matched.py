"""What proves a request between two agencies, what was found for it, and a link; what is in it.

Each agency decides on what it sealed itself. Of the other's only what is signed under the key
that it has pinned counts.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from api.casework import rights
from api.casework.house import House
from api.casework.trust import Pinned
from api.crypto.envelopes import open_envelope, seal_envelope
from api.crypto.framing import frame
from api.crypto.owner_secrets import SHARING
from api.crypto.rights import signed_message
from api.crypto.signatures import signature_holds
from api.errors import SealBroken, ValueInvalid
from api.store.matching import Row
from api.store.tables import RIGHTS, SIGNED_MATCH_REQUEST
from api.vocabulary import MatchAnswer

_SENT = b"perisai match v1"
_RESULT = b"perisai match result v1"

#: Sealed column of a defender -> the field of its tags. A family card is of a household, and
#: names are of many people: neither is sent.
SENT = {"emails": "email", "nik": "nik", "phones": "phone"}

#: The names of these columns in the schema and in events, and the fields in their order.
SENT_NAMES = tuple(sorted(SENT))
_FIELDS = tuple(sorted(SENT.values()))

#: Bytes before sealing: one NIK and twenty of each other, the longest there are, fit.
_SENT_SIZE = 6_144
_RESULT_SIZE = 32

_ANSWERS: tuple[MatchAnswer | None, ...] = (None, *sorted(MatchAnswer))


class Found(NamedTuple):
    """What an agency found for a request.

    Attributes:
        defender: its own; None: it knows nobody.
        fields: which of what was sent agree, in the words of tags.
        answer: None while nobody answered.
    """

    defender: UUID | None
    fields: tuple[str, ...] = ()
    answer: MatchAnswer | None = None


def seal_sent(identifiers: Iterable[tuple[str, str]], row: Row, recipient: Pinned) -> bytes:
    """Seal *identifiers* (field of tags, normal form) to the recipient of the request *row*.

    Raises:
        SealBroken: its public key is none.
    """
    parts = [part.encode() for pair in identifiers for part in pair]
    plain = frame(*parts) if parts else b""
    return seal_envelope(plain, _SENT_SIZE, _info(_SENT, row), recipient.sharing)


def open_sent(house: House, row: Row) -> list[tuple[str, str]]:
    """Open what was sent to one of ours with the request *row*, whose signature holds.

    Raises:
        SealBroken: its asker sealed something else, or it was emptied.
    """
    key = house.keyring.sharing_key(row["recipient"])
    plain = open_envelope(row["sealed"], _SENT_SIZE, _info(_SENT, row), key)
    words = _unframed(plain)
    pairs = list(zip(words[::2], words[1::2], strict=False))
    if len(words) % 2 or not {field for field, _ in pairs} <= set(_FIELDS):
        raise SealBroken
    return pairs


def _unframed(plain: bytes) -> list[str]:
    words = []
    at = 0
    while at < len(plain):
        start = at + 4
        at = start + int.from_bytes(plain[start - 4 : start])
        if at > len(plain):
            raise SealBroken
        try:
            words.append(plain[start:at].decode())
        except UnicodeDecodeError:
            words.append("")
    if "" in words:  # Raised here, so that the error does not hold the text as its context.
        raise SealBroken
    return words


def _info(what: bytes, row: Row) -> bytes:
    return frame(
        what,
        row["id"].int.to_bytes(16),
        row["asker"].encode(),
        row["recipient"].encode(),
        row["event"].to_bytes(8),
    )


def signed_request(row: Row) -> bytes:
    """Give the message that the asker signs: the request, and what is sealed in it."""
    cells = [row[name] for name in SIGNED_MATCH_REQUEST]
    return signed_message("match_request", [*cells, row["sealed"].hex()])


def request_is_signed(row: Row, asker: Pinned) -> bool:
    """Tell whether the asker, whose keys are elsewhere, sent this very request."""
    try:
        message = signed_request(row)
    except (AttributeError, OverflowError, TypeError, ValueInvalid):
        return False  # Of a kind that no signed row has.
    return signature_holds(asker.signing, row["signature"], message)


def request_holds(house: House, row: Row) -> bool:
    """Tell whether the asker, whose keys are here, sealed the request as it stands."""
    values = [row[name] for name in RIGHTS["match_request"]]
    return rights.holds(house, row["asker"], "match_request", values, row["seal"])


def sealed_hit(house: House, row: Row, found: Found) -> Row:
    """Give the row of *found* with its result and the agency's seal; as long whatever it is."""
    agency = row["agency"]
    plain = b"".join(
        (
            bytes([found.defender is not None, _ANSWERS.index(found.answer)]),
            bytes([sum(1 << place for place, f in enumerate(_FIELDS) if f in found.fields)]),
            (found.defender or UUID(int=0)).bytes,
        )
    )
    public = house.keyring.public_keys(agency)[SHARING]
    result = seal_envelope(plain, _RESULT_SIZE, _result_info(row), public)
    return rights.sealed_row(house, agency, "match_hit", {**row, "result": result.hex()})


def found_in(house: House, row: Row) -> Found | None:
    """Open what is in the row of a hit; None: it is not as its agency sealed it."""
    values = [row[name] for name in RIGHTS["match_hit"]]
    if not rights.holds(house, row["agency"], "match_hit", values, row["seal"]):
        return None
    key = house.keyring.sharing_key(row["agency"])
    sealed = bytes.fromhex(row["result"])
    knows, answer, bits, *defender = open_envelope(sealed, _RESULT_SIZE, _result_info(row), key)
    return Found(
        UUID(bytes=bytes(defender)) if knows else None,
        tuple(f for place, f in enumerate(_FIELDS) if bits & 1 << place),
        _ANSWERS[answer],
    )


def _result_info(row: Row) -> bytes:
    return frame(_RESULT, row["request"].int.to_bytes(16), row["agency"].encode())


def best_of(known: Sequence[tuple[UUID, str]]) -> Found:
    """Choose whom the agency tells its liaison of: by the NIK before others, then by the most.

    A telephone may be several people's; the newest record stands first among equals.
    """
    fields: Mapping[UUID, set[str]] = {defender: set() for defender, _ in known}
    for defender, field in known:
        fields[defender].add(field)
    if not fields:
        return Found(None)
    best = max(fields, key=lambda one: ("nik" in fields[one], len(fields[one]), one))
    return Found(best, tuple(sorted(fields[best])))


def signed_link(row: Row, asker: str, confirmer: str) -> bytes:
    """Give the message that the confirming agency signs, from the row of either side."""
    return signed_message(
        "linked_record",
        [row["request"], asker, confirmer, row["confirmed_at"], row["confirmation"]],
    )


def link_is_signed(row: Row, confirmer: Pinned) -> bool:
    """Tell whether the agency of *row*, whose keys are elsewhere, confirmed it to its peer."""
    try:
        message = signed_link(row, row["peer"], row["agency"])
    except (OverflowError, TypeError, ValueInvalid):
        return False
    return signature_holds(confirmer.signing, row["signature"], message)


def link_holds(house: House, row: Row) -> bool:
    """Tell whether its agency, whose keys are here, sealed this side of a link."""
    values = [row[name] for name in RIGHTS["linked_record"]]
    return rights.holds(house, row["agency"], "linked_record", values, row["seal"])
