"""How many keys the events of this process account for, by the owner of the keys."""

from collections import Counter
from collections.abc import Mapping


class Explained:
    """Counts keys that an event named before they were unwrapped.

    Whoever wrote the event says so, and not what opens the keys: what is opened without
    an event is then more than was explained, and `reconciliation` finds it.
    """

    def __init__(self) -> None:
        """Begin with nothing explained."""
        self._keys: Counter[str] = Counter()

    def add(self, owner: str, keys: int) -> None:
        """Note that a durable event names *keys* of *owner* that may now be unwrapped."""
        self._keys[owner] += keys

    def keys(self) -> Mapping[str, int]:
        """Give how many since the process began, by owner."""
        return dict(self._keys)
