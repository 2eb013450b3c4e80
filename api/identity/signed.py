"""One compact JWS, read strictly; of access tokens and of DPoP proofs alike.

What is read here is not believed yet: `Signed.check` proves it. Every reason to refuse
is the same `NotSignedIn`, without a text that could hold a part of what was sent.
"""

import json
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NoReturn

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.util import urlsafe_b64decode

from api.errors import NotSignedIn
from api.identity.jwks import ALGORITHMS

#: Clocks of issuers and clients may differ from ours by this much.
LEEWAY = timedelta(seconds=30)

#: A subject, client id, key id or token id is at most this long, characters.
NAME_MOST = 255

#: What reading and checking may raise in the libraries.
_FAULTS = (JoseError, ValueError, TypeError, RecursionError)


class _Registry(jws.JWSRegistry):
    """The listed algorithms, without a warning for each token that says "EdDSA".

    RFC 9864 retires that name because it leaves the curve open; `ALGORITHMS` fixes it.
    """

    def get_alg(self, name: str) -> Any:  # joserfc does not export the type of its algorithms.
        if name not in ALGORITHMS:
            raise NotSignedIn
        return self.algorithms[name]


_REGISTRY = _Registry(algorithms=list(ALGORITHMS))


@dataclass(frozen=True, slots=True, repr=False)
class Signed:
    """A header and claims with a signature that nobody checked yet.

    Attributes:
        header, claims: as they were sent; no name stands in either twice.
        algorithm: one of ALGORITHMS.
    """

    header: dict[str, Any]
    claims: dict[str, Any]
    algorithm: str
    _signature: jws.CompactSignature

    @classmethod
    def read(cls, text: str, *, most: int) -> "Signed":
        """Take *text*, of at most *most* characters, apart.

        Raises:
            NotSignedIn: it is no JWS of JSON objects, or of another algorithm.
        """
        if not text.isascii() or len(text) > most:
            raise NotSignedIn
        try:
            signature = jws.extract_compact(text.encode(), None, _REGISTRY)
            header = _json(urlsafe_b64decode(signature.segments["header"]))
            claims = _json(signature.payload)
        except _FAULTS:
            raise NotSignedIn from None
        if not isinstance(header, dict) or not isinstance(claims, dict):
            raise NotSignedIn
        algorithm = header.get("alg")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise NotSignedIn
        return cls(header, claims, algorithm, signature)

    def check(self, key: Key) -> None:
        """Prove that *key* signed it.

        Raises:
            NotSignedIn: it did not.
        """
        try:
            holds = jws.validate_compact(self._signature, key, registry=_REGISTRY)
        except _FAULTS:
            raise NotSignedIn from None
        if not holds:
            raise NotSignedIn


def read_time(value: object) -> float:
    """Read a NumericDate, from 1970 and before the year 9999, where dates of Python end.

    Raises:
        NotSignedIn: it is none.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise NotSignedIn
    if not 0 <= value <= 253_370_764_800:  # False for NaN too.
        raise NotSignedIn
    return float(value)


def read_name(value: object) -> str:
    """Read a text of one line, from 1 to NAME_MOST characters.

    Raises:
        NotSignedIn: it is none.
    """
    if not isinstance(value, str) or not 0 < len(value) <= NAME_MOST:
        raise NotSignedIn
    if not value.isprintable():
        raise NotSignedIn
    return value


def _json(text: bytes) -> object:
    said: object = json.loads(
        text.decode("utf-8"), object_pairs_hook=_no_doubles, parse_constant=_no_constant
    )
    return said


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    said = dict(pairs)
    if len(said) != len(pairs):
        raise ValueError
    return said


def _no_constant(_: str) -> NoReturn:
    raise ValueError
