"""Finds words for what is sealed of everybody: orientation, health, forms of sexual violence.

The codes of these go out under no profile (`release_profiles`); a text may not say them either.
"""

import re
from collections.abc import Iterator

from api.casework.redaction_kinds import Kind
from api.casework.redaction_reading import Reading

#: Each with whatever a word of it goes on with.
_BEGUN = (
    # orientation and gender
    r"lgbt|lesbi|homoseks|homosex|biseks|bisex|transgender|transpuan|transpria|transseks|transsex|"
    r"trans (?:wo)?m[ae]n|waria|queer|interseks|intersex|"
    # health
    r"disabil|difabel|tunanetra|tunarungu|tunadaksa|skizofren|schizophren|odhiv|odha|"
    # sexual violence; with what stands before it in Indonesian
    r"(?:di|pem|mem|ter)?p?erkosa|(?:di|me|pen)?cabul|rudapaksa|sodomi|seksual|sexual|rapist|"
    r"kawin paksa|(?:paksa|pemaksaan|dipaksa) (?:per)?kawin|cerai gantung|forced marriage|"
    r"aborsi|abortion|prostitu|(?:ke)?hamil|pregnan|kontraseps|contracept"
)
_WHOLE = r"gay|gays|hiv|aids|pms|disabled|depresi|depression|rape|raped|rapes|raping|incest|inses"
_SAID = re.compile(rf"(?<![^\W_])(?:(?:{_BEGUN})[^\W_]{{0,16}}|(?:{_WHOLE})(?:nya)?(?![^\W_]))")


def sensitive(reading: Reading) -> Iterator[tuple[int, int, Kind]]:
    """Yield where something of the kind is said, as places of `reading.low`."""
    for found in _SAID.finditer(reading.low):
        yield *found.span(), Kind.OTHER
