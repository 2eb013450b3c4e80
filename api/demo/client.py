"""The application of a partner in the demo: a key, and DPoP proofs made with it (RFC 9449)."""

import hashlib
import json
import uuid
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from api.demo.issuer import private_file


class DemoClient:
    """Holds one key, in memory or in a file that its owner alone may read."""

    def __init__(self, key: ECKey, clock: Callable[[], datetime]) -> None:
        """*clock* tells the time in UTC."""
        self._key = key
        self._clock = clock

    @classmethod
    def at(cls, path: Path, clock: Callable[[], datetime]) -> "DemoClient":
        """Take the key at *path*, which is made if it is not there."""
        if not path.exists():
            made = ECKey.generate_key("P-256")
            private_file(path, json.dumps(made.as_dict(private=True)))
        return cls(ECKey.import_key(json.loads(path.read_bytes())), clock)

    @property
    def thumbprint(self) -> str:
        """What a token says that is bound to the key (RFC 7638)."""
        return self._key.thumbprint()

    def headers(self, token: str, address: str) -> dict[str, str]:
        """Give what goes with one POST to *address*: the token, and a proof of this moment."""
        digest = hashlib.sha256(token.encode("ascii")).digest()
        proof = jwt.encode(
            {"typ": "dpop+jwt", "alg": "ES256", "jwk": self._key.as_dict(private=False)},
            {
                "jti": uuid.uuid4().hex,
                "htm": "POST",
                "htu": address,
                "iat": int(self._clock().timestamp()),
                "ath": urlsafe_b64encode(digest).rstrip(b"=").decode(),
            },
            self._key,
            algorithms=["ES256"],
        )
        return {"authorization": f"DPoP {token}", "dpop": proof}
