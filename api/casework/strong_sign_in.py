"""Was the person there a moment ago, and proved more than a password? (RFC 9470)"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.vocabulary import Caller

#: Clocks of issuers may differ from ours by this much.
LEEWAY = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class StrongSignIn:
    """Which sign-ins are strong and fresh.

    Attributes:
        acr: the authentication contexts that are strong enough; without one nobody's is.
        most: how long ago the sign-in may have been.
    """

    acr: tuple[str, ...] = ()
    most: timedelta = timedelta(minutes=5)

    def is_of(self, caller: Caller, now: datetime) -> bool:
        """Tell whether *caller* signed in so. What the token does not say is a no."""
        if caller.acr not in self.acr or caller.auth_time is None:
            return False
        return -LEEWAY <= now - caller.auth_time <= self.most + LEEWAY


#: Where no context is strong enough.
NOBODY = StrongSignIn()
