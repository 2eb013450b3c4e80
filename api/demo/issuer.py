"""The demo's own issuer of access tokens, one key an organisation. Never with real records.

It stands in for the identity providers of the agencies: it hands a token to
whoever can read its folder, which is the reason why it refuses to work elsewhere.
"""

import json
import os
import re
import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from joserfc import jwt
from joserfc.jwk import ECKey

from api.errors import RefusesToStart

#: The client that the demo's tokens are issued to.
CLIENT_ID = "perisai-demo"

#: A demo is shown within a working day.
TOKEN_LIFETIME = timedelta(hours=8)

#: It is read at once, and then never again.
ID_TOKEN_LIFETIME = timedelta(minutes=5)

#: ".invalid" is reserved (RFC 6761): no token of the demo names an issuer that exists.
ADDRESS = "https://issuer.perisai-demo.invalid"

_SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,62}", re.ASCII)


class DemoIssuer:
    """Keys in one folder, readable by their owner only, and tokens signed with them."""

    def __init__(
        self, folder: Path, *, demo: bool, audience: str, clock: Callable[[], datetime]
    ) -> None:
        """*demo* is the setting; *clock* tells the time in UTC.

        Raises:
            RefusesToStart: this is not the demo.
        """
        if demo is not True:
            raise RefusesToStart(
                "The built-in issuer signs tokens for anybody, so it works in the demo only. "
                "Configure the issuers of your organisations instead."
            )
        self._folder = folder
        self._audience = audience
        self._clock = clock

    @staticmethod
    def url(organisation: str) -> str:
        """Give the `iss` claim of the tokens of *organisation*."""
        return f"{ADDRESS}/{_slug(organisation)}"

    def jwks_path(self, organisation: str) -> Path:
        """Give the file of its public keys (RFC 7517), for the settings."""
        return self._folder / f"{_slug(organisation)}.jwks.json"

    def create(self, organisation: str) -> Path:
        """Make the key of *organisation* unless it is there; give the path of its JWK set."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        private, public = self._key_path(organisation), self.jwks_path(organisation)
        if not private.exists():
            made = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
            private_file(private, json.dumps(made.as_dict(private=True)))
        key = ECKey.import_key(json.loads(private.read_bytes()))
        private_file(public, json.dumps({"keys": [key.as_dict(private=False)]}))
        return public

    def mint(
        self,
        organisation: str,
        subject: str,
        *,
        lifetime: timedelta = TOKEN_LIFETIME,
        acr: str | None = None,
        auth_time: datetime | None = None,
        key_thumbprint: str | None = None,
    ) -> str:
        """Sign an access token (RFC 9068) that says *subject* of *organisation* asks.

        Args:
            acr, auth_time: how and when the person signed in; None: the token does not say.
            key_thumbprint: thumbprint of the key that has to be proven with the token (RFC 9449);
                None: it is good for whoever bears it.

        Raises:
            RefusesToStart: the organisation has no key yet.
        """
        key = self._key(organisation)
        now = int(self._clock().timestamp())
        return jwt.encode(
            {"alg": "ES256", "typ": "at+jwt", "kid": key.kid},
            {
                "iss": self.url(organisation),
                "aud": self._audience,
                "sub": subject,
                "client_id": CLIENT_ID,
                "iat": now,
                "exp": now + int(lifetime.total_seconds()),
                "jti": uuid.uuid4().hex,
                **({} if acr is None else {"acr": acr}),
                **({} if auth_time is None else {"auth_time": int(auth_time.timestamp())}),
                **({} if key_thumbprint is None else {"cnf": {"jkt": key_thumbprint}}),
            },
            key,
            algorithms=["ES256"],
        )

    def identify(self, organisation: str, subject: str, *, client_id: str, nonce: str) -> str:
        """Sign an ID token (OpenID Connect Core 1.0, 2) that tells *client_id* who signed in.

        Raises:
            RefusesToStart: the organisation has no key yet.
        """
        now = int(self._clock().timestamp())
        said = {
            "iss": self.url(organisation),
            "aud": client_id,
            "sub": subject,
            "nonce": nonce,
            "iat": now,
            "exp": now + int(ID_TOKEN_LIFETIME.total_seconds()),
        }
        key = self._key(organisation)
        header = {"alg": "ES256", "typ": "JWT", "kid": key.kid}
        return jwt.encode(header, said, key, algorithms=["ES256"])

    def _key(self, organisation: str) -> ECKey:
        try:
            return ECKey.import_key(json.loads(self._key_path(organisation).read_bytes()))
        except FileNotFoundError:
            raise RefusesToStart(
                f"The demo has no key of {organisation} in {self._folder}. Run the demo first."
            ) from None

    def _key_path(self, organisation: str) -> Path:
        return self._folder / f"{_slug(organisation)}.key.json"


def _slug(organisation: str) -> str:
    if _SLUG.fullmatch(organisation) is None:
        raise RefusesToStart("The slug of an organisation has lower-case letters, digits and '-'.")
    return organisation


def private_file(path: Path, text: str) -> None:
    """Write the file as a whole, or replace it; only its owner may read it."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)
