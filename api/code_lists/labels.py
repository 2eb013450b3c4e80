"""What a person reads instead of a code, in two languages."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Labels:
    """What a person reads instead of a code: `id` Indonesian, `en` English."""

    id: str
    en: str
