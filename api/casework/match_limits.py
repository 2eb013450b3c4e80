"""How often another agency may be asked for a person, and how long that stands.

Who could ask without limit would learn whom another agency knows by trying; each request is
for one person whose identity the asker may open, and few people are new in a day.
"""

from dataclasses import dataclass
from datetime import timedelta

#: The time over which is counted; it slides.
WINDOW = timedelta(days=1)

#: Who is asked looks within seconds; its liaison has this long to answer.
OPEN_FOR = timedelta(hours=72)


@dataclass(frozen=True, slots=True)
class MatchLimits:
    """Requests in a day.

    Attributes:
        per_agency: of what is asked, and of what is looked up here for another agency.
    """

    per_member: int = 10
    per_agency: int = 50
